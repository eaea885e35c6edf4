// Any processor: four lanes in the compiler's own vectors, 4 rows by 8 codes.
#include <cstring>

#include "floating_point.hpp"
#include "level.hpp"
#include "values.hpp"

namespace vqcodec {
namespace portable {

struct Unit {
  typedef float Vec __attribute__((vector_size(16)));
  static constexpr int kLanes = 4;
  static constexpr int kRows = 4;
  static constexpr int kVectors = 2;

  static inline Vec load(const float* from) {
    Vec value;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  static inline void store(float* to, Vec value) { std::memcpy(to, &value, sizeof value); }
  static inline Vec fill(float value) { return Vec{value, value, value, value}; }
  static inline Vec broadcast(const float* from) { return fill(*from); }
  static inline Vec multiply_add(Vec a, Vec b, Vec c) { return a * b + c; }
  static inline Vec multiply(Vec a, Vec b) { return a * b; }
  static inline Vec subtract(Vec a, Vec b) { return a - b; }
  static inline Vec minimum(Vec a, Vec b) { return a < b ? a : b; }
  static inline Vec square_root(Vec value) {
    for (int i = 0; i < kLanes; ++i) value[i] = __builtin_sqrtf(value[i]);
    return value;
  }
  static inline float smallest(Vec value) {
    float low = value[0];
    for (int i = 1; i < kLanes; ++i) low = value[i] < low ? value[i] : low;
    return low;
  }
  static inline float total(Vec value) { return value[0] + value[1] + value[2] + value[3]; }
  static inline uint32_t not_greater(Vec a, Vec b) {
    uint32_t lanes = 0;
    for (int i = 0; i < kLanes; ++i) lanes |= static_cast<uint32_t>(!(a[i] > b[i])) << i;
    return lanes;
  }
};

#include "block.inl"
#include "lowest.inl"

bool supported() { return true; }

}  // namespace portable

const Level kPortableLevel = {"portable",
                              {portable::Unit::kLanes, portable::Unit::kVectors},
                              portable::supported,
                              portable::search_block,
                              portable::lowest_picks};

}  // namespace vqcodec
