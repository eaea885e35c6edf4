// What a network knows of each position of a grid: the sum of the embeddings of its codes so far.

#ifndef VQCODEC_ENTROPY_PLACES_HPP_
#define VQCODEC_ENTROPY_PLACES_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "grid.hpp"
#include "neighbours.hpp"

namespace vqcodec {

constexpr int kMaxActivation = 2047;

class Places {
 public:
  // Numbers that lie one behind the other: where they begin, as seen from a position.
  struct Run {
    std::ptrdiff_t first;
    std::ptrdiff_t length;
  };

  Places(int dimensions, const Grid& grid) : dimensions_(dimensions), axes_(grid.axes) {
    for (const Offset& offset : kNeighbours[axes_ - 1].places) {
      border_.z = std::max(border_.z, std::abs(offset.z));
      border_.y = std::max(border_.y, std::abs(offset.y));
      border_.x = std::max(border_.x, std::abs(offset.x));
    }
    row_ = (grid.columns + 2 * border_.x) * dimensions;
    slice_ = (grid.rows + 2 * border_.y) * row_;
    totals_.resize(static_cast<std::size_t>((grid.slices + 2 * border_.z) * slice_));
    clamped_.resize(totals_.size());
  }

  // Where a position begins.
  std::ptrdiff_t at(int64_t z, int64_t y, int64_t x) const {
    return (z + border_.z) * slice_ + (y + border_.y) * row_ + (x + border_.x) * dimensions_;
  }

  // Adds an embedding to the position that begins there.
  void add(std::ptrdiff_t position, const int16_t* embedding) {
    for (int d = 0; d < dimensions_; ++d) {
      int32_t& total = totals_[position + d];
      total += embedding[d];
      clamped_[position + d] =
          static_cast<int16_t>(std::clamp(total, -int{kMaxActivation}, int{kMaxActivation}));
    }
  }

  // The places around a position of which `wanted` holds, in order.
  template <typename Wanted>
  std::vector<Run> runs(const Wanted& wanted) const {
    std::vector<Run> runs;
    for (const Offset& offset : kNeighbours[axes_ - 1].places) {
      if (!wanted(offset)) continue;
      const std::ptrdiff_t first = offset.z * slice_ + offset.y * row_ + offset.x * dimensions_;
      if (!runs.empty() && runs.back().first + runs.back().length == first) {
        runs.back().length += dimensions_;
      } else {
        runs.push_back({first, dimensions_});
      }
    }
    return runs;
  }

  // Writes out what is known of the places around a position.
  void copy(std::ptrdiff_t position, const std::vector<Run>& runs, int16_t* input) const {
    for (const Run& run : runs) {
      input = std::copy_n(clamped_.data() + position + run.first, run.length, input);
    }
  }

 private:
  int dimensions_;
  int axes_;
  // Grids have a border of zeros, as wide as the places need it.
  Offset border_{0, 0, 0};
  std::ptrdiff_t row_;
  std::ptrdiff_t slice_;
  // Invariant: totals_ are the sums of the embeddings of the known codes, at most 64 * 2047 in
  // size; clamped_ are the same within kMaxActivation.
  std::vector<int32_t> totals_;
  std::vector<int16_t> clamped_;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_PLACES_HPP_
