// AVX2 with FMA: 4 rows by 24 codes in 12 of 16 registers.
#include "floating_point.hpp"
#include "level.hpp"
#include "values.hpp"

#if defined(__x86_64__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

namespace vqcodec {
namespace avx2 {

struct Unit {
  using Vec = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kRows = 4;
  static constexpr int kVectors = 3;

  static inline Vec load(const float* from) { return _mm256_loadu_ps(from); }
  static inline void store(float* to, Vec value) { _mm256_storeu_ps(to, value); }
  static inline Vec fill(float value) { return _mm256_set1_ps(value); }
  static inline Vec broadcast(const float* from) { return _mm256_broadcast_ss(from); }
  static inline Vec multiply_add(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
  static inline Vec multiply(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
  static inline Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
  static inline Vec subtract(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
  static inline Vec bits_and(Vec a, Vec b) { return _mm256_and_ps(a, b); }
  static inline Vec minimum(Vec a, Vec b) { return _mm256_min_ps(a, b); }
  static inline Vec square_root(Vec value) { return _mm256_sqrt_ps(value); }
  static inline uint32_t not_greater(Vec a, Vec b) {
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NGT_UQ)));
  }
  static inline Vec choose_not_greater(Vec a, Vec b, Vec yes, Vec no) {
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_NGT_UQ));
  }
  template <Vec (*join)(Vec, Vec)>
  static inline Vec fold(const Vec (&rows)[kRows]) {
    const __m256d low = _mm256_castps_pd(
        join(_mm256_unpacklo_ps(rows[0], rows[1]), _mm256_unpackhi_ps(rows[0], rows[1])));
    const __m256d high = _mm256_castps_pd(
        join(_mm256_unpacklo_ps(rows[2], rows[3]), _mm256_unpackhi_ps(rows[2], rows[3])));
    const Vec halves = join(_mm256_castpd_ps(_mm256_unpacklo_pd(low, high)),
                            _mm256_castpd_ps(_mm256_unpackhi_pd(low, high)));
    return join(halves, _mm256_permute2f128_ps(halves, halves, 1));
  }
};

#include "tile.inl"
// What every level shares builds on that.
#include "block.inl"
#include "lowest.inl"

bool supported() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

}  // namespace avx2
}  // namespace vqcodec

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace vqcodec {
const Level kAvx2Level = {"avx2",
                          {avx2::Unit::kLanes, avx2::Unit::kVectors},
                          avx2::supported,
                          nullptr,
                          false,
                          avx2::search_block,
                          avx2::lowest_picks};
}  // namespace vqcodec

#endif
