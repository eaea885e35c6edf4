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
  static inline Vec add(Vec a, Vec b) { return a + b; }
  static inline Vec subtract(Vec a, Vec b) { return a - b; }
  static inline Vec bits_and(Vec a, Vec b) {
    typedef int32_t Bits __attribute__((vector_size(16)));
    return reinterpret_cast<Vec>(reinterpret_cast<Bits>(a) & reinterpret_cast<Bits>(b));
  }
  static inline Vec minimum(Vec a, Vec b) { return a < b ? a : b; }
  static inline Vec square_root(Vec value) {
    for (int i = 0; i < kLanes; ++i) value[i] = __builtin_sqrtf(value[i]);
    return value;
  }
  static inline uint32_t not_greater(Vec a, Vec b) {
    uint32_t lanes = 0;
    for (int i = 0; i < kLanes; ++i) lanes |= static_cast<uint32_t>(!(a[i] > b[i])) << i;
    return lanes;
  }
  static inline Vec choose_not_greater(Vec a, Vec b, Vec yes, Vec no) { return a > b ? no : yes; }
  template <Vec (*join)(Vec, Vec)>
  static inline Vec fold(const Vec (&rows)[kRows]) {
    Vec columns[kLanes];
    for (int i = 0; i < kLanes; ++i)
      columns[i] = Vec{rows[0][i], rows[1][i], rows[2][i], rows[3][i]};
    return join(join(columns[0], columns[1]), join(columns[2], columns[3]));
  }
};

#include "tile.inl"
// What every level shares builds on that.
#include "block.inl"
#include "lowest.inl"

bool supported() { return true; }

}  // namespace portable

const Level kPortableLevel = {"portable",
                              {portable::Unit::kLanes, portable::Unit::kVectors},
                              portable::supported,
                              nullptr,
                              false,
                              portable::search_block,
                              portable::lowest_picks};

}  // namespace vqcodec
