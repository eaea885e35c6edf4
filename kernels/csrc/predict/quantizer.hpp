// Values as whole numbers of steps from a prediction.

#ifndef VQCODEC_PREDICT_QUANTIZER_HPP_
#define VQCODEC_PREDICT_QUANTIZER_HPP_

#include <cstdint>

#include "../entropy/range_coder.hpp"

namespace vqcodec {

// The largest range of values, and the largest number of steps in it; coarse levels have four times
// as many.
constexpr int64_t kMaxSpan = int64_t{1} << 40;
constexpr int64_t kMaxSteps = int64_t{1} << 28;

// For values in [lowest, highest], of which a decoded one is up to half a step off.
// 0 <= highest - lowest <= kMaxSpan, step >= 1, and kMaxSteps steps are not exceeded.
class Quantizer {
 public:
  Quantizer(int64_t lowest, int64_t highest, int64_t step)
      : lowest_(lowest), highest_(highest), step_(step), most_((highest - lowest) / step + 1) {}

  int64_t lowest() const { return lowest_; }
  int64_t highest() const { return highest_; }
  int64_t step() const { return step_; }

  // Rounded to the nearest, halves up.
  int32_t residual(int64_t difference) const {
    const int64_t shifted = difference + (step_ >> 1);
    const int64_t quotient = step_ == 1 ? shifted : shifted / step_;
    return static_cast<int32_t>(quotient - (quotient * step_ > shifted));
  }

  // Throws CorruptPayload for a value that no encoder comes to.
  int64_t value(int64_t prediction, int32_t residual) const {
    if (residual < -most_ || residual > most_) throw CorruptPayload("a value outside its range");
    const int64_t value = prediction + residual * step_;
    if (value < lowest_ - (step_ >> 1) || value > highest_ + (step_ >> 1)) {
      throw CorruptPayload("a value outside its range");
    }
    return value;
  }

 private:
  int64_t lowest_, highest_, step_, most_;
};

}  // namespace vqcodec

#endif  // VQCODEC_PREDICT_QUANTIZER_HPP_
