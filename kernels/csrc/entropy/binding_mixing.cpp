// The Python face of context mixing. Codes to be coded are copied first: the model writes into its
// grid, and the caller's array may change while the GIL is released.

#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "binding.hpp"
#include "mixing_codec.hpp"
#include "mixing_costs.hpp"

namespace py = pybind11;

namespace {

using vqcodec::Grid;

// Holds the arrays that a vqcodec::MixingStart points into, their types and shapes checked.
class MixingStart {
 public:
  MixingStart(int codebook_size, const py::dict& arrays) {
    require(codebook_size >= 1 && codebook_size <= 1 << vqcodec::kMaxDepth, "codebook size");
    view_.codebook_size = codebook_size;
    view_.stages = size_of(arrays, "counters", 0);
    view_.dimensions = size_of(arrays, "embeddings", 2);
    view_.first = size_of(arrays, "first_weights", 1);
    view_.second = size_of(arrays, "second_weights", 1);
    using Shape = std::vector<py::ssize_t>;
    view_.visit_arrays([&](const char* name, auto*& data, const Shape& shape) {
      using T = std::remove_const_t<std::remove_reference_t<decltype(*data)>>;
      const py::object object = arrays[name];
      require(py::isinstance<Array<T>>(object), std::string(name) + " has another type or layout");
      const auto array = py::reinterpret_borrow<Array<T>>(object);
      require(Shape(array.shape(), array.shape() + array.ndim()) == shape,
              std::string(name) + " has another shape");
      data = array.data();
      arrays_.push_back(object);
    });
  }

  const vqcodec::MixingStart& view() const { return view_; }

 private:
  static int size_of(const py::dict& arrays, const char* name, int axis) {
    return static_cast<int>(arrays[name].cast<py::array>().shape(axis));
  }

  std::vector<py::object> arrays_;
  vqcodec::MixingStart view_;
};

// shape: (S, *positions), of one to three axes.
Grid grid_of(int64_t* codes, const std::vector<py::ssize_t>& shape) {
  require(shape.size() >= 2 && shape.size() <= 4, "codes must have one to three axes");
  require(*std::min_element(shape.begin(), shape.end()) >= 0, "shape must not be negative");
  const auto axes = static_cast<int>(shape.size()) - 1;
  return {codes,
          static_cast<int>(shape[0]),
          axes,
          axes < 3 ? 1 : shape[1],
          axes < 2 ? 1 : shape[axes - 1],
          shape[axes]};
}

// A grid that owns its codes.
struct OwnGrid {
  std::vector<int64_t> codes;
  Grid grid;
};

OwnGrid copy_of(const Array<int64_t>& codes, int codebook_size) {
  OwnGrid own{{codes.data(), codes.data() + codes.size()}, {}};
  for (const int64_t code : own.codes) {
    require(code >= 0 && code < codebook_size, "code outside the codebook");
  }
  own.grid = grid_of(own.codes.data(), {codes.shape(), codes.shape() + codes.ndim()});
  return own;
}

OwnGrid copy_of(const Array<int64_t>& codes, const MixingStart& start) {
  OwnGrid own = copy_of(codes, start.view().codebook_size);
  require(own.grid.stages <= start.view().stages, "more stages than the model starts");
  return own;
}

py::bytes encode_mixing(const Array<int64_t>& codes, const MixingStart& start, int threads) {
  const OwnGrid own = copy_of(codes, start);
  std::vector<uint8_t> payload;
  {
    const py::gil_scoped_release release;
    payload = vqcodec::encode_mixing(own.grid, start.view(), threads);
  }
  return to_bytes(payload);
}

Array<int64_t> decode_mixing(std::string_view payload, const std::vector<py::ssize_t>& shape,
                             const MixingStart& start, int stages) {
  require(!shape.empty() && stages >= 0 && stages <= shape[0], "more stages than the shape has");
  std::vector<py::ssize_t> read = shape;
  read[0] = stages;
  Array<int64_t> codes(read);
  // The network knows how many stages there are; memory is for those that are read.
  const Grid grid = grid_of(codes.mutable_data(), shape);
  require(grid.stages <= start.view().stages, "more stages than the model starts");
  const py::gil_scoped_release release;
  vqcodec::decode_mixing(data_of(payload), payload.size(), grid, stages, start.view());
  return codes;
}

Array<float> cost_mixing(const Array<int64_t>& codes, const MixingStart& start) {
  const OwnGrid own = copy_of(codes, start);
  Array<float> bits({codes.shape(), codes.shape() + codes.ndim()});
  float* out = bits.mutable_data();
  const py::gil_scoped_release release;
  vqcodec::cost_mixing(own.grid, start.view(), out);
  return bits;
}

Array<int64_t> sample_mixing(const Array<int64_t>& given, const MixingStart& start, uint64_t seed) {
  const std::vector<py::ssize_t> shape(given.shape(), given.shape() + given.ndim());
  Array<int64_t> codes(shape);
  int64_t* out = codes.mutable_data();
  std::copy(given.data(), given.data() + given.size(), out);
  for (py::ssize_t i = 0; i < given.size(); ++i) {
    require(out[i] < start.view().codebook_size, "code outside the codebook");
  }
  const Grid grid = grid_of(out, shape);
  require(grid.stages <= start.view().stages, "more stages than the model starts");
  const py::gil_scoped_release release;
  vqcodec::sample_mixing(grid, start.view(), seed);
  return codes;
}

Array<int64_t> count_mixing(const std::vector<Array<int64_t>>& grids, int codebook_size,
                            int stage) {
  require(codebook_size >= 1 && codebook_size <= 1 << vqcodec::kMaxDepth, "codebook size");
  Array<int64_t> counts({vqcodec::kTrainedValues, static_cast<int>(vqcodec::kTrainedNodes), 2});
  int64_t* out = counts.mutable_data();
  std::fill(out, out + counts.size(), 0);
  for (const Array<int64_t>& codes : grids) {
    const OwnGrid own = copy_of(codes, codebook_size);
    require(stage >= 0 && stage < own.grid.stages, "no such stage");
    vqcodec::count_mixing(own.grid, codebook_size, stage, out);
  }
  return counts;
}

py::tuple learn_mixing(const std::vector<Array<int64_t>>& all_codes, const MixingStart& start,
                       int stage) {
  std::vector<OwnGrid> own;
  std::vector<Grid> grids;
  for (const Array<int64_t>& codes : all_codes) {
    own.push_back(copy_of(codes, start));
    require(stage >= 0 && stage < own.back().grid.stages, "no such stage");
    grids.push_back(own.back().grid);
  }
  constexpr py::ssize_t inputs = vqcodec::kInputs;
  Array<int16_t> by_node({static_cast<py::ssize_t>(vqcodec::kTrainedNodes), inputs});
  Array<int16_t> by_class({static_cast<py::ssize_t>(vqcodec::kClassSets), inputs});
  int16_t* node_out = by_node.mutable_data();
  int16_t* class_out = by_class.mutable_data();
  double bits = 0;
  {
    const py::gil_scoped_release release;
    bits = vqcodec::learn_mixing(grids, start.view(), stage, node_out, class_out);
  }
  return py::make_tuple(bits, by_node, by_class);
}

}  // namespace

void bind_mixing(py::module_& m) {
  py::class_<MixingStart>(m, "MixingStart").def(py::init<int, const py::dict&>());
  m.def("encode_mixing", &encode_mixing);
  m.def("decode_mixing", &decode_mixing);
  m.def("cost_mixing", &cost_mixing);
  m.def("sample_mixing", &sample_mixing);
  m.def("count_mixing", &count_mixing);
  m.def("learn_mixing", &learn_mixing);
  py::dict sizes;
  sizes["TRAINED_VALUES"] = vqcodec::kTrainedValues;
  sizes["TRAINED_NODES"] = vqcodec::kTrainedNodes;
  sizes["INPUTS"] = vqcodec::kInputs;
  sizes["CLASS_SETS"] = vqcodec::kClassSets;
  sizes["PLACES"] = vqcodec::kPlaces;
  sizes["MAX_ACTIVATION"] = vqcodec::kMaxActivation;
  sizes["MAX_CODEBOOK_SIZE"] = 1 << vqcodec::kMaxDepth;
  m.attr("SIZES") = sizes;
}
