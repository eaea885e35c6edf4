// How codes are divided. Any division gives the same codes of rows; this one keeps the filter's
// errors small beside the distances that it has to tell apart.
#include "groups.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "floating_point.hpp"

namespace vqcodec {

namespace {

// Squares of lengths: how many times as long as the shorter ones is far, and which part of the one
// in the middle is nothing.
constexpr double kFar = 32.0 * 32.0;
constexpr double kNear = 1.0 / (64.0 * 64.0);
// The glance must see what a division would, from a centre that was not chosen with care.
constexpr double kGlanceNear = 1.0 / (128.0 * 128.0);
constexpr uint64_t kSample = 32;
// Fewer candidates than this cost a row little.
constexpr int64_t kCrowd = 24;

// Whether so many of the codes would slow down the settle of a row.
bool is_crowd(int64_t count, int64_t codes) { return count >= std::max(kCrowd, codes / 32); }

// The value that the share of all is below.
double quantile(std::vector<double> values, double share) {
  const auto at = values.begin() + static_cast<int64_t>(share * static_cast<double>(values.size()));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// Of costs, of which up to three quarters may be far too high.
double low(std::vector<double> values) { return quantile(std::move(values), 0.25); }

// kSample of the values, if there are so many: one from each of as many stretches, at places that
// keep no step with a pattern in the codes.
template <typename T>
std::vector<T> sample(const T* values, uint64_t size) {
  const uint64_t count = std::min(size, kSample);
  const uint64_t stretch = size / count;
  std::vector<T> found(count);
  for (uint64_t i = 0; i < count; ++i) {
    found[i] = values[i * stretch + (i * 0x9E3779B97F4A7C15u >> 32) % stretch];
  }
  return found;
}

double usual_bias(const CodeTable& table, const std::vector<int32_t>& codes) {
  std::vector<double> biases;
  for (const int32_t code : sample(codes.data(), codes.size())) biases.push_back(table.bias[code]);
  return low(std::move(biases));
}

// What keeps a row from choosing each code, as far as can be said without the row.
std::vector<double> costs(const CodeTable& table, const std::vector<int32_t>& codes,
                          const std::vector<double>& squares) {
  if (!table.bias) return squares;
  const double base = usual_bias(table, codes);
  std::vector<double> found(squares);
  for (size_t i = 0; i < codes.size(); ++i) found[i] += std::abs(table.bias[codes[i]] - base);
  return found;
}

// Whether two of the codes are nearer each other than the square root of `limit`. Few pairs have to
// be measured: most lengths, given by their squares, differ by more.
bool has_twins(const CodeTable& table, const std::vector<int32_t>& codes,
               std::vector<double> lengths, double limit) {
  for (double& length : lengths) length = std::sqrt(length);
  const double reach = std::sqrt(limit);
  for (size_t i = 0; i < codes.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (std::abs(lengths[i] - lengths[j]) > reach) continue;
      if (squared_distance(table.row(codes[i]), table.row(codes[j]), table.dim) <= limit) {
        return true;
      }
    }
  }
  return false;
}

// Moves the codes whose value exceeds the limit to a list of their own.
std::vector<int32_t> take_above(std::vector<int32_t>& codes, const std::vector<double>& values,
                                double limit) {
  std::vector<int32_t> above, rest;
  for (size_t i = 0; i < codes.size(); ++i) {
    (values[i] > limit ? above : rest).push_back(codes[i]);
  }
  codes = std::move(rest);
  return above;
}

// Orders codes along a line, so that those of one place come together: then a row has its
// candidates in few registers.
void line_up(const CodeTable& table, std::vector<int32_t>& codes) {
  // Any direction will do that no pattern of values is likely to be across.
  std::vector<double> weights(table.dim);
  for (int64_t d = 0; d < table.dim; ++d) weights[d] = std::sin(static_cast<double>(d * d + 1));
  std::vector<std::pair<double, int32_t>> places;
  for (const int32_t code : codes) {
    double place = 0;
    for (int64_t d = 0; d < table.dim; ++d) place += weights[d] * table.row(code)[d];
    places.emplace_back(place, code);
  }
  std::sort(places.begin(), places.end());
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = places[i].second;
}

void divide(const CodeTable& table, std::vector<int32_t> codes, int depth,
            std::vector<std::vector<int32_t>>& groups) {
  if (static_cast<int64_t>(codes.size()) < kCrowd || depth == 0) {
    return groups.push_back(std::move(codes));
  }
  const float* centre = table.row(code_amid(table, codes));
  std::vector<double> squares;
  for (const int32_t code : codes) {
    squares.push_back(squared_distance(table.row(code), centre, table.dim));
  }
  const std::vector<double> cost = costs(table, codes, squares);
  const double least = kNear * quantile(squares, 0.5);
  const auto near =
      std::count_if(squares.begin(), squares.end(), [&](double square) { return square <= least; });
  std::vector<int32_t> other = take_above(codes, cost, kFar * low(cost));
  if (other.empty() && is_crowd(near, static_cast<int64_t>(codes.size()))) {
    other = take_above(codes, squares, least);
  }
  if (other.empty() || codes.empty()) {
    return groups.push_back(std::move(codes.empty() ? other : codes));
  }
  divide(table, std::move(codes), depth - 1, groups);
  divide(table, std::move(other), depth - 1, groups);
}

}  // namespace

double squared_distance(const float* a, const float* b, int64_t dim) {
  double totals[4] = {};
  int64_t d = 0;
  for (; d + 4 <= dim; d += 4) {
    for (int i = 0; i < 4; ++i) {
      const double difference = static_cast<double>(a[d + i]) - b[d + i];
      totals[i] += difference * difference;
    }
  }
  for (; d < dim; ++d) {
    const double difference = static_cast<double>(a[d]) - b[d];
    totals[0] += difference * difference;
  }
  return (totals[0] + totals[1]) + (totals[2] + totals[3]);
}

bool look_even(const CodeTable& table, const std::vector<int32_t>& codes, const double* squares) {
  const int64_t size = static_cast<int64_t>(codes.size());
  if (size < kCrowd) return true;
  std::vector<double> biased;
  const double* cost = squares;
  if (table.bias) {
    biased = costs(table, codes, {squares, squares + size});
    cost = biased.data();
  }
  const double typical = low(sample(cost, size));
  double dearest = 0.0, longest = 0.0;
  for (int64_t i = 0; i < size; ++i) {
    dearest = std::max(dearest, cost[i]);
    longest = std::max(longest, squares[i]);
  }
  if (dearest > kFar / 4 * typical) return false;
  int64_t shorts = 0;
  for (int64_t i = 0; i < size; ++i) shorts += squares[i] <= kGlanceNear * longest;
  if (is_crowd(shorts, size)) return false;
  return !has_twins(table, sample(codes.data(), size), sample(squares, size), kNear * typical);
}

int32_t code_amid(const CodeTable& table, const std::vector<int32_t>& codes) {
  const std::vector<int32_t> some = sample(codes.data(), codes.size());
  double least = std::numeric_limits<double>::infinity();
  int32_t found = some[0];
  for (size_t i = 0; i < some.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const double gap = squared_distance(table.row(some[i]), table.row(some[j]), table.dim);
      if (gap < least) found = some[i];
      least = std::min(least, gap);
    }
  }
  return found;
}

std::vector<std::vector<int32_t>> divide_codes(const CodeTable& table, std::vector<int32_t> codes) {
  constexpr int kDepth = 6;
  std::vector<std::vector<int32_t>> groups;
  divide(table, std::move(codes), kDepth, groups);
  for (std::vector<int32_t>& group : groups) line_up(table, group);
  return groups;
}

}  // namespace vqcodec
