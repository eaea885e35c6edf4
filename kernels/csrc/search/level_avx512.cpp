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

struct Unit {
  using Vec = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kRows = 8;
  static constexpr int kVectors = 3;

  static inline Vec load(const float* from) { return _mm512_loadu_ps(from); }
  static inline void store(float* to, Vec value) { _mm512_storeu_ps(to, value); }
  static inline Vec fill(float value) { return _mm512_set1_ps(value); }
  static inline Vec broadcast(const float* from) { return _mm512_set1_ps(*from); }
  static inline Vec multiply_add(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
  static inline Vec multiply(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
  static inline Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
  static inline Vec subtract(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
  static inline Vec bits_and(Vec a, Vec b) {
    return _mm512_castsi512_ps(_mm512_and_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
  }
  static inline Vec minimum(Vec a, Vec b) { return _mm512_min_ps(a, b); }
  static inline Vec square_root(Vec value) { return _mm512_sqrt_ps(value); }
  static inline uint32_t not_greater(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_NGT_UQ); }
  static inline Vec choose_not_greater(Vec a, Vec b, Vec yes, Vec no) {
    return _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask(a, b, _CMP_NGT_UQ), yes);
  }
  template <Vec (*join)(Vec, Vec)>
  static inline Vec fold(const Vec (&rows)[kRows]) {
    Vec pairs[4];
    for (int i = 0; i < 4; ++i) {
      const Vec a = rows[2 * i], b = rows[2 * i + 1];
      pairs[i] = join(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    }
    Vec fours[2];
    for (int i = 0; i < 2; ++i) {
      const __m512d a = _mm512_castps_pd(pairs[2 * i]), b = _mm512_castps_pd(pairs[2 * i + 1]);
      fours[i] = join(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)),
                      _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
    }
    const Vec halves = join(_mm512_shuffle_f32x4(fours[0], fours[1], _MM_SHUFFLE(1, 0, 1, 0)),
                            _mm512_shuffle_f32x4(fours[0], fours[1], _MM_SHUFFLE(3, 2, 3, 2)));
    return join(_mm512_shuffle_f32x4(halves, halves, _MM_SHUFFLE(2, 0, 2, 0)),
                _mm512_shuffle_f32x4(halves, halves, _MM_SHUFFLE(3, 1, 3, 1)));
  }
};

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
                            avx512::search_block,
                            avx512::lowest_picks};
}  // namespace vqcodec

#endif
