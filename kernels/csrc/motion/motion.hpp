// Where the blocks of a frame come from, and the frame that they make. Integers alone.

#ifndef VQCODEC_MOTION_MOTION_HPP_
#define VQCODEC_MOTION_MOTION_HPP_

#include <cstdint>

namespace vqcodec {

constexpr int kBlock = 16;
// Furthest full pixels of a motion; with the half around them 31 halves.
constexpr int kFurthest = 15;

// A plane of bytes in rows, whole blocks along both axes.
struct PlaneView {
  const uint8_t* pixels;
  int64_t rows, columns;
};

// Writes for each block where it comes from, in halves of a pixel down and right, and the sum of
// absolute differences there. price: of a bit of a motion, in sixteenths of a step of a pixel.
void find_motion(const PlaneView& frame, const PlaneView& reference, int32_t price, int8_t* motion,
                 int32_t* errors);

// Writes the frame that blocks of a reference make; one that does not move stays as it is.
void warp_blocks(const PlaneView& reference, const uint8_t* moving, const int8_t* motion,
                 uint8_t* out);

}  // namespace vqcodec

#endif  // VQCODEC_MOTION_MOTION_HPP_
