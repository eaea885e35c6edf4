// The Python face of motion: NumPy buffers in and out, the GIL released while searching.
// vqcodec_kernels.motion has checked shapes and values; what memory safety needs is checked here.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <cstdlib>

#include "motion.hpp"

namespace py = pybind11;

namespace vqcodec {
namespace {

template <typename T>
using Array = py::array_t<T, py::array::c_style>;

PlaneView view_of(const Array<uint8_t>& plane) {
  if (plane.ndim() != 2 || plane.size() == 0 || plane.shape(0) % kBlock ||
      plane.shape(1) % kBlock) {
    throw py::value_error("a plane is a whole number of blocks");
  }
  return {plane.data(), plane.shape(0), plane.shape(1)};
}

py::tuple find(const Array<uint8_t>& frame, const Array<uint8_t>& reference, int32_t price) {
  const PlaneView one = view_of(frame), other = view_of(reference);
  if (one.rows != other.rows || one.columns != other.columns || price < 0) {
    throw py::value_error("frame and reference differ, or a negative price");
  }
  Array<int8_t> motion({one.rows / kBlock, one.columns / kBlock, int64_t{2}});
  Array<int32_t> errors({one.rows / kBlock, one.columns / kBlock});
  int8_t* out = motion.mutable_data();
  int32_t* left = errors.mutable_data();
  {
    const py::gil_scoped_release release;
    find_motion(one, other, price, out, left);
  }
  return py::make_tuple(motion, errors);
}

Array<uint8_t> warp(const Array<uint8_t>& reference, const Array<uint8_t>& moving,
                    const Array<int8_t>& motion) {
  const PlaneView plane = view_of(reference);
  const int64_t blocks = plane.rows / kBlock * (plane.columns / kBlock);
  if (moving.size() != blocks || motion.size() != 2 * blocks) throw py::value_error("blocks");
  for (py::ssize_t i = 0; i < motion.size(); ++i) {
    if (std::abs(motion.data()[i]) > 2 * kFurthest + 1) throw py::value_error("motion");
  }
  Array<uint8_t> warped({plane.rows, plane.columns});
  uint8_t* out = warped.mutable_data();
  {
    const py::gil_scoped_release release;
    warp_blocks(plane, moving.data(), motion.data(), out);
  }
  return warped;
}

}  // namespace
}  // namespace vqcodec

void bind_motion(py::module_& m) {
  m.def("find_motion", &vqcodec::find, py::arg("frame").noconvert(),
        py::arg("reference").noconvert(), py::arg("price"));
  m.def("warp_blocks", &vqcodec::warp, py::arg("reference").noconvert(),
        py::arg("moving").noconvert(), py::arg("motion").noconvert());
}
