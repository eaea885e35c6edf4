#include "values.hpp"

#include "floating_point.hpp"

namespace vqcodec {

const float* Rows::floats(int64_t first, int64_t length, float* copy) const {
  if (type == Type::kFloat32) return reinterpret_cast<const float*>(row(first));
  const auto* bits = reinterpret_cast<const uint16_t*>(row(first));
  const int64_t total = length * dim;
  if (type == Type::kFloat16) {
    for (int64_t i = 0; i < total; ++i) copy[i] = from_float16(bits[i]);
  } else {
    for (int64_t i = 0; i < total; ++i) copy[i] = from_bfloat16(bits[i]);
  }
  return copy;
}

bool all_finite(const float* values, int64_t count) {
  // x - x is 0 for a finite value and NaN for any other.
  for (int64_t i = 0; i < count; ++i) {
    if (!(values[i] - values[i] == 0.0f)) return false;
  }
  return true;
}

namespace {

// Each sum is a chain that may not be reordered; several chains at once keep the adders busy.
template <int kChains>
void distance_chains(const float* rows, int64_t dim, const float* codebook, const int64_t* codes,
                     double* result) {
  const float* code[kChains];
  double total[kChains] = {};
  for (int i = 0; i < kChains; ++i) code[i] = codebook + codes[i] * dim;
  for (int64_t d = 0; d < dim; ++d) {
    for (int i = 0; i < kChains; ++i) {
      const double difference = static_cast<double>(rows[i * dim + d]) - code[i][d];
      total[i] += difference * difference;
    }
  }
  for (int i = 0; i < kChains; ++i) result[i] = total[i];
}

}  // namespace

void squared_distances(const float* rows, int64_t count, int64_t dim, const float* codebook,
                       const int64_t* codes, double* result) {
  constexpr int kChains = 4;
  int64_t i = 0;
  for (; i + kChains <= count; i += kChains) {
    distance_chains<kChains>(rows + i * dim, dim, codebook, codes + i, result + i);
  }
  for (; i < count; ++i) {
    distance_chains<1>(rows + i * dim, dim, codebook, codes + i, result + i);
  }
}

}  // namespace vqcodec
