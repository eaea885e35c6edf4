// The Python face of changes: a group's frames, one at a time, to bytes and back.

#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../entropy/binding.hpp"
#include "../entropy/range_coder.hpp"
#include "change_model.hpp"

namespace py = pybind11;

namespace {

using vqcodec::ChangeModel;
using vqcodec::ChangeState;
using vqcodec::Extent;
using vqcodec::Frame;

constexpr int kMostSide = 1 << 16;
constexpr int64_t kMostPositions = int64_t{1} << 24;

struct Writer {
  vqcodec::RangeEncoder range;
  double bits = 0;
  bool code(bool bit, uint32_t one) {
    bits -= std::log2((bit ? one : 65536 - one) / 65536.0);
    range.decision(bit, one);
    return bit;
  }
};

struct Reader {
  vqcodec::RangeDecoder range;
  bool code(bool, uint32_t one) { return range.decision(one); }
};

ChangeModel model_of(const Extent& extent, int codebook_size,
                     const std::optional<py::dict>& start) {
  require(extent.rows >= 1 && extent.columns >= 1 && extent.rows <= kMostSide &&
              extent.columns <= kMostSide &&
              int64_t{extent.rows} * extent.columns <= kMostPositions,
          "rows and columns");
  require(extent.stages >= 1 && extent.stages <= 64, "stages must be 1 to 64");
  require(codebook_size >= 2 && codebook_size <= 4096, "a codebook has 2 to 4096 codes");
  int depth = 0;
  while ((1 << depth) < codebook_size) ++depth;
  ChangeModel model(extent, codebook_size, depth);
  if (start) {
    const auto vector_of = [&](const char* name, auto one) {
      const auto array = (*start)[name].cast<Array<decltype(one)>>();
      return std::vector<decltype(one)>(array.data(), array.data() + array.size());
    };
    const ChangeState state{vector_of("counters", uint16_t{}), vector_of("weights", int32_t{}),
                            vector_of("uses", uint8_t{})};
    require(model.bits().start(state), "the start is one of other codebooks");
  }
  return model;
}

template <typename T>
Array<T> array_of(const std::vector<T>& values) {
  Array<T> array(static_cast<py::ssize_t>(values.size()));
  std::copy(values.begin(), values.end(), array.mutable_data());
  return array;
}

class ChangeEncoder {
 public:
  ChangeEncoder(int rows, int columns, int stages, int codebook_size,
                const std::optional<py::dict>& start)
      : extent_{rows, columns, stages},
        size_(codebook_size),
        model_(model_of(extent_, codebook_size, start)) {}

  // Codes a frame; returns how many bits that took.
  double add(const Array<uint8_t>& moving, const Array<int8_t>& motion,
             const Array<int64_t>& codes) {
    const int rows = extent_.block_rows(), columns = extent_.block_columns();
    require(moving.ndim() == 2 && moving.shape(0) == rows && moving.shape(1) == columns, "moving");
    require(motion.ndim() == 3 && motion.shape(0) == rows && motion.shape(1) == columns &&
                motion.shape(2) == 2,
            "motion");
    require(codes.ndim() == 3 && codes.shape(0) == extent_.stages &&
                codes.shape(1) == extent_.rows && codes.shape(2) == extent_.columns,
            "codes");
    Frame& frame = model_.frame();
    bool says = false;
    const auto m = moving.unchecked<2>();
    const auto v = motion.unchecked<3>();
    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < columns; ++x) {
        require(std::abs(v(y, x, 0)) <= vqcodec::kMostMotion &&
                    std::abs(v(y, x, 1)) <= vqcodec::kMostMotion && m(y, x) <= 1,
                "a block moves by up to 31 halves of a pixel");
        frame.moving.at(y, x) = m(y, x);
        if (m(y, x)) frame.motion.at(y, x) = {v(y, x, 0), v(y, x, 1)};
        says |= m(y, x) != 0;
      }
    }
    const auto c = codes.unchecked<3>();
    for (int s = 0; s < extent_.stages; ++s) {
      for (int y = 0; y < extent_.rows; ++y) {
        for (int x = 0; x < extent_.columns; ++x) {
          require(c(s, y, x) >= 0 && c(s, y, x) < size_, "a code outside its codebook");
          frame.codes[s].at(y, x) = static_cast<int32_t>(c(s, y, x));
          frame.said.at(y, x) += c(s, y, x) != 0;
          says |= c(s, y, x) != 0;
        }
      }
    }
    const double before = writer_.bits;
    const py::gil_scoped_release release;
    model_.code(writer_, says);
    model_.advance();
    return writer_.bits - before;
  }

  py::bytes finish() { return to_bytes(writer_.range.finish()); }

  py::dict state() {
    const ChangeState state = model_.bits().state();
    py::dict result;
    result["counters"] = array_of(state.counters);
    result["weights"] = array_of(state.weights);
    result["uses"] = array_of(state.uses);
    return result;
  }

 private:
  Extent extent_;
  int size_;
  ChangeModel model_;
  Writer writer_;
};

// The reader points into the payload, so neither is ever moved.
class ChangeDecoder {
 public:
  ChangeDecoder(const ChangeDecoder&) = delete;

  ChangeDecoder(std::string payload, int rows, int columns, int stages, int codebook_size,
                const std::optional<py::dict>& start)
      : extent_{rows, columns, stages},
        payload_(std::move(payload)),
        model_(model_of(extent_, codebook_size, start)),
        reader_{vqcodec::RangeDecoder(data_of(payload_), payload_.size())} {}

  // The next frame: which blocks move, from where, and the codes.
  py::tuple next() {
    Array<uint8_t> moving({extent_.block_rows(), extent_.block_columns()});
    Array<int8_t> motion({extent_.block_rows(), extent_.block_columns(), 2});
    Array<int64_t> codes({extent_.stages, extent_.rows, extent_.columns});
    auto m = moving.mutable_unchecked<2>();
    auto v = motion.mutable_unchecked<3>();
    auto c = codes.mutable_unchecked<3>();
    {
      const py::gil_scoped_release release;
      model_.code(reader_, false);
      const Frame& frame = model_.frame();
      for (int y = 0; y < extent_.block_rows(); ++y) {
        for (int x = 0; x < extent_.block_columns(); ++x) {
          m(y, x) = frame.moving.at(y, x);
          v(y, x, 0) = frame.motion.at(y, x).y;
          v(y, x, 1) = frame.motion.at(y, x).x;
        }
      }
      for (int s = 0; s < extent_.stages; ++s) {
        for (int y = 0; y < extent_.rows; ++y) {
          for (int x = 0; x < extent_.columns; ++x) c(s, y, x) = frame.codes[s].at(y, x);
        }
      }
      model_.advance();
    }
    return py::make_tuple(moving, motion, codes);
  }

  void finish() const { reader_.range.finish(); }

 private:
  Extent extent_;
  std::string payload_;
  ChangeModel model_;
  Reader reader_;
};

}  // namespace

void bind_changes(py::module_& m) {
  py::class_<ChangeEncoder>(m, "ChangeEncoder")
      .def(py::init<int, int, int, int, const std::optional<py::dict>&>())
      .def("add", &ChangeEncoder::add, py::arg("moving").noconvert(), py::arg("motion").noconvert(),
           py::arg("codes").noconvert())
      .def("finish", &ChangeEncoder::finish)
      .def("state", &ChangeEncoder::state);
  py::class_<ChangeDecoder>(m, "ChangeDecoder")
      .def(py::init<std::string, int, int, int, int, const std::optional<py::dict>&>())
      .def("next", &ChangeDecoder::next)
      .def("finish", &ChangeDecoder::finish);
}
