// A source of chance that is the same on every machine: SplitMix64 (Steele, Lea, Flood 2014).

#ifndef VQCODEC_ENTROPY_RANDOM_BITS_HPP_
#define VQCODEC_ENTROPY_RANDOM_BITS_HPP_

#include <cstdint>

namespace vqcodec {

class RandomBits {
 public:
  explicit RandomBits(uint64_t seed) : state_(seed) {}

  // A number in [0, 2^bits), each as likely; bits in [1, 32].
  uint32_t draw(int bits) {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t mixed = state_;
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBu;
    mixed ^= mixed >> 31;
    return static_cast<uint32_t>(mixed >> (64 - bits));
  }

  // A bit that is 1 with the probability `one`, in units of 2^-16.
  bool decision(uint32_t one) { return draw(16) < one; }

 private:
  uint64_t state_;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_RANDOM_BITS_HPP_
