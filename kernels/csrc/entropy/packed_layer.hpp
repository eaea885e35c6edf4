// A layer of a network, laid out so that vector units multiply without adding up within a vector.
//
// The caller bounds weights and inputs so that no sum leaves 32 bits: every path below gives the
// same integers.

#ifndef VQCODEC_ENTROPY_PACKED_LAYER_HPP_
#define VQCODEC_ENTROPY_PACKED_LAYER_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "../aligned.hpp"
#include "vector.hpp"

#ifdef VQCODEC_VECTOR_PATHS
#include <immintrin.h>
#endif
#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

namespace vqcodec {

// Rows that are multiplied side by side.
constexpr int kGroup = 64;

#ifdef __wasm_simd128__
// In a browser: half of the rows at a time, as it has 16 registers.
inline void multiply_group(const int16_t* data, const int16_t* inputs, int pairs, int32_t* sums) {
  constexpr int kVectors = kGroup / 8;
  for (int half = 0; half < 2; ++half, data += kGroup, sums += kGroup / 2) {
    v128_t total[kVectors];
    for (int v = 0; v < kVectors; ++v) total[v] = wasm_v128_load(sums + 4 * v);
    for (int p = 0; p < pairs; ++p) {
      const v128_t pair = wasm_v128_load32_splat(inputs + 2 * p);
      const int16_t* rows = data + std::ptrdiff_t{2} * kGroup * p;
      for (int v = 0; v < kVectors; ++v) {
        const v128_t product = wasm_i32x4_dot_i16x8(wasm_v128_load(rows + 8 * v), pair);
        total[v] = wasm_i32x4_add(total[v], product);
      }
    }
    for (int v = 0; v < kVectors; ++v) wasm_v128_store(sums + 4 * v, total[v]);
  }
}
#else
// sums[r] += data[p][r][0] * inputs[2 p] + data[p][r][1] * inputs[2 p + 1] over all pairs p.
inline void multiply_group(const int16_t* data, const int16_t* inputs, int pairs, int32_t* sums) {
  for (int p = 0; p < pairs; ++p, data += 2 * kGroup) {
    const int32_t even = inputs[2 * p], odd = inputs[2 * p + 1];
    for (int r = 0; r < kGroup; ++r) sums[r] += data[2 * r] * even + data[2 * r + 1] * odd;
  }
}
#endif

#ifdef VQCODEC_VECTOR_PATHS
inline int32_t pair_at(const int16_t* inputs, int p) {
  int32_t pair;
  std::copy_n(reinterpret_cast<const char*>(inputs + 2 * p), sizeof pair,
              reinterpret_cast<char*>(&pair));
  return pair;
}

// What every x86-64 processor has: half of the rows at a time, as it has 16 registers.
inline void multiply_group_sse2(const int16_t* data, const int16_t* inputs, int pairs,
                                int32_t* sums) {
  constexpr int kVectors = kGroup / 8;
  for (int half = 0; half < 2; ++half, data += kGroup, sums += kGroup / 2) {
    __m128i total[kVectors];
    auto* out = reinterpret_cast<__m128i*>(sums);
    for (int v = 0; v < kVectors; ++v) total[v] = _mm_loadu_si128(out + v);
    for (int p = 0; p < pairs; ++p) {
      const __m128i pair = _mm_set1_epi32(pair_at(inputs, p));
      const auto* rows = reinterpret_cast<const __m128i*>(data + std::ptrdiff_t{2} * kGroup * p);
      for (int v = 0; v < kVectors; ++v) {
        const __m128i product = _mm_madd_epi16(_mm_loadu_si128(rows + v), pair);
        total[v] = _mm_add_epi32(total[v], product);
      }
    }
    for (int v = 0; v < kVectors; ++v) _mm_storeu_si128(out + v, total[v]);
  }
}

__attribute__((target("avx2"))) inline void multiply_group_avx2(const int16_t* data,
                                                                const int16_t* inputs, int pairs,
                                                                int32_t* sums) {
  constexpr int kVectors = kGroup / 8;
  __m256i total[kVectors];
  auto* out = reinterpret_cast<__m256i*>(sums);
  for (int v = 0; v < kVectors; ++v) total[v] = _mm256_loadu_si256(out + v);
  for (int p = 0; p < pairs; ++p, data += 2 * kGroup) {
    const __m256i pair = _mm256_set1_epi32(pair_at(inputs, p));
    const auto* rows = reinterpret_cast<const __m256i*>(data);
    for (int v = 0; v < kVectors; ++v) {
      const __m256i product = _mm256_madd_epi16(_mm256_loadu_si256(rows + v), pair);
      total[v] = _mm256_add_epi32(total[v], product);
    }
  }
  for (int v = 0; v < kVectors; ++v) _mm256_storeu_si256(out + v, total[v]);
}

// Two sets of totals, as each addition waits for the one before it; pairs come in twos.
__attribute__((target("avx512f,avx512bw,avx512vnni"))) inline void multiply_group_vnni(
    const int16_t* data, const int16_t* inputs, int pairs, int32_t* sums) {
  constexpr int kVectors = kGroup / 16;
  __m512i total[kVectors], other[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    total[v] = _mm512_loadu_si512(sums + 16 * v);
    other[v] = _mm512_setzero_si512();
  }
  for (int p = 0; p < pairs; p += 2, data += 4 * kGroup) {
    const __m512i one = _mm512_set1_epi32(pair_at(inputs, p));
    const __m512i two = _mm512_set1_epi32(pair_at(inputs, p + 1));
    for (int v = 0; v < kVectors; ++v) {
      const int16_t* rows = data + 32 * v;
      total[v] = _mm512_dpwssd_epi32(total[v], _mm512_loadu_si512(rows), one);
      other[v] = _mm512_dpwssd_epi32(other[v], _mm512_loadu_si512(rows + 2 * kGroup), two);
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    _mm512_storeu_si512(sums + 16 * v, _mm512_add_epi32(total[v], other[v]));
  }
}
#endif

using MultiplyGroup = void (*)(const int16_t*, const int16_t*, int, int32_t*);

// The best that the processor has, and no more than what $VQCODEC_CPU_LEVEL allows, which names an
// instruction set for the search of codes as well.
inline MultiplyGroup choose_multiply_group() {
#ifdef VQCODEC_VECTOR_PATHS
  const char* asked = std::getenv("VQCODEC_CPU_LEVEL");
  const std::string_view most = asked == nullptr ? "" : asked;
  if (most == "portable") return multiply_group;
  if (most == "sse2") return multiply_group_sse2;
  if (most != "avx2" && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vnni")) {
    return multiply_group_vnni;
  }
  return __builtin_cpu_supports("avx2") ? multiply_group_avx2 : multiply_group_sse2;
#else
  return multiply_group;
#endif
}

class PackedLayer {
 public:
  // Space for a matrix of so many rows of `length` weights.
  PackedLayer(int rows, int length)
      : rows_(rows),
        length_(length),
        groups_((rows + kGroup - 1) / kGroup),
        pairs_((length + 3) / 4 * 2) {
    const int64_t count = int64_t{2} * kGroup * groups_ * pairs_;
    std::fill_n(data_.reserve(count), count, 0);
  }

  // Numbers that an input takes, of which those behind the weights' length do not count, and that
  // the sums of an input take.
  int input_size() const { return 2 * pairs_; }
  int sums_size() const { return kGroup * groups_; }

  // Takes columns [from, to) of a row-major matrix as those from `column` on.
  void load(const int16_t* weights, int row_length, int from, int to, int column = 0) {
    for (int r = 0; r < rows_; ++r, weights += row_length) {
      int16_t* to_row = data_.data() + std::ptrdiff_t{r / kGroup} * pairs_ * 2 * kGroup;
      for (int i = from; i < to; ++i) {
        const int c = column + i - from;
        to_row[(c / 2 * kGroup + r % kGroup) * 2 + c % 2] = weights[i];
      }
    }
  }

  void load(const int16_t* weights) { load(weights, length_, 0, length_); }

  // Adds weights[r] . input to sums[r] for every row r; with several inputs, which lie one behind
  // the other, those of each to sums of its own. Some weights are used for all inputs before the
  // next are looked at: they stay in the fastest memory.
  void multiply(const int16_t* inputs, int count, int32_t* sums) const {
    static const MultiplyGroup multiply_group = choose_multiply_group();
    for (int g = 0; g < groups_; ++g) {
      const int16_t* data = data_.data() + std::ptrdiff_t{g} * pairs_ * 2 * kGroup;
      for (std::ptrdiff_t i = 0; i < count; ++i) {
        multiply_group(data, inputs + i * input_size(), pairs_,
                       sums + i * sums_size() + g * kGroup);
      }
    }
  }

 private:
  int rows_;
  int length_;
  int groups_;
  int pairs_;
  // Group by group, pair of inputs by pair, row by row; what fills up groups and pairs is 0.
  Aligned<int16_t> data_;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_PACKED_LAYER_HPP_
