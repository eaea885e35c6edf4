#include "codebook.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "floating_point.hpp"

namespace vqcodec {

namespace {

constexpr double kUnit = 1.0 / (1 << 24);  // half a unit in the last place of 1.0f
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Largest ||code - mean||^2; infinite or NaN only if a code is.
double largest_square(const float* codes, int64_t size, int64_t dim, const float* mean) {
  double largest = 0;
  for (int64_t k = 0; k < size; ++k) {
    double square = 0;
    for (int64_t d = 0; d < dim; ++d) {
      const double value = static_cast<double>(codes[k * dim + d]) - (mean ? mean[d] : 0.0f);
      square += value * value;
    }
    largest = std::max(largest, square);
  }
  return largest;
}

}  // namespace

int64_t PackedCodebook::pack(const Rows& codes, const float* bias, PanelShape shape) {
  size_ = codes.count;
  dim_ = codes.dim;
  shape_ = shape;
  panels_ = (size_ + shape.width() - 1) / shape.width();
  const int64_t last = size_ - (panels_ - 1) * shape.width();
  last_vectors_ = static_cast<int>((last + shape.lanes - 1) / shape.lanes);

  rows_ = codes.floats(0, size_, copy_.reserve(size_ * dim_));
  for (int64_t k = 0; k < size_; ++k) {
    if (!all_finite(rows_ + k * dim_, dim_)) return k;
  }
  choose_mean();
  const int64_t padded = panels_ * shape.width();
  fill_panels(filter_.reserve(padded * dim_), mean());
  if (!mean_.empty()) fill_panels(exact_.reserve(padded * dim_), nullptr);
  bias_.clear();
  if (bias) {
    bias_.assign(bias, bias + size_);
    bias_.resize(padded, 0.0f);
  }
  measure(bias);
  return -1;
}

uint64_t PackedCodebook::valid(int64_t panel) const {
  const int64_t count = std::min<int64_t>(size_ - first_code(panel), shape_.width());
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

// Rounding errors grow with the lengths of rows and codes, so codes that lie far from the origin
// are moved there, if that makes them much shorter; if not, the codes are kept once, not twice.
void PackedCodebook::choose_mean() {
  std::vector<double> total(dim_, 0.0);
  for (int64_t k = 0; k < size_; ++k) {
    for (int64_t d = 0; d < dim_; ++d) total[d] += rows_[k * dim_ + d];
  }
  mean_.resize(dim_);
  double mean_square = 0;
  for (int64_t d = 0; d < dim_; ++d) {
    mean_[d] = static_cast<float>(total[d] / static_cast<double>(size_));
    mean_square += static_cast<double>(mean_[d]) * mean_[d];
  }
  const double plain = largest_square(rows_, size_, dim_, nullptr);
  // A short mean cannot halve the longest code.
  if (mean_square * 16 < plain || largest_square(rows_, size_, dim_, mean_.data()) * 2 > plain) {
    mean_.clear();
  }
}

void PackedCodebook::fill_panels(float* panels, const float* mean) const {
  for (int64_t p = 0; p < panels_; ++p) {
    const int width = vectors(p) * shape_.lanes;
    const int64_t count = std::min<int64_t>(size_ - first_code(p), width);
    float* panel = panels + p * shape_.width() * dim_;
    for (int64_t lane = 0; lane < count; ++lane) {
      const float* code = rows_ + (first_code(p) + lane) * dim_;
      for (int64_t d = 0; d < dim_; ++d)
        panel[d * width + lane] = code[d] - (mean ? mean[d] : 0.0f);
    }
    for (int64_t d = 0; d < dim_; ++d) {
      std::fill(panel + d * width + count, panel + (d + 1) * width, 0.0f);
    }
  }
}

// With x and c the centred row and code, u = 2^-24, C the longest code, Q the largest |offset|:
// the float32 score offset - 2 x.c is within (D + 2) u (Q + 2 X C) of the exact one, by the
// standard bound of a chain of D roundings, one more of the product where there is no fused
// multiply-add, and one of the offset. Centring adds u (4 X C + 2 C^2) where it rounds, beyond
// what is common to all codes, and terms of u^2. The float64 definition itself is off by
// (D + 3) 2^-53 ((X + C)^2 + |bias|). Rounding in the subnormal range adds D 2^-149. A winner and
// its rival err in opposite directions, so all is doubled; the comparison's own rounding is one
// more u (Q + 2 X C).
void PackedCodebook::measure(const float* bias) {
  float* offsets = offsets_.reserve(panels_ * shape_.width());
  double longest_square = 0;
  double largest_offset = 0;
  double largest_bias = 0;
  for (int64_t k = 0; k < size_; ++k) {
    double square = 0;
    for (int64_t d = 0; d < dim_; ++d) {
      const float value = rows_[k * dim_ + d] - (mean_.empty() ? 0.0f : mean_[d]);
      square += static_cast<double>(value) * value;
    }
    const double offset = square + (bias ? bias[k] : 0.0f);
    offsets[k] = static_cast<float>(offset);
    longest_square = std::max(longest_square, square);
    largest_offset = std::max(largest_offset, std::abs(offset));
    if (bias) largest_bias = std::max<double>(largest_bias, std::abs(bias[k]));
  }
  std::fill(offsets + size_, offsets + panels_ * shape_.width(), kInfinity);

  const double dim = static_cast<double>(dim_);
  const double longest = std::sqrt(longest_square) * 1.000001;
  const double chain = 2 * (dim + 4) * kUnit;
  const double centring = mean_.empty() ? 0.0 : 2 * kUnit;
  const double square = 16 * centring * kUnit + (dim + 4) * std::ldexp(1.0, -51);
  const double tiny = (dim + 64) * std::ldexp(1.0, -146);
  // The factor covers the rounding of the bound itself and the 1/(1 - Du) of the chain.
  const double safety = 1.001;
  bound_.constant =
      static_cast<float>(safety * (chain * largest_offset + 2 * centring * longest_square +
                                   square * (longest_square + largest_bias) + tiny));
  bound_.linear = static_cast<float>(safety * (2 * chain + 4 * centring) * longest);
  bound_.square = static_cast<float>(safety * square);
  constexpr double kAlmostOverflow = 1e37;
  bound_.longest = static_cast<float>(
      std::min(kAlmostOverflow, (kAlmostOverflow - largest_offset) / std::max(2 * longest, 1e-30)));
}

}  // namespace vqcodec
