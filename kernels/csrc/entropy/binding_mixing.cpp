// The Python face of context mixing. Codes to be coded are copied first: the model writes into its
// grid, and the caller's array may change while the GIL is released.

#include "binding_mixing.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "mixing_codec.hpp"

namespace py = pybind11;

namespace {

using vqcodec::Grid;

template <typename T>
using Array = py::array_t<T, py::array::c_style>;

void require(bool holds, const char* message) {
  if (!holds) throw py::value_error(message);
}

template <typename T>
void require_shape(const Array<T>& array, std::initializer_list<py::ssize_t> shape,
                   const char* message) {
  require(array.ndim() == static_cast<py::ssize_t>(shape.size()) &&
              std::equal(shape.begin(), shape.end(), array.shape()),
          message);
}

// Holds the arrays that a vqcodec::MixingTables points into, their shapes checked.
class Tables {
 public:
  Tables(int codebook_size, Array<uint16_t> counters, Array<int16_t> node_weights,
         Array<int16_t> class_weights, Array<int16_t> embeddings, Array<int16_t> first_weights,
         Array<int32_t> first_biases, Array<int16_t> second_weights, Array<int32_t> second_biases,
         Array<int16_t> output_weights, Array<int32_t> output_biases, Array<int32_t> shifts)
      : counters_(std::move(counters)),
        node_weights_(std::move(node_weights)),
        class_weights_(std::move(class_weights)),
        embeddings_(std::move(embeddings)),
        first_weights_(std::move(first_weights)),
        first_biases_(std::move(first_biases)),
        second_weights_(std::move(second_weights)),
        second_biases_(std::move(second_biases)),
        output_weights_(std::move(output_weights)),
        output_biases_(std::move(output_biases)),
        shifts_(std::move(shifts)) {
    require(codebook_size >= 1 && codebook_size <= 1 << vqcodec::kMaxDepth, "codebook size");
    require(counters_.ndim() == 3 && embeddings_.ndim() == 3 && first_weights_.ndim() == 3 &&
                second_weights_.ndim() == 3,
            "counters, embeddings, first and second weights must be of rank 3");
    const py::ssize_t stages = counters_.shape(0), dimensions = embeddings_.shape(2);
    const py::ssize_t first = first_weights_.shape(1), second = second_weights_.shape(1);
    using vqcodec::kClassSets, vqcodec::kInputs, vqcodec::kTrainedNodes;
    require_shape(counters_, {stages, vqcodec::kTrainedValues, kTrainedNodes}, "counters");
    require_shape(node_weights_, {stages, kTrainedNodes, kInputs}, "node weights");
    require_shape(class_weights_, {stages, kClassSets, kInputs}, "class weights");
    require_shape(embeddings_, {stages, codebook_size, dimensions}, "embeddings");
    require_shape(first_weights_, {stages, first, vqcodec::kPlaces * dimensions}, "first weights");
    require_shape(first_biases_, {stages, stages, first}, "first biases");
    require_shape(second_weights_, {stages, second, first}, "second weights");
    require_shape(second_biases_, {stages, second}, "second biases");
    require_shape(output_weights_, {stages, codebook_size, second}, "output weights");
    require_shape(output_biases_, {stages, codebook_size}, "output biases");
    require_shape(shifts_, {stages, 3}, "shifts");
    view_ = {codebook_size,
             counters_.data(),
             node_weights_.data(),
             class_weights_.data(),
             {static_cast<int>(stages), static_cast<int>(dimensions), static_cast<int>(first),
              static_cast<int>(second), embeddings_.data(), first_weights_.data(),
              second_weights_.data(), output_weights_.data(), first_biases_.data(),
              second_biases_.data(), output_biases_.data(), shifts_.data()}};
  }

  const vqcodec::MixingTables& view() const { return view_; }
  py::ssize_t stages() const { return view_.network.stages; }

 private:
  Array<uint16_t> counters_;
  Array<int16_t> node_weights_, class_weights_, embeddings_, first_weights_;
  Array<int32_t> first_biases_;
  Array<int16_t> second_weights_;
  Array<int32_t> second_biases_;
  Array<int16_t> output_weights_;
  Array<int32_t> output_biases_, shifts_;
  vqcodec::MixingTables view_{};
};

// A grid that owns its codes.
struct OwnGrid {
  std::vector<int64_t> codes;
  Grid grid;
};

OwnGrid copy_of(const Array<int64_t>& codes, int codebook_size, py::ssize_t stages) {
  require(codes.ndim() == 3 && codes.shape(0) <= stages, "codes must be (S, H, W)");
  OwnGrid own{{codes.data(), codes.data() + codes.size()}, {}};
  for (const int64_t code : own.codes) {
    require(code >= 0 && code < codebook_size, "code outside the codebook");
  }
  own.grid = {own.codes.data(), static_cast<int>(codes.shape(0)), codes.shape(1), codes.shape(2)};
  return own;
}

py::bytes encode_mixing(const Array<int64_t>& codes, const Tables& tables, int threads) {
  const OwnGrid own = copy_of(codes, tables.view().codebook_size, tables.stages());
  std::vector<uint8_t> payload;
  {
    const py::gil_scoped_release release;
    payload = vqcodec::encode_mixing(own.grid, tables.view(), threads);
  }
  return py::bytes(reinterpret_cast<const char*>(payload.data()), payload.size());
}

Array<int64_t> decode_mixing(std::string_view payload, int stages, int64_t height, int64_t width,
                             const Tables& tables) {
  require(stages >= 0 && height >= 0 && width >= 0, "shape must not be negative");
  require(stages <= tables.stages(), "more stages than tables");
  Array<int64_t> codes({static_cast<int64_t>(stages), height, width});
  const Grid grid{codes.mutable_data(), stages, height, width};
  const py::gil_scoped_release release;
  vqcodec::decode_mixing(reinterpret_cast<const uint8_t*>(payload.data()), payload.size(), grid,
                         tables.view());
  return codes;
}

Array<int64_t> count_mixing(const std::vector<Array<int64_t>>& grids, int codebook_size,
                            int stage) {
  require(codebook_size >= 1 && codebook_size <= 1 << vqcodec::kMaxDepth, "codebook size");
  Array<int64_t> counts({vqcodec::kTrainedValues, static_cast<int>(vqcodec::kTrainedNodes), 2});
  int64_t* out = counts.mutable_data();
  std::fill(out, out + counts.size(), 0);
  for (const Array<int64_t>& codes : grids) {
    const OwnGrid own = copy_of(codes, codebook_size, codes.shape(0));
    require(stage >= 0 && stage < own.grid.stages, "no such stage");
    vqcodec::count_mixing(own.grid, codebook_size, stage, out);
  }
  return counts;
}

py::tuple learn_mixing(const std::vector<Array<int64_t>>& all_codes, const Tables& tables,
                       int stage) {
  std::vector<OwnGrid> own;
  std::vector<Grid> grids;
  for (const Array<int64_t>& codes : all_codes) {
    own.push_back(copy_of(codes, tables.view().codebook_size, tables.stages()));
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
    bits = vqcodec::learn_mixing(grids, tables.view(), stage, node_out, class_out);
  }
  return py::make_tuple(bits, by_node, by_class);
}

}  // namespace

void bind_mixing(py::module_& m) {
  py::class_<Tables>(m, "Tables")
      .def(py::init<int, Array<uint16_t>, Array<int16_t>, Array<int16_t>, Array<int16_t>,
                    Array<int16_t>, Array<int32_t>, Array<int16_t>, Array<int32_t>, Array<int16_t>,
                    Array<int32_t>, Array<int32_t>>());
  m.def("encode_mixing", &encode_mixing);
  m.def("decode_mixing", &decode_mixing);
  m.def("count_mixing", &count_mixing);
  m.def("learn_mixing", &learn_mixing);
}
