// Values coded from coarse to fine, each interpolated between coarser ones.
//
// A box of three axes has levels of strides 2^top .. 2, 1. At each level the axes take turns: the
// values halfway between known ones along an axis are predicted from up to four of these.

#ifndef VQCODEC_PREDICT_INTERPOLATION_HPP_
#define VQCODEC_PREDICT_INTERPOLATION_HPP_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "field.hpp"
#include "quantizer.hpp"
#include "residual_model.hpp"
#include "surroundings.hpp"

namespace vqcodec {

constexpr int kBoxAxes = 3;

// The step of a level, counted from the finest: step / min(1.5^level, 4).
inline int64_t tight_step(int64_t step, int level) {
  constexpr std::array<int64_t, 5> kAbove = {1, 2, 4, 8, 1}, kBelow = {1, 3, 9, 27, 4};
  const int l = std::min(level, 4);
  return std::max<int64_t>(step * kAbove[l] / kBelow[l], 1);
}

class Interpolation {
 public:
  // whole: boxes of slices, rows and columns, otherwise each slice is one of its own.
  // tight: smaller steps at coarse levels. out: what values decode to, of the field's shape.
  Interpolation(const FieldShape& shape, const Quantizer& quantizer, bool whole, bool tight,
                int64_t* out)
      : lengths_{whole ? shape.inner : 1, shape.rows, shape.columns},
        strides_{shape.rows * shape.columns, shape.columns, 1},
        size_(lengths_[0] * lengths_[1] * lengths_[2]),
        boxes_(whole ? shape.outer : shape.outer * shape.inner),
        inner_(whole ? 1 : shape.inner),
        out_(out),
        residuals_(static_cast<std::size_t>(boxes_ * size_)) {
    while (int64_t{1} << top_ < *std::max_element(lengths_.begin(), lengths_.end())) ++top_;
    for (int level = 0; level <= top_; ++level) {
      quantizers_.emplace_back(quantizer.lowest(), quantizer.highest(),
                               tight ? tight_step(quantizer.step(), level) : quantizer.step());
      scales_.emplace_back(quantizers_.back());
    }
  }

  // Codes all values. targets: what they are, ignored by a decoder; missing: not 0 where a value is
  // not coded but predicted, or null.
  template <typename Coder>
  void code(Coder& coder, ResidualModel& model, const int64_t* targets, const uint8_t* missing) {
    for (int64_t box = 0; box < boxes_; ++box) {
      values_ = out_ + box * size_;
      bins_ = residuals_.data() + box * size_;
      missing_ = missing == nullptr ? nullptr : missing + box * size_;
      inner_back_ = box % inner_ > 0 ? size_ : 0;
      outer_back_ = box >= inner_ ? inner_ * size_ : 0;
      const int64_t* wanted = Coder::kWrites ? targets + box * size_ : nullptr;
      code_first(coder, model, wanted);
      for (int level = top_ - 1; level >= 0; --level) {
        for (int axis = 0; axis < kBoxAxes; ++axis) {
          if (lengths_[axis] > int64_t{1} << level) code_pass(coder, model, wanted, level, axis);
        }
      }
    }
  }

 private:
  // Places of a pass: spacing along each axis, and how far a neighbour along the pass' axis is.
  struct Pass {
    int level, axis;
    int64_t half;
    std::array<int64_t, kBoxAxes> spacing;
  };
  using Place = std::array<int64_t, kBoxAxes>;
  struct Guess {
    int64_t cubic, linear;
  };

  template <typename Coder>
  void code_first(Coder& coder, ResidualModel& model, const int64_t* targets) {
    const int64_t back = inner_back_ != 0 ? inner_back_ : outer_back_;
    const Quantizer& quantizer = quantizers_[top_];
    const int64_t start = back != 0 ? values_[-back] : 0;
    const int64_t prediction = std::clamp(start, quantizer.lowest(), quantizer.highest());
    Surroundings s{};
    s.level = prediction - quantizer.lowest();
    s.place = kPlaceKinds - 1;
    code_value(coder, model, targets, 0, top_, prediction, s);
  }

  template <typename Coder>
  void code_pass(Coder& coder, ResidualModel& model, const int64_t* targets, int level, int axis) {
    const int64_t half = int64_t{1} << level;
    Pass pass{level, axis, half, {}};
    Place first{};
    for (int k = 0; k < kBoxAxes; ++k) pass.spacing[k] = k < axis ? half : 2 * half;
    first[axis] = half;
    Place at{};
    for (at[0] = first[0]; at[0] < lengths_[0]; at[0] += pass.spacing[0]) {
      for (at[1] = first[1]; at[1] < lengths_[1]; at[1] += pass.spacing[1]) {
        for (at[2] = first[2]; at[2] < lengths_[2]; at[2] += pass.spacing[2]) {
          const int64_t place = at[0] * strides_[0] + at[1] * strides_[1] + at[2];
          const Quantizer& quantizer = quantizers_[level];
          const Guess guess = interpolate(values_ + place, pass, at);
          const int64_t prediction =
              std::clamp(guess.cubic, quantizer.lowest(), quantizer.highest());
          Surroundings s = look(pass, at, place, prediction);
          s.other = guess.linear - prediction;
          s.level = prediction - quantizer.lowest();
          s.place = std::min(level, 4) * kBoxAxes + axis;
          code_value(coder, model, targets, place, level, prediction, s);
        }
      }
    }
  }

  template <typename Coder>
  void code_value(Coder& coder, ResidualModel& model, const int64_t* targets, int64_t place,
                  int level, int64_t prediction, const Surroundings& s) {
    if (missing_ != nullptr && missing_[place] != 0) {
      values_[place] = prediction;
      return;
    }
    const Quantizer& quantizer = quantizers_[level];
    const int32_t wanted = Coder::kWrites ? quantizer.residual(targets[place] - prediction) : 0;
    bins_[place] = model.code(coder, scales_[level].contexts(s), wanted);
    values_[place] = quantizer.value(prediction, bins_[place]);
  }

  // At a place between coarser ones; v may be the same place of a box before.
  Guess interpolate(const int64_t* v, const Pass& pass, const Place& at) const {
    const int64_t here = at[pass.axis], length = lengths_[pass.axis];
    const int64_t step = pass.half * strides_[pass.axis];
    const int64_t left = v[-step];
    if (here + pass.half >= length) {
      const int64_t ahead = here >= 3 * pass.half ? (3 * left - v[-3 * step]) >> 1 : left;
      return {ahead, left};
    }
    const int64_t right = v[step], linear = (left + right + 1) >> 1;
    if (here < 3 * pass.half || here + 3 * pass.half >= length) return {linear, linear};
    return {(9 * (left + right) - v[-3 * step] - v[3 * step] + 8) >> 4, linear};
  }

  Surroundings look(const Pass& pass, const Place& at, int64_t place, int64_t prediction) const {
    const int64_t dx = pass.spacing[2], dy = pass.spacing[1];
    const int64_t down = dy * strides_[1], deep = pass.spacing[0] * strides_[0];
    const bool has_w = at[2] >= dx, has_e = at[2] + dx < lengths_[2], has_n = at[1] >= dy;
    const bool has_s = at[1] + dy < lengths_[1], has_z = at[0] >= pass.spacing[0];
    const int64_t side = pass.half * strides_[pass.axis];
    const bool has_right = at[pass.axis] + pass.half < lengths_[pass.axis];
    const int32_t* r = bins_ + place;
    const int64_t* v = values_ + place;
    Surroundings s{};
    if (has_w) s.w = r[-dx], s.value_ne = v[-dx] - prediction;
    if (has_n) s.n = r[-down], s.value_nw = v[-down] - prediction;
    if (has_n && has_w) s.nw = r[-down - dx];
    if (has_n && has_e) s.ne = r[-down + dx];
    s.ww = r[-side], s.value_w = v[-side] - prediction;
    if (has_right) s.nn = r[side], s.value_n = v[side] - prediction;
    // The box before, or else what was coded of this one along the first axis.
    const int64_t back = inner_back_ != 0 ? inner_back_ : outer_back_;
    const int64_t before = back != 0 ? back : has_z ? deep : 0;
    if (before != 0) {
      const int32_t* b = r - before;
      s.b = b[0];
      if (has_w) s.bw = b[-dx];
      if (has_e) s.be = b[dx];
      if (has_n) s.bn = b[-down];
      if (has_s) s.bs = b[down];
      s.value_b = v[-before] - (back != 0 ? interpolate(v - back, pass, at).cubic : prediction);
    }
    if (inner_back_ != 0 && outer_back_ != 0) {
      s.a = r[-outer_back_];
      s.value_a = v[-outer_back_] - interpolate(v - outer_back_, pass, at).cubic;
    } else if (back != 0 && has_z) {
      s.a = r[-deep];
    }
    return s;
  }

  std::array<int64_t, kBoxAxes> lengths_, strides_;
  int64_t size_, boxes_, inner_;
  int top_ = 0;
  std::vector<Quantizer> quantizers_;
  std::vector<Scale> scales_;
  int64_t* out_;
  std::vector<int32_t> residuals_;
  // Of the box that is being coded; how far back the same place of boxes before lies, or 0.
  int64_t* values_ = nullptr;
  int32_t* bins_ = nullptr;
  const uint8_t* missing_ = nullptr;
  int64_t inner_back_ = 0, outer_back_ = 0;
};

}  // namespace vqcodec

#endif  // VQCODEC_PREDICT_INTERPOLATION_HPP_
