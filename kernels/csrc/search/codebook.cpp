#include "codebook.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "floating_point.hpp"

namespace vqcodec {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
// Up to this squared length no code's square overflows float32 once the mean was taken off.
constexpr double kMostCentred = 1e37;

}  // namespace

int64_t PackedCodebook::pack(const Rows& codes, const float* bias, PanelShape shape) {
  size_ = codes.count;
  dim_ = codes.dim;
  shape_ = shape;
  panels_ = (size_ + shape.width() - 1) / shape.width();
  const int64_t last = size_ - (panels_ - 1) * shape.width();
  last_vectors_ = static_cast<int>((last + shape.lanes - 1) / shape.lanes);
  last_valid_ = (uint64_t{1} << last) - 1;
  const int64_t padded = panels_ * shape.width();

  rows_ = codes.type == Type::kFloat32 ? static_cast<const float*>(codes.data)
                                       : codes.floats(0, size_, copy_.reserve(size_ * dim_));
  fill_panels(exact_.reserve(padded * dim_));
  squares_.resize(padded);
  measure_squares(exact_.data());
  for (int64_t k = 0; k < size_; ++k) {
    // No finite float32 is so large that float64 could not hold its square.
    if (!std::isfinite(squares_[k])) return k;
  }
  centre();
  bias_.clear();
  if (bias) {
    bias_.assign(bias, bias + size_);
    bias_.resize(padded, 0.0f);
  }
  fill_offsets(bias);
  return -1;
}

void PackedCodebook::fill_panels(float* panels) const {
  for (int64_t p = 0; p < panels_; ++p) {
    const int width = vectors(p) * shape_.lanes;
    const int64_t count = std::min<int64_t>(size_ - first_code(p), width);
    const float* codes = rows_ + first_code(p) * dim_;
    float* panel = panels + p * shape_.width() * dim_;
    for (int64_t d = 0; d < dim_; ++d) {
      float* lanes = panel + d * width;
      for (int64_t lane = 0; lane < count; ++lane) lanes[lane] = codes[lane * dim_ + d];
      std::fill(lanes + count, lanes + width, 0.0f);
    }
  }
}

void PackedCodebook::measure_squares(const float* panels) {
  for (int64_t p = 0; p < panels_; ++p) {
    const int width = vectors(p) * shape_.lanes;
    const float* panel = panels + p * shape_.width() * dim_;
    double* squares = squares_.data() + first_code(p);
    std::fill(squares, squares + width, 0.0);
    int64_t d = 0;
    // Two values at a time: the sums go through memory half as often.
    for (; d + 2 <= dim_; d += 2, panel += 2 * width) {
      for (int lane = 0; lane < width; ++lane) {
        const double even = panel[lane], odd = panel[width + lane];
        squares[lane] += even * even + odd * odd;
      }
    }
    for (int lane = 0; d < dim_ && lane < width; ++lane) {
      const double value = panel[lane];
      squares[lane] += value * value;
    }
  }
  largest_square_ = *std::max_element(squares_.begin(), squares_.begin() + size_);
}

// Rounding errors grow with the lengths of rows and codes, so codes that lie far from the origin
// are moved there if that makes them much shorter; if not, they are kept once, not twice. The mean
// of one that is nearly infinite would take all others along.
void PackedCodebook::centre() {
  std::vector<double> total(dim_, 0.0);
  for (int64_t k = 0; k < size_; ++k) {
    for (int64_t d = 0; d < dim_; ++d) total[d] += rows_[k * dim_ + d];
  }
  mean_.assign(dim_ + shape_.lanes, 0.0f);
  double mean_square = 0;
  for (int64_t d = 0; d < dim_; ++d) {
    mean_[d] = static_cast<float>(total[d] / static_cast<double>(size_));
    mean_square += static_cast<double>(mean_[d]) * mean_[d];
  }
  const double plain = largest_square_;
  if (plain > kMostCentred) return mean_.clear();
  // The longest code shrinks by no more than the mean's length.
  if (mean_square * 16 < plain) return mean_.clear();
  float* centred = centred_.reserve(panels_ * shape_.width() * dim_);
  for (int64_t p = 0; p < panels_; ++p) {
    const int width = vectors(p) * shape_.lanes;
    const int64_t start = p * shape_.width() * dim_;
    for (int64_t d = 0; d < dim_; ++d) {
      const float* from = exact_.data() + start + d * width;
      float* to = centred + start + d * width;
      for (int lane = 0; lane < width; ++lane) to[lane] = from[lane] - mean_[d];
    }
  }
  measure_squares(centred);
  if (largest_square_ * 2 <= plain) return;
  mean_.clear();
  measure_squares(exact_.data());
}

void PackedCodebook::fill_offsets(const float* bias) {
  const int64_t padded = panels_ * shape_.width();
  float* offsets = offsets_.reserve(padded);
  double largest_offset = 0;
  double largest_bias = 0;
  allowed_ = 0;
  for (int64_t k = size_ - 1; k >= 0; --k) {
    if (bias && std::isinf(bias[k])) continue;
    ++allowed_;
    first_allowed_ = k;
  }
  for (int64_t k = 0; k < size_; ++k) {
    const double added = bias ? bias[k] : 0.0f;
    const double offset = squares_[k] + added;
    offsets[k] = static_cast<float>(offset);
    largest_offset = std::max(largest_offset, std::abs(offset));
    largest_bias = std::max(largest_bias, std::abs(added));
  }
  std::fill(offsets + size_, offsets + padded, kInfinity);
  measured_ = {static_cast<double>(dim_), !mean_.empty(), largest_square_, largest_offset,
               largest_bias};
  bound_ = ErrorBound::of_floats(measured_);
}

void PackedCodebook::split() {
  pieces_.reserve(panels_, shape_.vectors, dim_);
  for (int64_t p = 0; p < panels_; ++p) {
    pieces_.fill(p, filter(p), static_cast<int64_t>(vectors(p)) * shape_.lanes);
  }
  pieces_bound_ = ErrorBound::of_pieces(measured_);
}

}  // namespace vqcodec
