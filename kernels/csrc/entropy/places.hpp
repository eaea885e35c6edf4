// What a network knows of each position of a grid: the sum of the embeddings of its codes so far.

#ifndef VQCODEC_ENTROPY_PLACES_HPP_
#define VQCODEC_ENTROPY_PLACES_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "contexts.hpp"

namespace vqcodec {

constexpr int kMaxActivation = 2047;

class Places {
 public:
  Places(int dimensions, const Grid& grid)
      : dimensions_(dimensions),
        row_((grid.width + 2) * dimensions),
        totals_(static_cast<std::size_t>((grid.height + 2) * row_)),
        clamped_(totals_.size()) {}

  // Adds an embedding to place (y, x).
  void add(int64_t y, int64_t x, const int16_t* embedding) {
    const std::ptrdiff_t place = at(y, x);
    for (int d = 0; d < dimensions_; ++d) {
      totals_[place + d] += embedding[d];
      clamped_[place + d] = static_cast<int16_t>(
          std::clamp(totals_[place + d], -int{kMaxActivation}, int{kMaxActivation}));
    }
  }

  // Writes out so many places of a row, from (y, x) on.
  void copy(int64_t y, int64_t x, int count, int16_t* input) const {
    std::copy_n(clamped_.data() + at(y, x), count * dimensions_, input);
  }

 private:
  // Grids have a border of zeros one place wide.
  std::ptrdiff_t at(int64_t y, int64_t x) const { return (y + 1) * row_ + (x + 1) * dimensions_; }

  int dimensions_;
  std::ptrdiff_t row_;
  // Invariant: totals_ are the sums of the embeddings of the known codes, at most 64 * 2047 in
  // size; clamped_ are the same within kMaxActivation.
  std::vector<int32_t> totals_;
  std::vector<int16_t> clamped_;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_PLACES_HPP_
