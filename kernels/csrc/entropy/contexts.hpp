// What the model of a code looks at: neighbours that are decoded already, boiled down to numbers.

#ifndef VQCODEC_ENTROPY_CONTEXTS_HPP_
#define VQCODEC_ENTROPY_CONTEXTS_HPP_

#include <array>
#include <cstdint>

#include "grid.hpp"
#include "neighbours.hpp"

namespace vqcodec {

constexpr int kContexts = 20;
// The first contexts are small, and their counters start from training.
constexpr int kTrainedContexts = 6;
constexpr int kZeroClasses = 7;
constexpr int kHashBits = 10;
constexpr std::array<int, kContexts> kContextSizes = {1,   33,  33,   33,   33,   42,  257,
                                                      257, 257, 257,  289,  1024, 257, 257,
                                                      257, 289, 1024, 1024, 1024, 1024};
constexpr int kTrainedValues = 1 + 33 + 33 + 33 + 33 + 42;

struct Contexts {
  // Invariant: 0 <= values[c] < kContextSizes[c].
  std::array<uint32_t, kContexts> values;
  // How many of the six neighbours of the same stage are the zero code.
  int zeros;
};

inline uint32_t mix(uint32_t a, uint32_t b) {
  return ((a * 0x9E3779B1u ^ (b + 0x7F4A7C15u) * 0x85EBCA6Bu) * 0xC2B2AE35u) >> (32 - kHashBits);
}

// The contexts of the codes of row (s, z, y), whose indices have `depth` bits.
class RowContexts {
 public:
  RowContexts(const Grid& grid, int depth, int s, int64_t z, int64_t y) : depth_(depth) {
    const auto& near = kNeighbours[grid.axes - 1].near;
    for (int i = 0; i < kNear; ++i) {
      const int stage = i < kSameStage ? s : s - 1;
      near_[i] = row_at(grid, stage, z + near[i].z, y + near[i].y, near[i].x);
    }
    p2_ = row_at(grid, s - 2, z, y, 0);
    p3_ = row_at(grid, s - 3, z, y, 0);
  }

  Contexts at(int64_t x) const {
    // The leading bits of a code, counted from 1; 0 stands for "outside".
    const auto top = [this](int32_t code, int bits) -> uint32_t {
      return code < 0 ? 0
                      : (static_cast<uint32_t>(code) >> (depth_ > bits ? depth_ - bits : 0)) + 1;
    };
    const int32_t w = near_[kW].at(x), n = near_[kN].at(x);
    const int32_t nw = near_[kNW].at(x), ne = near_[kNE].at(x);
    const int32_t ww = near_[kWW].at(x), nn = near_[kNN].at(x);
    const int32_t p = near_[kP].at(x), p2 = p2_.at(x), p3 = p3_.at(x);
    const int32_t pe = near_[kPE].at(x), ps = near_[kPS].at(x);
    const int32_t pw = near_[kPW].at(x), pn = near_[kPN].at(x);
    const int zeros = (w == 0) + (n == 0) + (nw == 0) + (ne == 0) + (ww == 0) + (nn == 0);
    const int before = (p == 0) + (pe == 0) + (ps == 0) + (pw == 0) + (pn == 0);
    const uint32_t across = top(w, 4) * 17 + top(n, 4);
    const uint32_t around = top(pe, 3) * 9 + top(ps, 3);
    return {{0,
             top(w, 5),
             top(n, 5),
             top(p, 5),
             top(p2, 5),
             static_cast<uint32_t>(zeros * 6 + before),
             top(w, 8),
             top(n, 8),
             top(nw, 8),
             top(ne, 8),
             across,
             mix(top(w, 3) * 9 + top(n, 3), top(nw, 3) * 9 + top(ne, 3)),
             top(p, 8),
             top(p2, 8),
             top(p3, 8),
             top(p, 4) * 17 + top(p2, 4),
             mix(top(p, 12), across),
             mix(around, top(p, 3)),
             mix(top(w, 12), top(n, 12)),
             mix(around, top(pw, 3) * 9 + top(pn, 3))},
            zeros};
  }

 private:
  // A row of codes, seen from a column `shift` columns before.
  struct Row {
    const int64_t* codes = nullptr;
    int64_t shift = 0;
    uint64_t columns = 0;

    // The code there, or -1 outside the grid.
    int32_t at(int64_t x) const {
      const int64_t column = x + shift;
      return static_cast<uint64_t>(column) < columns ? static_cast<int32_t>(codes[column]) : -1;
    }
  };

  static Row row_at(const Grid& grid, int s, int64_t z, int64_t y, int64_t shift) {
    if (s < 0 || z < 0 || y < 0 || z >= grid.slices || y >= grid.rows) return {};
    return {grid.row(s, z, y), shift, static_cast<uint64_t>(grid.columns)};
  }

  int depth_;
  std::array<Row, kNear> near_;
  Row p2_, p3_;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_CONTEXTS_HPP_
