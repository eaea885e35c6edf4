// Tensors as they come from Python: an address, a type, and rows of D values.
#pragma once

#include <cstdint>
#include <cstring>

namespace vqcodec {

enum class Type { kFloat32 = 0, kFloat16 = 1, kBfloat16 = 2 };

inline int64_t size_of(Type type) { return type == Type::kFloat32 ? 4 : 2; }

inline float from_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline float from_bfloat16(uint16_t bits) { return from_bits(static_cast<uint32_t>(bits) << 16); }

// Exact for every float16, subnormals included: the exponent is rebased by one multiplication.
inline float from_float16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t rest = static_cast<uint32_t>(bits & 0x7FFFu) << 13;
  const bool special = rest >= (0x7C00u << 13);
  const float scaled = from_bits(rest) * from_bits(0x77800000u);  // 2^112
  uint32_t magnitude;
  std::memcpy(&magnitude, &scaled, sizeof magnitude);
  return from_bits(sign | (special ? rest | 0x7F800000u : magnitude));
}

// Values (count, dim) of one type, contiguous.
struct Rows {
  const void* data;
  Type type;
  int64_t count;
  int64_t dim;

  const char* row(int64_t index) const {
    return static_cast<const char*>(data) + index * dim * size_of(type);
  }
  // Rows [first, first + length) as float32: where they are if they are that already, else copied
  // to `copy`, which holds length * dim values.
  const float* floats(int64_t first, int64_t length, float* copy) const;
};

// Whether every one of `count` values is neither NaN nor infinite.
bool all_finite(const float* values, int64_t count);

// ||row - code||^2 in the canonical order, of `count` rows and the codes that were found for them.
// codebook is (K, dim) float32; result is float64.
void squared_distances(const float* rows, int64_t count, int64_t dim, const float* codebook,
                       const int64_t* codes, double* result);

}  // namespace vqcodec
