// A network of two hidden layers that guesses each code from the reconstructions around it, in
// integers.
//
// As in network.hpp a place is the sum of the embeddings of its codes so far, and nine places are
// looked at. The first layer is told how many stages the grid has, which says what bits are worth.
// Output 0 says whether the code is another one than 0; the outputs of the others are computed
// only where it is. Inputs and hidden units stay below 2^11 and weights below 2^10, so no sum
// leaves 32 bits.

#ifndef VQCODEC_ENTROPY_DEEP_NETWORK_HPP_
#define VQCODEC_ENTROPY_DEEP_NETWORK_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "code_tree.hpp"
#include "contexts.hpp"
#include "logistic.hpp"
#include "matrix_vector.hpp"
#include "places.hpp"

namespace vqcodec {

// Views of the arrays of a network.
struct DeepNetworkTables {
  int stages = 0;
  int dimensions = 0;
  int first = 0;
  int second = 0;
  // (stages, K, dimensions), |.| <= 2047.
  const int16_t* embeddings = nullptr;
  // (stages, first, kPlaces * dimensions), (stages, second, first), (stages, K, second); |.| <=
  // 1023.
  const int16_t* first_weights = nullptr;
  const int16_t* second_weights = nullptr;
  const int16_t* output_weights = nullptr;
  // (stages, stages, first), the second axis by the number of stages of the grid less one;
  // (stages, second), (stages, K); |.| <= 2^28.
  const int32_t* first_biases = nullptr;
  const int32_t* second_biases = nullptr;
  const int32_t* output_biases = nullptr;
  // (stages, 3): how far the sums of each layer are shifted down, in [0, 30].
  const int32_t* shifts = nullptr;
};

// The network over one grid. Stages go in order; codes of a stage in row-major order.
class DeepNetwork {
 public:
  using Tables = DeepNetworkTables;

  DeepNetwork(const Tables& tables, int codebook_size, bool, const Grid& grid)
      : tables_(tables),
        size_(codebook_size),
        grid_stages_(grid.stages),
        grid_(grid),
        places_(tables.dimensions, grid),
        tree_(codebook_size),
        ahead_(static_cast<std::size_t>(grid.height * grid.width * tables.first)),
        input_(static_cast<std::size_t>(kPlaces * tables.dimensions)),
        sums_(static_cast<std::size_t>(std::max({tables.first, tables.second, codebook_size}))),
        first_(static_cast<std::size_t>(tables.first)),
        second_(static_cast<std::size_t>(tables.second)) {}

  bool exists() const { return true; }

  // Adds up what the first layer sees of the places that the codes of this stage do not change
  // before their turn: this one, and those that come later.
  void start_stage(int stage) {
    const std::ptrdiff_t s = stage, dimensions = tables_.dimensions, first = tables_.first;
    const std::ptrdiff_t row = kPlaces * dimensions, skipped = kEarlierPlaces * dimensions;
    const int16_t* weights = tables_.first_weights + s * first * row + skipped;
    const int32_t* biases =
        tables_.first_biases + (s * tables_.stages + std::max(grid_stages_ - 1, 0)) * first;
    int32_t* sums = ahead_.data();
    for (int64_t y = 0; y < grid_.height; ++y) {
      for (int64_t x = 0; x < grid_.width; ++x, sums += first) {
        places_.gather(y, x, input_.data());
        matrix_vector({weights, row}, biases, input_.data() + skipped, tables_.first,
                      static_cast<int>(row - skipped), sums);
      }
    }
  }

  // Guesses whether code (stage, y, x) is 0 from what add() has been told.
  void predict(int stage, int64_t y, int64_t x) {
    const std::ptrdiff_t s = stage, dimensions = tables_.dimensions;
    const std::ptrdiff_t row = kPlaces * dimensions;
    places_.gather(y, x, input_.data());
    matrix_vector({tables_.first_weights + s * tables_.first * row, row},
                  ahead_.data() + (y * grid_.width + x) * tables_.first, input_.data(),
                  tables_.first, static_cast<int>(kEarlierPlaces * dimensions), sums_.data());
    activate(tables_.first, tables_.shifts[3 * s], first_.data());
    matrix_vector({tables_.second_weights + s * tables_.second * tables_.first, tables_.first},
                  tables_.second_biases + s * tables_.second, first_.data(), tables_.second,
                  tables_.first, sums_.data());
    activate(tables_.second, tables_.shifts[3 * s + 1], second_.data());
    stage_ = stage;
    outputs(0, 1);
    other_ =
        static_cast<int>(std::clamp(sums_[0] >> tables_.shifts[3 * s + 2], -kMaxLogit, kMaxLogit));
  }

  // Guesses which of the other codes it is; predict() came before.
  void expand() {
    outputs(1, size_);
    tree_.spread(sums_.data(), 1, tables_.shifts[3 * std::ptrdiff_t{stage_} + 2], false);
  }

  // The logit of bit 1 at a node; node 0 is the choice between the zero code and all others.
  int logit(uint32_t node) const { return node == 0 ? other_ : tree_.logit(node); }

  // Tells that code (stage, y, x) is now known.
  void add(int stage, int64_t y, int64_t x, int64_t code) {
    places_.add(y, x,
                tables_.embeddings + (std::ptrdiff_t{stage} * size_ + code) * tables_.dimensions);
  }

 private:
  static constexpr int kEarlierPlaces = 4;

  void activate(int count, int32_t shift, int16_t* units) const {
    for (int i = 0; i < count; ++i) {
      units[i] = static_cast<int16_t>(std::clamp(sums_[i] >> shift, 0, int{kMaxActivation}));
    }
  }

  // Sums of the outputs [begin, end).
  void outputs(int begin, int end) {
    const std::ptrdiff_t first = std::ptrdiff_t{stage_} * size_ + begin;
    matrix_vector({tables_.output_weights + first * tables_.second, tables_.second},
                  tables_.output_biases + first, second_.data(), end - begin, tables_.second,
                  sums_.data() + begin);
  }

  Tables tables_;
  int size_;
  int grid_stages_;
  Grid grid_;
  Places places_;
  CodeTree tree_;
  std::vector<int32_t> ahead_;
  std::vector<int16_t> input_;
  std::vector<int32_t> sums_;
  std::vector<int16_t> first_;
  std::vector<int16_t> second_;
  int stage_ = 0;
  int other_ = 0;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_DEEP_NETWORK_HPP_
