// What one context has learned: an adapting probability for each beginning of a code.

#ifndef VQCODEC_ENTROPY_COUNTERS_HPP_
#define VQCODEC_ENTROPY_COUNTERS_HPP_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vqcodec {

// How far a counter moves that has counted n times, in units of 2^-16: 2 / (2 n + 3).
struct CounterRates {
  static constexpr uint32_t kLimit = 255;
  std::array<int32_t, kLimit + 1> of{};
  constexpr CounterRates() {
    for (uint32_t n = 0; n <= kLimit; ++n) of[n] = static_cast<int32_t>(131072 / (2 * n + 3));
  }
};
inline constexpr CounterRates kCounterRates{};

// A slot is 22 bits of probability above 10 bits of count.
class Counters {
 public:
  static constexpr uint32_t kUnknown = 1u << 31;
  static constexpr uint32_t kLimit = CounterRates::kLimit;
  static constexpr std::size_t kMaxSlots = std::size_t{1} << 18;

  Counters(int values, int depth)
      : depth_(depth), slots_(std::min(kMaxSlots, static_cast<std::size_t>(values) << depth)) {
    hashed_ = slots_.size() < static_cast<std::size_t>(values) << depth;
  }

  void reset() { std::fill(slots_.begin(), slots_.end(), kUnknown); }

  uint32_t& at(uint32_t value, uint32_t node) {
    const uint32_t place = (value << depth_) + node;
    return slots_[hashed_ ? (place * 0x9E3779B1u) >> 14 : place];
  }

  // Asks for a node's slot ahead of time; its sibling is beside it.
  void prefetch(uint32_t value, uint32_t node) const {
#if defined(__GNUC__)
    if (!hashed_) __builtin_prefetch(&slots_[(value << depth_) + node], 1);
#endif
  }

  static uint32_t unpack(uint16_t stored) {
    return (stored & 0xFFF0u) << 16 | 1u << 19 | (stored & 15u);
  }

  // Moves the probability towards the bit, as CounterRates say. limit: the highest count.
  static uint32_t updated(uint32_t slot, bool bit, uint32_t limit = kLimit) {
    const uint32_t count = slot & 1023u;
    const auto p = static_cast<int32_t>(slot >> 10);
    const int64_t error = (bit ? (1 << 22) - 1 : 0) - p;
    const auto moved = static_cast<uint32_t>(p + ((error * kCounterRates.of[count]) >> 16));
    return moved << 10 | std::min(count + 1, limit);
  }

 private:
  int depth_;
  bool hashed_;
  std::vector<uint32_t> slots_;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_COUNTERS_HPP_
