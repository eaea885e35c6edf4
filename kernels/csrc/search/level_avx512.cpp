// AVX-512 (F alone): 8 rows by 48 codes in 24 of 32 registers.
#include "floating_point.hpp"
#include "level.hpp"
#include "values.hpp"

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx2,fma")
#endif

namespace vqcodec {
namespace avx512 {

#include "floats_avx512.inl"

struct Unit : Floats {
  static constexpr int kRows = 8;
  template <Vec (*join)(Vec, Vec)>
  static inline Vec fold(const Vec (&rows)[kRows]) {
    return fold_rows<kRows, join>(rows);
  }
};

#include "tile.inl"
// What every level shares builds on that.
#include "block.inl"
#include "lowest.inl"

bool supported() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx2") &&
         __builtin_cpu_supports("fma");
}

}  // namespace avx512
}  // namespace vqcodec

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace vqcodec {
const Level kAvx512Level = {"avx512",
                            {avx512::Unit::kLanes, avx512::Unit::kVectors},
                            avx512::supported,
                            nullptr,
                            false,
                            avx512::search_block,
                            avx512::lowest_picks};
}  // namespace vqcodec

#endif
