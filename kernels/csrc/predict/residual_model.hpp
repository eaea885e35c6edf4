// Adaptive context mixing of residuals, in integers only.
//
// A residual is coded as decisions: whether it is another one than 0; whether it is negative; then
// how many bits follow the leading one of its magnitude, in unary, and these bits, of which the
// first three are modelled. Each context keeps a counter for each decision; mixers weigh what the
// counters say.

#ifndef VQCODEC_PREDICT_RESIDUAL_MODEL_HPP_
#define VQCODEC_PREDICT_RESIDUAL_MODEL_HPP_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "../entropy/counters.hpp"
#include "../entropy/logistic.hpp"
#include "../entropy/vector.hpp"
#include "residual_mixer.hpp"
#include "surroundings.hpp"

namespace vqcodec {

// How far probabilities are from a half, the less the seldomer they were seen. slots: see Counters.
VQCODEC_VECTOR_CLONES inline void confide(const uint32_t* slots, int16_t* confidences) {
  for (int i = 0; i < kResidualLanes; ++i) {
    const auto p = static_cast<int32_t>(slots[i] >> 20);
    const auto trust = static_cast<int32_t>(std::min(slots[i] & 1023u, 16u));
    confidences[i] = static_cast<int16_t>(((p - 2048) * trust) >> 4);
  }
}

// What Counters::updated makes of slots; products are cut in two, to stay within 32 bits.
VQCODEC_VECTOR_CLONES inline void count(uint32_t* slots, const int32_t* rates, bool bit,
                                        uint32_t limit) {
  const int32_t target = bit ? (1 << 22) - 1 : 0;
  for (int i = 0; i < kResidualLanes; ++i) {
    const auto p = static_cast<int32_t>(slots[i] >> 10);
    const int32_t error = target - p;
    const int32_t step = ((error >> 8) * rates[i] + (((error & 255) * rates[i]) >> 8)) >> 8;
    slots[i] = static_cast<uint32_t>(p + step) << 10 | std::min((slots[i] & 1023u) + 1, limit);
  }
}

class ResidualModel {
 public:
  ResidualModel() : mixer_({kNodes, kErrorClasses * kKinds, kTextureClasses * kKinds}, kNodes) {
    std::size_t count = 0;
    for (int c = 0; c < kResidualContexts; ++c) {
      first_[c] = count;
      count += static_cast<std::size_t>(kResidualSizes[c]) * kNodes;
    }
    slots_.reset(static_cast<uint32_t*>(std::calloc(count, sizeof(uint32_t))));
    if (slots_ == nullptr) throw std::bad_alloc();
  }

  // Codes a residual, |residual| < 2^31, and returns it. Coder: bool code(bool bit, uint32_t one),
  // which returns the bit that was coded; a decoder ignores the bit that it is given.
  template <typename Coder>
  int32_t code(Coder& coder, const ResidualContexts& contexts, int32_t residual) {
    for (int c = 0; c < kResidualContexts; ++c) {
      nodes_[c] = &slots_[first_[c] + contexts.values[c] * kNodes];
#if defined(__GNUC__)
      __builtin_prefetch(nodes_[c], 1);
#endif
    }
    if (!code_bit(coder, contexts, 0, 0, residual != 0)) return 0;
    const bool negative = code_bit(coder, contexts, 1, 1, residual < 0);
    const auto wanted = static_cast<uint32_t>(std::abs(residual));
    int below = 0;
    while (below < kMostBelow &&
           code_bit(coder, contexts, std::min(2 + below, 5), std::min(2 + below, kFirstBits - 1),
                    wanted >> (below + 1) != 0)) {
      ++below;
    }
    const auto magnitude = static_cast<int32_t>(code_below(coder, contexts, below, wanted));
    return negative ? -magnitude : magnitude;
  }

 private:
  // Nodes of the bits that follow a leading one: eight for each number of them, up to 27.
  static constexpr int kFirstBits = 32;
  static constexpr std::size_t kNodes = 256;
  // Kinds of decisions: 0 or not, sign, four of the unary number, first and further bits.
  static constexpr std::size_t kKinds = 8;
  static constexpr int kMostBelow = 30;
  static constexpr uint32_t kCounterLimit = 127;
  static constexpr int16_t kConstant = 256;

  template <typename Coder>
  uint32_t code_below(Coder& coder, const ResidualContexts& contexts, int count, uint32_t wanted) {
    const int first = kFirstBits + 8 * std::min(count, 27);
    uint32_t magnitude = 1;
    for (int i = 0; i < count; ++i) {
      const bool bit = wanted >> (count - 1 - i) & 1;
      const bool coded = i < 3 ? code_bit(coder, contexts, i == 0 ? 6 : 7, first + magnitude, bit)
                               : coder.code(bit, 1u << 15);
      magnitude = 2 * magnitude + coded;
    }
    return magnitude;
  }

  template <typename Coder>
  bool code_bit(Coder& coder, const ResidualContexts& contexts, std::size_t kind, uint32_t node,
                bool bit) {
    std::array<uint32_t, kResidualLanes> slots;
    std::array<int32_t, kResidualLanes> rates;
    ResidualInputs inputs;
    for (int c = 0; c < kResidualContexts; ++c) slots[c] = nodes_[c][node] ^ Counters::kUnknown;
    slots[kResidualContexts] = Counters::kUnknown;
    for (int c = 0; c < kResidualLanes; ++c) {
      inputs[c] = static_cast<int16_t>(logistic_.stretch(slots[c] >> 20));
      rates[c] = kCounterRates.of[slots[c] & 1023u];
    }
    inputs[kResidualContexts] = kConstant;
    confide(slots.data(), &inputs[kResidualLanes]);
    const int one = mixer_.mix(
        inputs, {node, contexts.error * kKinds + kind, contexts.texture * kKinds + kind}, node);
    bit = coder.code(bit, static_cast<uint32_t>(one));
    mixer_.learn(inputs, bit);
    count(slots.data(), rates.data(), bit, kCounterLimit);
    for (int c = 0; c < kResidualContexts; ++c) nodes_[c][node] = slots[c] ^ Counters::kUnknown;
    return bit;
  }

  struct Free {
    void operator()(uint32_t* slots) const { std::free(slots); }
  };

  // A small field touches few of its counters, and memory that is zero costs nothing until then: a
  // slot is kept as what it differs by from an unknown one.
  std::unique_ptr<uint32_t[], Free> slots_;
  std::array<std::size_t, kResidualContexts> first_{};
  // Of the residual that is being coded: where each context's nodes are.
  std::array<uint32_t*, kResidualContexts> nodes_{};
  const Logistic& logistic_ = Logistic::tables();
  ResidualMixer mixer_;
};

}  // namespace vqcodec

#endif  // VQCODEC_PREDICT_RESIDUAL_MODEL_HPP_
