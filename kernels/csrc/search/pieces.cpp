#include "pieces.hpp"

#include <algorithm>
#include <cstring>

#include "floating_point.hpp"
#include "values.hpp"

namespace vqcodec {

namespace {

// The upper half is a bfloat16: rounded to nearest, ties away from zero.
inline uint32_t rounded(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return (bits + 0x8000u) & 0xFFFF0000u;
}

inline float less_rounded(float value) { return value - from_bits(rounded(value)); }

// A pair of bfloat16 values, the even one in the lower half.
inline uint32_t pair(uint32_t even, uint32_t odd) { return even >> 16 | odd; }

// High and middle pieces of two values of sixteen codes.
void fill_pairs(const float* even, const float* odd, uint32_t* high, uint32_t* middle) {
  for (int64_t i = 0; i < PanelPieces::kLanes; ++i) {
    high[i] = pair(rounded(even[i]), rounded(odd[i]));
    middle[i] = pair(rounded(less_rounded(even[i])), rounded(less_rounded(odd[i])));
  }
}

// Puts pieces of one value of sixteen codes beside those that are there.
void add_high(const float* values, int shift, uint32_t* pairs) {
  for (int64_t i = 0; i < PanelPieces::kLanes; ++i) pairs[i] |= rounded(values[i]) >> shift;
}

void add_middle(const float* values, int shift, uint32_t* pairs) {
  for (int64_t i = 0; i < PanelPieces::kLanes; ++i) {
    pairs[i] |= rounded(less_rounded(values[i])) >> shift;
  }
}

}  // namespace

void PanelPieces::reserve(int64_t panels, int64_t vectors, int64_t dim) {
  dim_ = dim;
  vectors_ = vectors;
  tiles_.reserve(panels * panel_size());
}

void PanelPieces::fill(int64_t panel, const float* values, int64_t width) {
  const PieceLayout layout(dim_);
  const int64_t step = vectors_ * kRows * kLanes;
  uint32_t* to = tiles_.data() + panel * panel_size();
  for (int64_t b = 0; b < layout.blocks; ++b, to += 2 * step) {
    for (int64_t i = 0; i < kRows; ++i, values += 2 * width) {
      for (int64_t first = 0; first < width; first += kLanes) {
        uint32_t* high = to + first * kRows + i * kLanes;
        fill_pairs(values + first, values + width + first, high, high + step);
      }
    }
  }
  std::fill(to, to + layout.steps * step, 0u);
  for (int64_t place = 0; place < 3 * layout.rest; ++place) {
    const float* row = values + place % layout.rest * width;
    uint32_t* steps = to + place / PieceLayout::kTileValues * step;
    uint32_t* pairs = steps + place % PieceLayout::kTileValues / 2 * kLanes;
    const int shift = place % 2 ? 0 : 16;
    for (int64_t first = 0; first < width;
         first += kLanes, row += kLanes, pairs += kRows * kLanes) {
      place < 2 * layout.rest ? add_high(row, shift, pairs) : add_middle(row, shift, pairs);
    }
  }
}

}  // namespace vqcodec
