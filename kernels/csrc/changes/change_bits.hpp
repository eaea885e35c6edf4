// What is learned of decisions: a counter for each context, and mixers that weigh what they say.

#ifndef VQCODEC_CHANGES_CHANGE_BITS_HPP_
#define VQCODEC_CHANGES_CHANGE_BITS_HPP_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "../entropy/counters.hpp"
#include "../entropy/logistic.hpp"
#include "../predict/residual_mixer.hpp"
#include "decisions.hpp"

namespace vqcodec {

// Values of the contexts of a kind, and the two classes that choose weights, in [0, kClasses).
struct ChangeContexts {
  std::array<uint32_t, kMostContexts> values{};
  uint32_t first_class = 0, second_class = 0;
};

// All that coding learns, as a model file holds it.
struct ChangeState {
  std::vector<uint16_t> counters;
  std::vector<int32_t> weights;
  std::vector<uint8_t> uses;
};

class ChangeBits {
 public:
  ChangeBits(int stages, int depth)
      : decisions_(stages, depth),
        slots_(decisions_.slots(), Counters::kUnknown),
        mixer_({decisions_.steps(), decisions_.groups() * kClasses, decisions_.groups() * kClasses},
               decisions_.steps()) {}

  // Codes a decision and learns from it. level: as of Decisions::step. Coder: bool code(bool bit,
  // uint32_t one), which returns the bit that was coded; a decoder ignores the one it is given.
  template <typename Coder>
  bool code(Coder& coder, int kind, std::size_t node, int level, const ChangeContexts& contexts,
            bool bit) {
    std::array<uint32_t*, kMostContexts> slots;
    ResidualInputs inputs{};
    const int count = contexts_of(kind);
    for (int c = 0; c < count; ++c) {
      slots[c] = &slots_[decisions_.slot(kind, c, contexts.values[c], node)];
      const auto p = static_cast<int32_t>(*slots[c] >> 20);
      const auto trust = static_cast<int32_t>(std::min(*slots[c] & 1023u, 16u));
      inputs[c] = Logistic::tables().stretch(p);
      inputs[kResidualContexts + c] = ((p - 2048) * trust) >> 4;
    }
    inputs[2 * kResidualContexts] = 256;
    const std::size_t step = decisions_.step(kind, node, level);
    const std::size_t group = decisions_.group(kind, level) * kClasses;
    const int one = mixer_.mix(
        inputs, {step, group + contexts.first_class, group + contexts.second_class}, step);
    bit = coder.code(bit, static_cast<uint32_t>(one));
    mixer_.learn(inputs, bit);
    for (int c = 0; c < count; ++c) *slots[c] = Counters::updated(*slots[c], bit);
    return bit;
  }

  // What was learned, in the precision that a model file has.
  ChangeState state() {
    ChangeState state;
    for (const uint32_t slot : slots_) {
      const uint32_t probability = slot >> 20, trust = std::min(slot & 1023u, 15u);
      state.counters.push_back(static_cast<uint16_t>(probability << 4 | trust));
    }
    mixer_.visit(
        [&](std::vector<int32_t>& weights, std::vector<uint8_t>& uses) {
          state.weights.insert(state.weights.end(), weights.begin(), weights.end());
          state.uses.insert(state.uses.end(), uses.begin(), uses.end());
        },
        [&](std::vector<int32_t>& last) {
          state.weights.insert(state.weights.end(), last.begin(), last.end());
        });
    return state;
  }

  // Starts from what was learned before; false if its sizes are not those of this model.
  bool start(const ChangeState& state) {
    const ChangeState own = this->state();
    if (state.counters.size() != own.counters.size() ||
        state.weights.size() != own.weights.size() || state.uses.size() != own.uses.size()) {
      return false;
    }
    std::transform(state.counters.begin(), state.counters.end(), slots_.begin(), Counters::unpack);
    auto weight = state.weights.begin();
    auto use = state.uses.begin();
    const auto take = [&](std::vector<int32_t>& weights) {
      for (int32_t& w : weights) w = std::clamp(*weight++, -(1 << 22), 1 << 22);
    };
    mixer_.visit(
        [&](std::vector<int32_t>& weights, std::vector<uint8_t>& uses) {
          take(weights);
          for (uint8_t& u : uses) u = *use++;
        },
        take);
    return true;
  }

 private:
  static int contexts_of(int kind) {
    int count = 0;
    while (count < kMostContexts && kContextValues[kind][count] > 0) ++count;
    return count;
  }

  Decisions decisions_;
  std::vector<uint32_t> slots_;
  ResidualMixer mixer_;
};

}  // namespace vqcodec

#endif  // VQCODEC_CHANGES_CHANGE_BITS_HPP_
