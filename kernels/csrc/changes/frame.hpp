// What is coded of a frame, with room around it so that no neighbour has to be asked for.

#ifndef VQCODEC_CHANGES_FRAME_HPP_
#define VQCODEC_CHANGES_FRAME_HPP_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vqcodec {

// A plane of bytes; what lies up to one column or row beyond it is 0.
template <typename T>
class Plane {
 public:
  Plane(int rows, int columns) : pitch_(columns + 2), data_((rows + 2) * pitch_) {}

  T& at(int y, int x) { return data_[(y + 1) * pitch_ + x + 1]; }
  const T& at(int y, int x) const { return data_[(y + 1) * pitch_ + x + 1]; }
  void clear() { std::fill(data_.begin(), data_.end(), T{}); }

 private:
  std::ptrdiff_t pitch_;
  std::vector<T> data_;
};

// Where a block moves from, in halves of a pixel: down and right.
struct Motion {
  int8_t y = 0, x = 0;
  bool operator==(const Motion& other) const { return y == other.y && x == other.x; }
};

constexpr int kMostMotion = 31;

// Rows and columns of positions, and of blocks of 2 x 2 positions.
struct Extent {
  int rows, columns, stages;
  int block_rows() const { return (rows + 1) / 2; }
  int block_columns() const { return (columns + 1) / 2; }
};

struct Frame {
  explicit Frame(const Extent& extent)
      : moving(extent.block_rows(), extent.block_columns()),
        motion(extent.block_rows(), extent.block_columns()),
        said(extent.rows, extent.columns),
        codes(extent.stages, Plane<int32_t>(extent.rows, extent.columns)) {}

  void clear() {
    moving.clear(), motion.clear(), said.clear(), changed = 0;
    for (auto& plane : codes) plane.clear();
  }

  // Whether a block moves, and from where; how many stages of a position say anything; the codes of
  // each stage; how many positions say anything.
  Plane<uint8_t> moving;
  Plane<Motion> motion;
  Plane<uint8_t> said;
  std::vector<Plane<int32_t>> codes;
  int64_t changed = 0;
};

// Where classes of memories begin, of sums of nine of them, of counts of stages, of differences of
// motion, and of positions that say something in a frame.
constexpr std::array<int, 7> kMemories = {1, 16, 40, 70, 110, 160, 210};
constexpr std::array<int, 7> kSums = {1, 40, 100, 200, 350, 600, 1000};
constexpr std::array<int, 7> kCounts = {1, 2, 3, 5, 8, 12, 18};
constexpr std::array<int, 7> kSizes = {1, 2, 3, 5, 9, 17, 33};
constexpr std::array<int, 7> kChanged = {1, 4, 12, 32, 90, 250, 700};

// The place of a number in 8 classes.
inline uint32_t class_of(int64_t number, const std::array<int, 7>& limits) {
  uint32_t found = 0;
  while (found < 7 && number >= limits[found]) ++found;
  return found;
}

// A decaying memory of what happened at a place, at most 255.
inline uint8_t remembered(uint8_t before, bool happened) {
  return static_cast<uint8_t>(before - (before >> 2) + (happened ? 60 : 0));
}

}  // namespace vqcodec

#endif  // VQCODEC_CHANGES_FRAME_HPP_
