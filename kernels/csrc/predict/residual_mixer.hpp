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

// A logit and a confidence for each context, a constant, and zeros up to whole vectors.
constexpr int kResidualInputs = 32;
static_assert(2 * kResidualContexts + 1 <= kResidualInputs);
constexpr int kMixers = 3;

using ResidualInputs = std::array<int32_t, kResidualInputs>;

VQCODEC_VECTOR_CLONES inline int64_t dot(const int32_t* inputs, const int32_t* weights) {
  int64_t sum = 0;
  for (int i = 0; i < kResidualInputs; ++i) sum += int64_t{inputs[i]} * weights[i];
  return sum;
}

// |inputs| <= 2815 and |error| <= 2^18.9, so the product stays within 32 bits.
VQCODEC_VECTOR_CLONES inline void move_weights(const int32_t* inputs, int32_t error,
                                               int32_t* weights) {
  constexpr int kShift = 18;
  constexpr int32_t kMost = 1 << 22;
  for (int i = 0; i < kResidualInputs; ++i) {
    const int32_t step = (inputs[i] * error + (1 << (kShift - 1))) >> kShift;
    weights[i] = std::min(std::max(weights[i] + step, -kMost), kMost);
  }
}

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
    choice_ = choice;
    node_weights_ = &last_[node * kMixers];
    int64_t sum = 0;
    for (int m = 0; m < kMixers; ++m) {
      logits_[m] = clamped(dot(inputs.data(), set_of(m)));
      sum += int64_t{logits_[m]} * node_weights_[m];
    }
    one_ = Logistic::tables().squash(clamped(sum));
    return one_;
  }

  // Moves all weights that were used down the gradient of the cost of this bit.
  void learn(const ResidualInputs& inputs, bool bit) {
    const int32_t target = bit ? 65536 : 0;
    for (int m = 0; m < kMixers; ++m) {
      uint8_t& uses = uses_[m][choice_[m]];
      const int32_t error = target - Logistic::tables().squash(logits_[m]);
      move_weights(inputs.data(), error * rate(uses) >> 4, set_of(m));
      uses += uses < kMostUses;
      constexpr int kShift = 18;
      const int32_t step = (logits_[m] * (target - one_) + (1 << (kShift - 1))) >> kShift;
      node_weights_[m] = std::clamp(node_weights_[m] + step, -kMostLast, kMostLast);
    }
  }

 private:
  static constexpr int32_t kFirstWeight = 7000;
  static constexpr int32_t kMostLast = 1 << 20;
  static constexpr int kMostUses = 255;

  // How fast a set learns that was used so often before, from 112 down to 16.
  static int32_t rate(int32_t uses) { return 16 + 96 * 32 / (32 + uses); }

  static int clamped(int64_t sum) {
    return static_cast<int>(std::clamp<int64_t>(sum >> 16, -kMaxLogit, kMaxLogit));
  }

  int32_t* set_of(int m) { return &weights_[m][choice_[m] * kResidualInputs]; }

  std::array<std::vector<int32_t>, kMixers> weights_;
  std::array<std::vector<uint8_t>, kMixers> uses_;
  std::vector<int32_t> last_;
  Choice choice_{};
  int32_t* node_weights_ = nullptr;
  std::array<int32_t, kMixers> logits_{};
  int one_ = 0;
};

}  // namespace vqcodec

#endif  // VQCODEC_PREDICT_RESIDUAL_MIXER_HPP_
