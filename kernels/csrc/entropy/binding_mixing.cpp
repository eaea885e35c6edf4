// The Python face of context mixing. Copies of the codes are made first: the model writes into
// its grid, and the caller's array may change while the GIL is released.

#include "binding_mixing.hpp"

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string_view>
#include <vector>

#include "mixing_codec.hpp"

namespace py = pybind11;

namespace {

using vqcodec::Grid;
using vqcodec::MixingTables;

template <typename T>
using Array = py::array_t<T, py::array::c_style>;

void require(bool holds, const char* message) {
  if (!holds) throw py::value_error(message);
}

// A grid that owns its codes.
struct OwnGrid {
  std::vector<int64_t> codes;
  Grid grid;
};

OwnGrid copy_of(const Array<int64_t>& codes, int codebook_size) {
  require(codes.ndim() == 3, "codes must be (S, H, W)");
  OwnGrid own{{codes.data(), codes.data() + codes.size()}, {}};
  for (const int64_t code : own.codes) {
    require(code >= 0 && code < codebook_size, "code outside the codebook");
  }
  own.grid = {own.codes.data(), static_cast<int>(codes.shape(0)), codes.shape(1), codes.shape(2)};
  return own;
}

MixingTables tables_of(int codebook_size, const Array<uint16_t>& counters,
                       const Array<int16_t>& node_weights, const Array<int16_t>& class_weights,
                       int64_t stages) {
  require(codebook_size >= 1 && codebook_size <= 1 << vqcodec::kMaxDepth, "codebook size");
  require(counters.ndim() == 3 && counters.shape(0) >= stages &&
              counters.shape(1) == vqcodec::kTrainedValues &&
              counters.shape(2) == vqcodec::kTrainedNodes,
          "counters must be (S, values, nodes)");
  require(node_weights.ndim() == 3 && node_weights.shape(0) >= stages &&
              node_weights.shape(1) == vqcodec::kTrainedNodes &&
              node_weights.shape(2) == vqcodec::kInputs,
          "node weights must be (S, nodes, inputs)");
  require(class_weights.ndim() == 3 && class_weights.shape(0) >= stages &&
              class_weights.shape(1) == vqcodec::kClassSets &&
              class_weights.shape(2) == vqcodec::kInputs,
          "class weights must be (S, classes, inputs)");
  return {codebook_size, counters.data(), node_weights.data(), class_weights.data()};
}

py::bytes encode_mixing(const Array<int64_t>& codes, int codebook_size,
                        const Array<uint16_t>& counters, const Array<int16_t>& node_weights,
                        const Array<int16_t>& class_weights) {
  const OwnGrid own = copy_of(codes, codebook_size);
  const MixingTables tables =
      tables_of(codebook_size, counters, node_weights, class_weights, own.grid.stages);
  std::vector<uint8_t> payload;
  {
    const py::gil_scoped_release release;
    payload = vqcodec::encode_mixing(own.grid, tables);
  }
  return py::bytes(reinterpret_cast<const char*>(payload.data()), payload.size());
}

Array<int64_t> decode_mixing(std::string_view payload, int stages, int64_t height, int64_t width,
                             int codebook_size, const Array<uint16_t>& counters,
                             const Array<int16_t>& node_weights,
                             const Array<int16_t>& class_weights) {
  require(stages >= 0 && height >= 0 && width >= 0, "shape must not be negative");
  const MixingTables tables =
      tables_of(codebook_size, counters, node_weights, class_weights, stages);
  Array<int64_t> codes({static_cast<int64_t>(stages), height, width});
  const Grid grid{codes.mutable_data(), stages, height, width};
  const py::gil_scoped_release release;
  vqcodec::decode_mixing(reinterpret_cast<const uint8_t*>(payload.data()), payload.size(), grid,
                         tables);
  return codes;
}

Array<int64_t> count_mixing(const std::vector<Array<int64_t>>& maps, int codebook_size, int stage) {
  require(codebook_size >= 1 && codebook_size <= 1 << vqcodec::kMaxDepth, "codebook size");
  Array<int64_t> counts({vqcodec::kTrainedValues, static_cast<int>(vqcodec::kTrainedNodes), 2});
  int64_t* out = counts.mutable_data();
  std::fill(out, out + counts.size(), 0);
  for (const Array<int64_t>& codes : maps) {
    const OwnGrid own = copy_of(codes, codebook_size);
    require(stage >= 0 && stage < own.grid.stages, "no such stage");
    vqcodec::count_mixing(own.grid, codebook_size, stage, out);
  }
  return counts;
}

py::tuple learn_mixing(const std::vector<Array<int64_t>>& maps, int stage, int codebook_size,
                       const Array<uint16_t>& counters, const Array<int16_t>& node_weights,
                       const Array<int16_t>& class_weights) {
  const MixingTables tables =
      tables_of(codebook_size, counters, node_weights, class_weights, stage + 1);
  std::vector<OwnGrid> own;
  std::vector<Grid> grids;
  for (const Array<int64_t>& codes : maps) {
    own.push_back(copy_of(codes, codebook_size));
    require(stage >= 0 && stage < own.back().grid.stages, "no such stage");
    grids.push_back(own.back().grid);
  }
  Array<int16_t> by_node(
      {static_cast<int>(vqcodec::kTrainedNodes), static_cast<int>(vqcodec::kInputs)});
  Array<int16_t> by_class(
      {static_cast<int>(vqcodec::kClassSets), static_cast<int>(vqcodec::kInputs)});
  int16_t* node_out = by_node.mutable_data();
  int16_t* class_out = by_class.mutable_data();
  double bits = 0;
  {
    const py::gil_scoped_release release;
    bits = vqcodec::learn_mixing(grids, tables, stage, node_out, class_out);
  }
  return py::make_tuple(bits, by_node, by_class);
}

}  // namespace

void bind_mixing(py::module_& m) {
  m.attr("TRAINED_VALUES") = vqcodec::kTrainedValues;
  m.attr("TRAINED_NODES") = vqcodec::kTrainedNodes;
  m.attr("INPUTS") = vqcodec::kInputs;
  m.attr("CLASS_SETS") = vqcodec::kClassSets;
  m.def("encode_mixing", &encode_mixing);
  m.def("decode_mixing", &decode_mixing);
  m.def("count_mixing", &count_mixing);
  m.def("learn_mixing", &learn_mixing);
}
