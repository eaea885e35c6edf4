// Integer matrix times vector, as exact in any order of summation as the bounds of its callers.

#ifndef VQCODEC_ENTROPY_MATRIX_VECTOR_HPP_
#define VQCODEC_ENTROPY_MATRIX_VECTOR_HPP_

#include <cstddef>
#include <cstdint>

#include "vector.hpp"

namespace vqcodec {

// sums[r] = biases[r] + rows[r] . input, four rows at a time to use each input four times.
VQCODEC_VECTOR_CLONES inline void matrix_vector(const int16_t* rows, const int32_t* biases,
                                                const int16_t* input, int count, int length,
                                                int32_t* sums) {
  int r = 0;
  for (; r + 4 <= count; r += 4) {
    const int16_t* row0 = rows + std::ptrdiff_t{r} * length;
    const int16_t* row1 = row0 + length;
    const int16_t* row2 = row1 + length;
    const int16_t* row3 = row2 + length;
    int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    for (int i = 0; i < length; ++i) {
      sum0 += int32_t{row0[i]} * input[i];
      sum1 += int32_t{row1[i]} * input[i];
      sum2 += int32_t{row2[i]} * input[i];
      sum3 += int32_t{row3[i]} * input[i];
    }
    sums[r] = biases[r] + sum0;
    sums[r + 1] = biases[r + 1] + sum1;
    sums[r + 2] = biases[r + 2] + sum2;
    sums[r + 3] = biases[r + 3] + sum3;
  }
  for (; r < count; ++r) {
    const int16_t* row = rows + std::ptrdiff_t{r} * length;
    int32_t sum = biases[r];
    for (int i = 0; i < length; ++i) sum += int32_t{row[i]} * input[i];
    sums[r] = sum;
  }
}

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_MATRIX_VECTOR_HPP_
