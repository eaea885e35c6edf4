// Which codes the model of a code looks at, on one, two and three axes.

#ifndef VQCODEC_ENTROPY_NEIGHBOURS_HPP_
#define VQCODEC_ENTROPY_NEIGHBOURS_HPP_

#include <array>

namespace vqcodec {

// From a code to its neighbour: slices, rows and columns on, or back where negative.
struct Offset {
  int z, y, x;

  constexpr bool earlier_in_row() const { return z == 0 && y == 0 && x < 0; }
  // Coded before the code.
  constexpr bool earlier() const { return z < 0 || (z == 0 && y < 0) || earlier_in_row(); }
};

// The neighbours that contexts look at, named as they lie in the plane. Six are of the same stage
// and coded before, five of the stage before, which is known whole. The codes at the position
// itself two and three stages before are looked at as well.
enum Near { kW, kN, kNW, kNE, kWW, kNN, kP, kPE, kPS, kPW, kPN, kNear };
constexpr int kSameStage = 6;

// The places that the network looks at, in the order of its inputs.
constexpr int kPlaces = 9;

struct Neighbours {
  std::array<Offset, kNear> near;
  std::array<Offset, kPlaces> places;
};

// By the number of axes, less one. On three axes the slice before takes the place of the row above:
// frames of a video are more alike than rows.
// clang-format off
constexpr std::array<Neighbours, 3> kNeighbours = {{
    {{{{0, 0, -1}, {0, 0, -2}, {0, 0, -3}, {0, 0, -4}, {0, 0, -5}, {0, 0, -6},
       {0, 0, 0}, {0, 0, 1}, {0, 0, 2}, {0, 0, -1}, {0, 0, -2}}},
     {{{0, 0, -4}, {0, 0, -3}, {0, 0, -2}, {0, 0, -1}, {0, 0, 0},
       {0, 0, 1}, {0, 0, 2}, {0, 0, 3}, {0, 0, 4}}}},
    {{{{0, 0, -1}, {0, -1, 0}, {0, -1, -1}, {0, -1, 1}, {0, 0, -2}, {0, -2, 0},
       {0, 0, 0}, {0, 0, 1}, {0, 1, 0}, {0, 0, -1}, {0, -1, 0}}},
     {{{0, -1, -1}, {0, -1, 0}, {0, -1, 1}, {0, 0, -1}, {0, 0, 0},
       {0, 0, 1}, {0, 1, -1}, {0, 1, 0}, {0, 1, 1}}}},
    {{{{0, 0, -1}, {-1, 0, 0}, {0, -1, 0}, {0, -1, 1}, {0, -1, -1}, {-1, 0, 1},
       {0, 0, 0}, {0, 0, 1}, {0, 1, 0}, {0, 0, -1}, {0, -1, 0}}},
     {{{-1, 0, 0}, {-1, 0, 1}, {-1, 1, 0}, {0, -1, 0}, {0, 0, -1},
       {0, 0, 0}, {0, 0, 1}, {0, 1, 0}, {1, 0, 0}}}},
}};
// clang-format on

// Whether no context looks at a code that is not known yet.
constexpr bool known_in_time(const Neighbours& neighbours) {
  for (int i = 0; i < kSameStage; ++i) {
    if (!neighbours.near[i].earlier()) return false;
  }
  return true;
}
static_assert(known_in_time(kNeighbours[0]) && known_in_time(kNeighbours[1]) &&
              known_in_time(kNeighbours[2]));

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_NEIGHBOURS_HPP_
