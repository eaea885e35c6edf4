// Logits mixed by weights that keep learning.

#ifndef VQCODEC_ENTROPY_MIXER_HPP_
#define VQCODEC_ENTROPY_MIXER_HPP_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "logistic.hpp"
#include "mixing_start.hpp"
#include "vector.hpp"

namespace vqcodec {

constexpr int kStoredWeightShift = 4;
// How slowly the weights learn.
constexpr int kLearningShift = 18;

using Inputs = std::array<int32_t, kInputs>;

constexpr int32_t kMaxWeight = 1 << 22;

VQCODEC_VECTOR_CLONES inline int64_t weighted_sum(const int32_t* inputs, const int32_t* weights) {
  int64_t sum = 0;
  for (int i = 0; i < kInputs; ++i) sum += int64_t{inputs[i]} * weights[i];
  return sum;
}

// |inputs| <= 2815 and |error| < 2^16, so the product stays within 32 bits.
VQCODEC_VECTOR_CLONES inline void descend(const int32_t* inputs, int32_t error, int32_t* weights) {
  for (int i = 0; i < kInputs; ++i) {
    const int32_t step = (inputs[i] * error + (1 << (kLearningShift - 1))) >> kLearningShift;
    weights[i] = std::min(std::max(weights[i] + step, -kMaxWeight), kMaxWeight);
  }
}

// Weighted sums of the inputs; a set of weights is kInputs numbers in units of 2^-16.
class Mixer {
 public:
  explicit Mixer(std::size_t sets) : weights_(sets * kInputs) {}

  void load(const int16_t* stored) {
    for (int32_t& weight : weights_) weight = *stored++ * (1 << kStoredWeightShift);
  }

  void store(int16_t* stored) const {
    for (const int32_t weight : weights_) {
      *stored++ = static_cast<int16_t>(std::clamp(weight >> kStoredWeightShift, -32768, 32767));
    }
  }

  // Returns the mixed logit, within +-kMaxLogit, and remembers the set for learn().
  int mix(const Inputs& inputs, std::size_t set) {
    set_ = &weights_[set * kInputs];
    const int64_t sum = weighted_sum(inputs.data(), set_);
    logit_ = static_cast<int>(std::clamp<int64_t>(sum >> 16, -kMaxLogit, kMaxLogit));
    return logit_;
  }

  // Moves the weights of the last set down the gradient of the cost of this bit.
  void learn(const Inputs& inputs, bool bit, const Logistic& logistic) {
    const int32_t error = (bit ? 65536 : 0) - logistic.squash(logit_);
    descend(inputs.data(), error, set_);
  }

 private:
  std::vector<int32_t> weights_;
  int32_t* set_ = nullptr;
  int logit_ = 0;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_MIXER_HPP_
