// Logits mixed by sets of weights, and what the sets say mixed once more.

#ifndef VQCODEC_PREDICT_RESIDUAL_MIXER_HPP_
#define VQCODEC_PREDICT_RESIDUAL_MIXER_HPP_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../entropy/logistic.hpp"
#include "../entropy/vector.hpp"
#include "surroundings.hpp"

namespace vqcodec {

// A lane for each context, and one for a constant.
constexpr int kResidualLanes = 16;
static_assert(kResidualContexts < kResidualLanes);
// A logit and a confidence for each lane.
constexpr int kResidualInputs = 2 * kResidualLanes;
constexpr int kMixers = 3;

// Logits, then confidences; each |input| <= kMaxLogit.
using ResidualInputs = std::array<int16_t, kResidualInputs>;
using ResidualSets = std::array<int32_t*, kMixers>;

constexpr int32_t kMaxResidualWeight = 1 << 22;

// The sums of inputs times weights, for each set. A weight is cut into 12 bits above and 11 below,
// so that products of 16 bits do, of which a vector holds twice as many.
VQCODEC_VECTOR_CLONES inline void weigh(const int16_t* inputs, const ResidualSets& sets,
                                        int64_t* sums) {
  for (int m = 0; m < kMixers; ++m) {
    int16_t above[kResidualInputs], below[kResidualInputs];
    for (int i = 0; i < kResidualInputs; ++i) {
      above[i] = static_cast<int16_t>(sets[m][i] >> 11);
      below[i] = static_cast<int16_t>(sets[m][i] & 2047);
    }
    int32_t high = 0, low = 0;
    for (int i = 0; i < kResidualInputs; ++i) high += int32_t{inputs[i]} * above[i];
    for (int i = 0; i < kResidualInputs; ++i) low += int32_t{inputs[i]} * below[i];
    sums[m] = int64_t{high} * 2048 + low;
  }
}

// Moves each set by its error. |error| <= 2^18.9, so the product stays within 32 bits.
VQCODEC_VECTOR_CLONES inline void move_weights(const int16_t* inputs, const int32_t* errors,
                                               const ResidualSets& sets) {
  constexpr int kShift = 18;
  for (int m = 0; m < kMixers; ++m) {
    int32_t* weights = sets[m];
    for (int i = 0; i < kResidualInputs; ++i) {
      const int32_t step = (inputs[i] * errors[m] + (1 << (kShift - 1))) >> kShift;
      weights[i] = std::min(std::max(weights[i] + step, -kMaxResidualWeight), kMaxResidualWeight);
    }
  }
}

// How fast a set learns that was used so often before, from 112 down to 16.
struct MixerRates {
  std::array<int32_t, 256> of{};
  constexpr MixerRates() {
    for (int uses = 0; uses < 256; ++uses) of[uses] = 16 + 96 * 32 / (32 + uses);
  }
};
inline constexpr MixerRates kMixerRates{};

// Weights are in units of 2^-16. Each mixer uses one of its sets, as the choice says.
class ResidualMixer {
 public:
  using Choice = std::array<std::size_t, kMixers>;

  // sets: how many each mixer has. nodes: how many sets the last mixer has.
  ResidualMixer(const Choice& sets, std::size_t nodes)
      : last_(nodes * kMixers, (1 << 16) / kMixers) {
    for (int m = 0; m < kMixers; ++m) {
      uses_[m].assign(sets[m], 0);
      weights_[m].assign(sets[m] * kResidualInputs, 0);
      for (std::size_t i = 0; i < weights_[m].size(); ++i) {
        if (i % kResidualInputs < kResidualContexts) weights_[m][i] = kFirstWeight;
      }
    }
  }

  // Calls visit(weights, uses) for each mixer, then visit_last(weights): all that learns.
  template <typename Visit, typename VisitLast>
  void visit(const Visit& visit, const VisitLast& visit_last) {
    for (int m = 0; m < kMixers; ++m) visit(weights_[m], uses_[m]);
    visit_last(last_);
  }

  // The probability of a 1; remembers the choice for learn().
  int mix(const ResidualInputs& inputs, const Choice& choice, std::size_t node) {
    for (int m = 0; m < kMixers; ++m) {
      sets_[m] = &weights_[m][choice[m] * kResidualInputs];
      used_[m] = &uses_[m][choice[m]];
    }
    node_weights_ = &last_[node * kMixers];
    std::array<int64_t, kMixers> sums;
    weigh(inputs.data(), sets_, sums.data());
    int64_t sum = 0;
    for (int m = 0; m < kMixers; ++m) {
      logits_[m] = clamped(sums[m]);
      sum += int64_t{logits_[m]} * node_weights_[m];
    }
    one_ = logistic_.squash(clamped(sum));
    return one_;
  }

  // Moves all weights that were used down the gradient of the cost of this bit.
  void learn(const ResidualInputs& inputs, bool bit) {
    const int32_t target = bit ? 65536 : 0;
    std::array<int32_t, kMixers> errors;
    for (int m = 0; m < kMixers; ++m) {
      uint8_t& uses = *used_[m];
      errors[m] = (target - logistic_.squash(logits_[m])) * kMixerRates.of[uses] >> 4;
      uses += uses < kMostUses;
      constexpr int kShift = 18;
      const int32_t step = (logits_[m] * (target - one_) + (1 << (kShift - 1))) >> kShift;
      node_weights_[m] = std::clamp(node_weights_[m] + step, -kMostLast, kMostLast);
    }
    move_weights(inputs.data(), errors.data(), sets_);
  }

 private:
  static constexpr int32_t kFirstWeight = 7000;
  static constexpr int32_t kMostLast = 1 << 20;
  static constexpr int kMostUses = 255;

  static int clamped(int64_t sum) {
    return static_cast<int>(std::clamp<int64_t>(sum >> 16, -kMaxLogit, kMaxLogit));
  }

  std::array<std::vector<int32_t>, kMixers> weights_;
  std::array<std::vector<uint8_t>, kMixers> uses_;
  std::vector<int32_t> last_;
  const Logistic& logistic_ = Logistic::tables();
  // What the last bit used.
  ResidualSets sets_{};
  std::array<uint8_t*, kMixers> used_{};
  int32_t* node_weights_ = nullptr;
  std::array<int32_t, kMixers> logits_{};
  int one_ = 0;
};

}  // namespace vqcodec

#endif  // VQCODEC_PREDICT_RESIDUAL_MIXER_HPP_
