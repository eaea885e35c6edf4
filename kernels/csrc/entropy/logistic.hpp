// The logistic function and its inverse as integer tables, made by integer arithmetic alone.
//
// A probability is in units of 2^-16; a logit, ln(p / (1 - p)), is in units of 1/256.

#ifndef VQCODEC_ENTROPY_LOGISTIC_HPP_
#define VQCODEC_ENTROPY_LOGISTIC_HPP_

#include <algorithm>
#include <array>
#include <cstdint>

namespace vqcodec {

constexpr int kMaxLogit = 2815;
constexpr int kProbabilityBits = 12;

class Logistic {
 public:
  static const Logistic& tables() {
    static const Logistic instance;
    return instance;
  }

  // Probability in [1, 65535] of a logit, which is clamped to +-kMaxLogit.
  int squash(int64_t logit) const {
    const auto clamped = std::clamp<int64_t>(logit, -kMaxLogit, kMaxLogit);
    return squash_[static_cast<std::size_t>(clamped + kMaxLogit)];
  }

  // Logit of the middle of the p-th of 4096 equal cells of probability.
  int stretch(uint32_t p) const { return stretch_[p]; }

  // exp(-drop) in units of 2^-16, at least 1, for drop in [0, kMaxLogit + 1] in units of 1/256; the
  // last entry is that of every larger drop.
  const uint32_t* decays() const { return decays_.data(); }

 private:
  Logistic() {
    // exp(-1/256) in units of 2^-32; each power is rounded to the nearest unit.
    constexpr uint64_t kStep = 4278222805u;
    uint64_t power = uint64_t{1} << 32;
    for (int logit = 0; logit <= kMaxLogit; ++logit) {
      const auto p = static_cast<int>((uint64_t{1} << 48) / ((uint64_t{1} << 32) + power));
      squash_[kMaxLogit + logit] = std::min(p, 65535);
      squash_[kMaxLogit - logit] = 65536 - squash_[kMaxLogit + logit];
      decays_[logit] = static_cast<uint32_t>(power >> 16);
      power = (power * kStep + (uint64_t{1} << 31)) >> 32;
    }
    decays_[kMaxLogit + 1] = 1;
    constexpr int kHalf = 1 << (kProbabilityBits - 1);
    int logit = 0;
    for (int p = kHalf; p < 2 * kHalf; ++p) {
      while (squash(logit) < 16 * p + 8) ++logit;
      stretch_[p] = static_cast<int16_t>(logit);
      stretch_[2 * kHalf - 1 - p] = static_cast<int16_t>(-logit);
    }
  }

  std::array<int, 2 * kMaxLogit + 1> squash_{};
  std::array<uint32_t, kMaxLogit + 2> decays_{};
  std::array<int16_t, 1 << kProbabilityBits> stretch_{};
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_LOGISTIC_HPP_
