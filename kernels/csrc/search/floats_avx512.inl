// Sixteen floats in a register of AVX-512F, and panels of three such registers of codes. Included
// before what a Unit is made of, see tile.inl.

struct Floats {
  using Vec = __m512;
  static constexpr int kLanes = 16;
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
  // Rows in lanes: lane r of the result joins all lanes of row r. Of 8 rows, lanes 8 and on repeat.
  template <int kRows, Vec (*join)(Vec, Vec)>
  static inline Vec fold_rows(const Vec (&rows)[kRows]) {
    Vec pairs[kRows / 2];
    for (int i = 0; i < kRows / 2; ++i) {
      const Vec a = rows[2 * i], b = rows[2 * i + 1];
      pairs[i] = join(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    }
    Vec fours[kRows / 4];
    for (int i = 0; i < kRows / 4; ++i) {
      const __m512d a = _mm512_castps_pd(pairs[2 * i]), b = _mm512_castps_pd(pairs[2 * i + 1]);
      fours[i] = join(_mm512_castpd_ps(_mm512_unpacklo_pd(a, b)),
                      _mm512_castpd_ps(_mm512_unpackhi_pd(a, b)));
    }
    Vec eights[kRows / 8];
    for (int i = 0; i < kRows / 8; ++i) {
      const Vec a = fours[2 * i], b = fours[2 * i + 1];
      eights[i] = join(_mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(1, 0, 1, 0)),
                       _mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(3, 2, 3, 2)));
    }
    const Vec a = eights[0], b = eights[kRows / 8 - 1];
    return join(_mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(2, 0, 2, 0)),
                _mm512_shuffle_f32x4(a, b, _MM_SHUFFLE(3, 1, 3, 1)));
  }
};
