#include "grouped.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eligible.hpp"
#include "floating_point.hpp"
#include "values.hpp"

namespace vqcodec {

int64_t GroupedCodebook::pack(const Rows& codes, const float* bias, const Level& level) {
  groups_.resize(1);
  const int64_t bad = groups_[0].book.pack(codes, bias, level.shape);
  if (bad >= 0) return bad;
  table_ = {groups_[0].book.rows(), codes.dim, bias};
  std::vector<int32_t> eligible =
      eligible_codes(table_.rows, codes.count, codes.dim, groups_[0].book.squares(), bias);
  first_allowed_ = eligible[0];
  if (static_cast<int64_t>(eligible.size()) < codes.count) regroup({eligible}, level);
  if (!look_even(table_, eligible, groups_[0].book.squares())) {
    centre_ = table_.row(code_amid(table_, eligible));
    regroup(divide_codes(table_, std::move(eligible)), level);
  }
  for (Group& group : groups_) {
    if (level.splits) group.book.split();
  }
  return -1;
}

void GroupedCodebook::regroup(const std::vector<std::vector<int32_t>>& lists, const Level& level) {
  if (groups_[0].codes.empty()) whole_ = std::move(groups_[0].book);
  groups_ = std::vector<Group>(lists.size());
  for (size_t g = 0; g < lists.size(); ++g) pack_group(lists[g], level, groups_[g]);
}

void GroupedCodebook::pack_group(std::vector<int32_t> codes, const Level& level,
                                 Group& group) const {
  const int64_t dim = table_.dim;
  group.rows.resize(codes.size() * dim);
  group.bias.resize(table_.bias ? codes.size() : 0);
  for (size_t i = 0; i < codes.size(); ++i) {
    std::copy_n(table_.row(codes[i]), dim, &group.rows[i * dim]);
    if (table_.bias) group.bias[i] = table_.bias[codes[i]];
  }
  const Rows rows{group.rows.data(), Type::kFloat32, static_cast<int64_t>(codes.size()), dim};
  group.book.pack(rows, table_.bias ? group.bias.data() : nullptr, level.shape);
  group.codes = std::move(codes);
  group.book.number(group.codes.data());
  if (centre_) measure(group);
}

void GroupedCodebook::measure(Group& group) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  group.inner = group.lowest_bias = group.distance = kInfinity;
  group.outer = group.distance_bias = 0.0;
  double least = kInfinity;
  for (const int32_t code : group.codes) {
    const double square = squared_distance(table_.row(code), centre_, table_.dim);
    const double length = std::sqrt(square);
    const double bias = table_.bias_of(code);
    group.inner = std::min(group.inner, length);
    group.outer = std::max(group.outer, length);
    group.lowest_bias = std::min(group.lowest_bias, bias);
    if (square + bias < least) {
      least = square + bias;
      group.distance = length;
      group.distance_bias = bias;
    }
  }
}

std::vector<std::vector<int32_t>> GroupedCodebook::groups() const {
  std::vector<std::vector<int32_t>> found;
  for (const Group& group : groups_) {
    found.push_back(group.codes);
    for (int32_t k = 0; group.codes.empty() && k < group.book.size(); ++k)
      found.back().push_back(k);
  }
  return found;
}

int64_t GroupedCodebook::search_group(const Group& group, const Level& level, const float* rows,
                                      int64_t count, Scratch& scratch, int64_t* codes) const {
  const int64_t bad = level.search(group.book, rows, count, scratch, codes);
  if (bad >= 0 || group.codes.empty()) return bad;
  for (int64_t i = 0; i < count; ++i) codes[i] = group.codes[codes[i]];
  return -1;
}

// Of rows whose distances from the centre are `lengths`, by the triangle inequality: whether each
// is farther from every code of the group than from one code of another.
bool GroupedCodebook::out_of_reach(const Group& group, const double* lengths, int64_t count) const {
  constexpr double kRounding = 1e-6;
  for (int64_t i = 0; i < count; ++i) {
    const double apart = std::max({group.inner - lengths[i], lengths[i] - group.outer, 0.0});
    const bool beaten = std::any_of(groups_.begin(), groups_.end(), [&](const Group& other) {
      const double reach = lengths[i] + other.distance;
      const double scale = apart * apart + reach * reach + std::abs(group.lowest_bias) +
                           std::abs(other.distance_bias);
      return apart * apart + group.lowest_bias - (reach * reach + other.distance_bias) >
             kRounding * scale;
    });
    if (!beaten) return false;
  }
  return true;
}

// By the definition, bias included.
void GroupedCodebook::measure_distances(const float* rows, int64_t count, const int64_t* codes,
                                        double* distances) const {
  squared_distances(rows, count, table_.dim, table_.rows, codes, distances);
  for (int64_t i = 0; i < count; ++i)
    distances[i] += table_.bias_of(static_cast<int32_t>(codes[i]));
}

// The groups that may have the nearest code of a row; the row that is not finite, or -1.
int64_t GroupedCodebook::find_groups(const float* rows, int64_t count, Scratch& scratch,
                                     std::vector<const Group*>& found) const {
  double* lengths = scratch.lengths.reserve(count);
  for (int64_t i = 0; i < count; ++i) {
    lengths[i] = std::sqrt(squared_distance(rows + i * table_.dim, centre_, table_.dim));
    if (!std::isfinite(lengths[i])) return i;
  }
  for (const Group& group : groups_) {
    if (!out_of_reach(group, lengths, count)) found.push_back(&group);
  }
  return -1;
}

int64_t GroupedCodebook::search(const Level& level, const float* rows, int64_t count,
                                Scratch& scratch, int64_t* codes) const {
  if (groups_.size() == 1) return search_group(groups_[0], level, rows, count, scratch, codes);
  std::vector<const Group*> found;
  const int64_t bad = find_groups(rows, count, scratch, found);
  if (bad >= 0) return bad;
  search_group(*found[0], level, rows, count, scratch, codes);
  if (found.size() == 1) return -1;
  int64_t* challengers = scratch.challengers.reserve(count);
  double* distances = scratch.distances.reserve(2 * count);
  double* challenges = distances + count;
  measure_distances(rows, count, codes, distances);
  for (size_t g = 1; g < found.size(); ++g) {
    search_group(*found[g], level, rows, count, scratch, challengers);
    measure_distances(rows, count, challengers, challenges);
    for (int64_t i = 0; i < count; ++i) {
      const bool tie = challenges[i] == distances[i] && challengers[i] < codes[i];
      if (!(challenges[i] < distances[i]) && !tie) continue;
      codes[i] = challengers[i];
      distances[i] = challenges[i];
    }
  }
  return -1;
}

}  // namespace vqcodec
