// Float32 values as sums of bfloat16 pieces, laid out for the matrix tiles of AMX.
//
// A value is high + middle + what is left: high is the value rounded to bfloat16, middle is the
// rest rounded likewise. Of the product x c, the tiles add up
//   high(x) high(c) + middle(x) high(c) + high(x) middle(c).
#pragma once

#include <cstdint>

#include "../aligned.hpp"

namespace vqcodec {

// How the pieces of `dim` values follow one another along a row, 32 to a tile.
struct PieceLayout {
  static constexpr int64_t kTileValues = 32;

  explicit PieceLayout(int64_t dim)
      : blocks(dim / kTileValues),
        rest(dim % kTileValues),
        steps((3 * rest + kTileValues - 1) / kTileValues) {}

  // Whole blocks of 32 values: 32 high pieces, 32 middle ones.
  int64_t blocks;
  // Values after the last of them. Their pieces are strung together, `rest` of each kind: high,
  // middle, high for a row of x; high, high, middle for a code; then zeros. So one product of tiles
  // has all three parts of up to ten values.
  int64_t rest;
  // Products of tiles that the rest takes.
  int64_t steps;

  // Tiles from the first piece to the last.
  int64_t tiles() const { return 2 * blocks + steps; }
  // The same in float32 values, each as long as two pieces.
  int64_t floats() const { return tiles() * kTileValues / 2; }
};

// The pieces of a panel of codes in the order in which they are multiplied.
class PanelPieces {
 public:
  static constexpr int64_t kRows = 16;  // of a tile, each a pair of values
  static constexpr int64_t kLanes = 16;

  // Room for `panels` panels, each of `vectors` times kLanes codes of `dim` values.
  void reserve(int64_t panels, int64_t vectors, int64_t dim);
  // values: (dim, width) float32, width a multiple of kLanes. Vectors that the panel lacks are not
  // written.
  void fill(int64_t panel, const float* values, int64_t width);
  // Tiles [step][vector][kRows][kLanes] of pairs: the lower half belongs to the even value.
  const uint32_t* tiles(int64_t panel) const { return tiles_.data() + panel * panel_size(); }

 private:
  int64_t panel_size() const { return PieceLayout(dim_).tiles() * vectors_ * kRows * kLanes; }

  int64_t dim_ = 0;
  int64_t vectors_ = 0;
  Aligned<uint32_t> tiles_;
};

}  // namespace vqcodec
