// Values coded row by row, each predicted from those before it.

#ifndef VQCODEC_PREDICT_RASTER_HPP_
#define VQCODEC_PREDICT_RASTER_HPP_

#include <algorithm>
#include <array>
#include <cstdint>

#include "field.hpp"
#include "quantizer.hpp"
#include "residual_model.hpp"
#include "surroundings.hpp"

namespace vqcodec {

// A prediction is W and a sum of differences: nine in the slice, nine to each slice before.
constexpr int kDifferences = 9;
constexpr int kCoefficients = 3 * kDifferences;
constexpr int kCoefficientBits = 12;

// The median of W, N and W + N - NW (Weinberger, Seroussi and Sapiro, LOCO-I, 2000).
inline int64_t median_of(int64_t w, int64_t n, int64_t nw) {
  const auto [low, high] = std::minmax(w, n);
  return std::clamp(w + n - nw, low, high);
}

class Raster {
 public:
  // coefficients: (4, kCoefficients) in units of 2^-12; the row is 1 where there is a slice before
  // along the inner axis, plus 2 where there is one along the outer axis. Null: the median.
  Raster(Field& field, const Quantizer& quantizer, const int16_t* coefficients)
      : field_(field), quantizer_(quantizer), scale_(quantizer), coefficients_(coefficients) {}

  // Codes all values. targets: what they are, ignored by a decoder; missing: not 0 where a value is
  // not coded but predicted, or null; out: what they decode to.
  template <typename Coder>
  void code(Coder& coder, ResidualModel& model, const int64_t* targets, const uint8_t* missing,
            int64_t* out) {
    const FieldShape& shape = field_.shape();
    for (int64_t o = 0; o < shape.outer; ++o) {
      for (int64_t i = 0; i < shape.inner; ++i) {
        start_slice(o, i);
        for (int64_t y = 0; y < shape.rows; ++y) {
          const int64_t first = shape.row_number(o, i, y) * shape.columns;
          code_row(coder, model, field_.values().row(o, i, y), field_.residuals().row(o, i, y), y,
                   Coder::kWrites ? targets + first : nullptr,
                   missing == nullptr ? nullptr : missing + first);
          std::copy_n(field_.values().row(o, i, y), shape.columns, out + first);
        }
      }
    }
  }

 private:
  void start_slice(int64_t o, int64_t i) {
    const FieldShape& shape = field_.shape();
    slice_b_ = i > 0 ? field_.values().slice() : 0;
    slice_a_ = o > 0 ? field_.values().slice() * shape.inner : 0;
    residual_b_ = i > 0 ? field_.residuals().slice() : 0;
    residual_a_ = o > 0 ? field_.residuals().slice() * shape.inner : 0;
    slice_coefficients_ = coefficients_ == nullptr
                              ? nullptr
                              : coefficients_ + ((i > 0) + 2 * (o > 0)) * kCoefficients;
  }

  template <typename Coder>
  void code_row(Coder& coder, ResidualModel& model, int64_t* values, int32_t* residuals, int64_t y,
                const int64_t* targets, const uint8_t* missing) {
    const int64_t columns = field_.shape().columns, pitch = field_.values().pitch();
    values[-1] = values[-2] =
        y > 0 ? values[-pitch] : std::clamp<int64_t>(0, quantizer_.lowest(), quantizer_.highest());
    for (int64_t x = 0; x < columns; ++x) {
      int64_t* value = values + x;
      if (y == 0) {
        for (int64_t dx = -2; dx <= 2; ++dx) value[dx - pitch] = value[dx - 2 * pitch] = value[-1];
      }
      const int64_t prediction = predict(value);
      if (missing != nullptr && missing[x] != 0) {
        *value = prediction;
        continue;
      }
      const ResidualContexts contexts = scale_.contexts(look(value, residuals + x, prediction));
      const int32_t wanted = Coder::kWrites ? quantizer_.residual(targets[x] - prediction) : 0;
      residuals[x] = model.code(coder, contexts, wanted);
      *value = quantizer_.value(prediction, residuals[x]);
    }
    values[columns] = values[columns + 1] = values[columns - 1];
    if (y == 0) {
      for (int64_t above : {1, 2}) std::copy_n(values - 2, columns + 4, values - 2 - above * pitch);
    }
    if (y == field_.shape().rows - 1) std::copy_n(values - 2, columns + 4, values - 2 + pitch);
  }

  int64_t predict(const int64_t* v) const {
    const int64_t p = field_.values().pitch(), w = v[-1];
    int64_t prediction = 0;
    if (slice_coefficients_ == nullptr) {
      prediction = median_of(w, v[-p], v[-p - 1]);
    } else {
      const int16_t* c = slice_coefficients_;
      const std::array<int64_t, kDifferences> near = {v[-2],     v[-p],         v[-p - 1],
                                                      v[-p + 1], v[-2 * p],     v[-p - 2],
                                                      v[-p + 2], v[-2 * p - 1], v[-2 * p + 1]};
      int64_t sum = int64_t{1} << (kCoefficientBits - 1);
      for (int k = 0; k < kDifferences; ++k) sum += c[k] * (near[k] - w);
      if (slice_b_ != 0) sum += of_slice(v - slice_b_, w, c + kDifferences);
      if (slice_a_ != 0) sum += of_slice(v - slice_a_, w, c + 2 * kDifferences);
      prediction = w + (sum >> kCoefficientBits);
    }
    return std::clamp(prediction, quantizer_.lowest(), quantizer_.highest());
  }

  // before: the same place in a slice that was coded before.
  int64_t of_slice(const int64_t* before, int64_t w, const int16_t* c) const {
    const int64_t p = field_.values().pitch(), before_w = before[-1];
    const std::array<int64_t, kDifferences - 1> near = {
        before[0],      before[1],      before[-p],    before[p],
        before[-p - 1], before[-p + 1], before[p - 1], before[p + 1]};
    int64_t sum = c[0] * (before_w - w);
    for (int k = 0; k < kDifferences - 1; ++k) sum += c[k + 1] * (near[k] - before_w);
    return sum;
  }

  Surroundings look(const int64_t* v, const int32_t* r, int64_t prediction) const {
    const int64_t p = field_.values().pitch(), q = field_.residuals().pitch();
    Surroundings s{};
    s.w = r[-1], s.n = r[-q], s.nw = r[-q - 1], s.ne = r[-q + 1], s.ww = r[-2], s.nn = r[-2 * q];
    s.value_w = v[-1] - prediction, s.value_n = v[-p] - prediction;
    s.value_nw = v[-p - 1] - prediction, s.value_ne = v[-p + 1] - prediction;
    s.value_ww = v[-2] - prediction, s.value_nn = v[-2 * p] - prediction;
    s.other = (slice_coefficients_ == nullptr ? (3 * (v[-1] + v[-p]) - 2 * v[-p - 1]) >> 2
                                              : median_of(v[-1], v[-p], v[-p - 1])) -
              prediction;
    if (residual_b_ != 0) {
      const int32_t* b = r - residual_b_;
      s.b = b[0], s.bw = b[-1], s.be = b[1], s.bn = b[-q], s.bs = b[q];
      s.value_b = v[-slice_b_] - prediction;
    }
    if (residual_a_ != 0) {
      s.a = r[-residual_a_];
      s.value_a = v[-slice_a_] - prediction;
    }
    s.level = prediction - quantizer_.lowest();
    s.place = (residual_b_ != 0) + 2 * (residual_a_ != 0);
    return s;
  }

  Field& field_;
  const Quantizer& quantizer_;
  Scale scale_;
  const int16_t* coefficients_;
  const int16_t* slice_coefficients_ = nullptr;
  // How far back the slices before lie, 0 where there is none.
  int64_t slice_b_ = 0, slice_a_ = 0, residual_b_ = 0, residual_a_ = 0;
};

}  // namespace vqcodec

#endif  // VQCODEC_PREDICT_RASTER_HPP_
