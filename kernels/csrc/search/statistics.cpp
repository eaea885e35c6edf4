#include <algorithm>
#include <vector>

#include "floating_point.hpp"
#include "search.hpp"
#include "threads.hpp"

namespace vqcodec {

namespace {

// Sums columns [first, last) of the rows of each code, one row after the other.
void add_columns(const Rows& x, const int64_t* codes, int64_t size, int64_t first, int64_t last,
                 float* sums) {
  const int64_t width = last - first;
  std::vector<double> total(size * width, 0.0);
  std::vector<float> copy(x.dim);
  for (int64_t i = 0; i < x.count; ++i) {
    const float* row = x.floats(i, 1, copy.data());
    double* sum = total.data() + codes[i] * width;
    for (int64_t d = 0; d < width; ++d) sum[d] += row[first + d];
  }
  for (int64_t k = 0; k < size; ++k) {
    for (int64_t d = 0; d < width; ++d) {
      sums[k * x.dim + first + d] = static_cast<float>(total[k * width + d]);
    }
  }
}

}  // namespace

void add_up(const Rows& x, const int64_t* codes, int64_t size, int64_t* counts, float* sums,
            int threads) {
  const StandardRounding rounding;
  std::fill(counts, counts + size, 0);
  for (int64_t i = 0; i < x.count; ++i) ++counts[codes[i]];
  // Threads take columns, not rows: every sum is still one chain in the order of the rows.
  constexpr int64_t kColumns = 16;
  const int64_t blocks = (x.dim + kColumns - 1) / kColumns;
  const int useful = useful_threads(threads, static_cast<double>(x.count) * x.dim * 4);
  for_each_block(useful > 1 ? blocks : 1, useful, [&](int64_t index, int) {
    const int64_t first = index * kColumns;
    const int64_t last = useful > 1 ? std::min(first + kColumns, x.dim) : x.dim;
    add_columns(x, codes, size, first, last, sums);
  });
}

}  // namespace vqcodec
