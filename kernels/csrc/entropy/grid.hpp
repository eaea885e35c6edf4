// The codes of a signal.

#ifndef VQCODEC_ENTROPY_GRID_HPP_
#define VQCODEC_ENTROPY_GRID_HPP_

#include <cstdint>

namespace vqcodec {

// Code (s, z, y, x) is codes[((s * slices + z) * rows + y) * columns + x]. With one axis there is
// one row, with two there is one slice; `axes`, 1 to 3, says who is whose neighbour.
struct Grid {
  int64_t* codes;
  int stages;
  int axes;
  int64_t slices;
  int64_t rows;
  int64_t columns;

  int64_t* row(int s, int64_t z, int64_t y) const {
    return codes + ((s * slices + z) * rows + y) * columns;
  }

  // Calls visit(z, y) for each row of a stage, in the order of coding.
  template <typename Visit>
  void visit_rows(const Visit& visit) const {
    for (int64_t z = 0; z < slices; ++z) {
      for (int64_t y = 0; y < rows; ++y) visit(z, y);
    }
  }
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_GRID_HPP_
