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
  static inline Vec subtract(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
  static inline Vec minimum(Vec a, Vec b) { return _mm256_min_ps(a, b); }
  static inline Vec square_root(Vec value) { return _mm256_sqrt_ps(value); }
  static inline float smallest(Vec value) {
    __m128 low = _mm_min_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
    low = _mm_min_ps(low, _mm_movehl_ps(low, low));
    return _mm_cvtss_f32(_mm_min_ss(low, _mm_movehdup_ps(low)));
  }
  static inline float total(Vec value) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
  }
  static inline uint32_t not_greater(Vec a, Vec b) {
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_NGT_UQ)));
  }
};

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
                          avx2::search_block,
                          avx2::lowest_picks};
}  // namespace vqcodec

#endif
