// What the model of a residual looks at, boiled down to small numbers.
//
// A residual is how many steps a value lies above its prediction.

#ifndef VQCODEC_PREDICT_SURROUNDINGS_HPP_
#define VQCODEC_PREDICT_SURROUNDINGS_HPP_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "quantizer.hpp"

namespace vqcodec {

// What stands around a value that is about to be coded. What is not there is 0.
struct Surroundings {
  // Residuals: six of the same slice; of the slice before along the inner axis those at the same
  // place and around it; at the same place of the slice before along the outer axis.
  int32_t w, n, nw, ne, ww, nn;
  int32_t b, bw, be, bn, bs;
  int32_t a;
  // How far values lie above the prediction: those at the same places, and another prediction.
  int64_t value_w, value_n, value_nw, value_ne, value_ww, value_nn, value_b, value_a, other;
  // The prediction above the lowest value.
  int64_t level;
  // Which kind of place it is, in [0, kPlaceKinds).
  int place;
};

constexpr int kPlaceKinds = 16;
constexpr int kErrorClasses = 24;
constexpr int kTextureClasses = 16;
constexpr int kLevels = 1024;
constexpr int kResidualContexts = 15;
constexpr std::array<int, kResidualContexts> kResidualSizes = {
    kErrorClasses * kPlaceKinds,
    kErrorClasses * kTextureClasses,
    kErrorClasses * kErrorClasses,
    16 * 16,
    27 * 12,
    41 * 13,
    41 * 13,
    kLevels,
    17 * 17,
    17 * 17,
    1024,
    1024,
    1024,
    1024,
    1024,
};

struct ResidualContexts {
  // Invariant: 0 <= values[c] < kResidualSizes[c].
  std::array<uint32_t, kResidualContexts> values;
  std::size_t error, texture;
};

// Bits of a number that is not 0.
inline uint32_t bit_length(uint64_t number) {
#if defined(__GNUC__)
  return static_cast<uint32_t>(64 - __builtin_clzll(number));
#else
  uint32_t length = 0;
  while (length < 64 && number >> length != 0) ++length;
  return length;
#endif
}

// Classes of a magnitude: 0, 1, 2, 3, 4 to 5, 6 to 7, 8 to 11, 12 to 15; two an octave.
inline uint32_t magnitude_class(uint64_t magnitude, uint32_t classes) {
  // What is left above `top` bits is 0 to 3.
  const uint32_t top = magnitude < 4 ? 0 : bit_length(magnitude) - 2;
  const uint64_t of = magnitude < 2 ? magnitude : 2 * top + (magnitude >> top);
  return static_cast<uint32_t>(std::min<uint64_t>(of, classes - 1));
}

// The class of a number and of its sign, in [0, 2 * half].
inline uint32_t signed_class(int64_t number, uint32_t half) {
  const uint32_t of = magnitude_class(static_cast<uint64_t>(std::abs(number)), half + 1);
  return number < 0 ? half - of : half + of;
}

inline uint32_t hashed(uint64_t key, uint64_t salt) {
  return static_cast<uint32_t>((key + salt) * 0x9E3779B97F4A7C15u >> 54);
}

// Appends a number in [-32, 31] to a key.
inline uint64_t join(uint64_t key, int64_t number) {
  return key * 64 + static_cast<uint64_t>(number + 32);
}

// Turns differences of values into contexts.
class Scale {
 public:
  explicit Scale(const Quantizer& quantizer)
      : step_(quantizer.step()), inverse_((int64_t{1} << 40) / quantizer.step()) {
    while ((quantizer.highest() - quantizer.lowest()) >> level_shift_ >= kLevels) ++level_shift_;
  }

  ResidualContexts contexts(const Surroundings& s) const {
    const uint64_t near =
        2 * (size(s.w) + size(s.n)) + size(s.nw) + size(s.ne) + size(s.ww) + size(s.nn);
    const uint64_t before =
        2 * (size(s.b) + size(s.a)) + size(s.bw) + size(s.be) + size(s.bn) + size(s.bs);
    const int64_t slopes = std::abs(s.value_w - s.value_nw) + std::abs(s.value_n - s.value_nw) +
                           std::abs(s.value_n - s.value_ne);
    const uint32_t error = magnitude_class(near, kErrorClasses);
    const uint32_t texture =
        magnitude_class(static_cast<uint64_t>(steps(slopes, 4096)), kTextureClasses);
    const uint32_t past = magnitude_class(before, kErrorClasses);
    const uint32_t other = signed_class(steps(s.other, 4096), 13);
    const auto level = static_cast<uint32_t>(s.level >> level_shift_);
    const int64_t w = steps(s.value_w, 20), n = steps(s.value_n, 20);
    const int64_t b = steps(s.value_b, 20), a = steps(s.value_a, 6);
    const uint64_t pair = join(join(0, w), n);
    const uint64_t four = join(join(pair, steps(s.value_nw, 20)), steps(s.value_ne, 20));
    const uint64_t six = join(join(four, steps(s.value_ww, 20)), steps(s.value_nn, 20));
    const auto small = [](int64_t number, int64_t most) {
      return static_cast<uint32_t>(std::clamp(number, -most, most) + most);
    };
    return {
        {error * kPlaceKinds + static_cast<uint32_t>(s.place), error * kTextureClasses + texture,
         error * kErrorClasses + past,
         magnitude_class(size(s.w), 16) * 16 + magnitude_class(size(s.n), 16),
         other * 12 + error / 2, small(w, 20) * 13 + small(n, 6), small(b, 20) * 13 + small(a, 6),
         level, signed_class(s.w, 8) * 17 + signed_class(s.n, 8),
         signed_class(s.b, 8) * 17 + signed_class(s.a, 8), hashed(four, 0), hashed(six, 1),
         hashed((uint64_t{level} << 12) + pair, 2), hashed(join(join(join(0, b), a), other), 3),
         hashed(join(join(join(join(0, error), past), texture), other), 4)},
        error,
        texture};
  }

 private:
  static uint64_t size(int32_t residual) { return static_cast<uint64_t>(std::abs(residual)); }

  // A difference in steps, rounded down about as division does, clamped to +-limit.
  int64_t steps(int64_t difference, int64_t limit) const {
    const int64_t most = limit * step_;
    return (std::clamp(difference, -most, most) * inverse_) >> 40;
  }

  int64_t step_;
  int64_t inverse_;
  int level_shift_ = 0;
};

}  // namespace vqcodec

#endif  // VQCODEC_PREDICT_SURROUNDINGS_HPP_
