// A network of two hidden layers that guesses each code from the reconstructions around it, in
// integers.
//
// Every code has an embedding; a place is the sum of the embeddings of its codes so far, and nine
// places are looked at. The first layer is told how many stages the grid has, which says what bits
// are worth. Output 0 says whether the code is another one than 0; the outputs of the others are
// computed only where it is. Inputs and hidden units stay below 2^11 and weights below 2^10, so no
// sum leaves 32 bits, in any order of summation, and vector units may add as they like.

#ifndef VQCODEC_ENTROPY_NETWORK_HPP_
#define VQCODEC_ENTROPY_NETWORK_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "code_tree.hpp"
#include "contexts.hpp"
#include "logistic.hpp"
#include "mixing_start.hpp"
#include "packed_layer.hpp"
#include "places.hpp"
#include "vector.hpp"

namespace vqcodec {

VQCODEC_VECTOR_CLONES inline int32_t inner_product(const int16_t* a, const int16_t* b, int length) {
  int32_t sum = 0;
  for (int i = 0; i < length; ++i) sum += int32_t{a[i]} * b[i];
  return sum;
}

// The network over one grid. Stages go in order; codes of a stage in row-major order.
class Network {
 public:
  Network(const MixingStart& start, const Grid& grid)
      : start_(start),
        size_(start.codebook_size),
        rate_(std::max(grid.stages - 1, 0)),
        width_(static_cast<int>(grid.width)),
        places_(start.dimensions, grid),
        tree_(start.codebook_size),
        around_(start.first, (kPlaces - 1) * start.dimensions),
        left_(start.first, start.dimensions),
        second_(start.second, start.first),
        output_(start.codebook_size, start.second),
        around_input_(static_cast<std::size_t>(width_) * around_.input_size()),
        left_input_(left_.input_size()),
        first_units_(second_.input_size()),
        second_units_(output_.input_size()),
        first_sums_(static_cast<std::size_t>(width_) * around_.sums_size()),
        second_sums_(second_.sums_size()),
        output_sums_(output_.sums_size()) {}

  void start_stage(int stage) {
    const MixingStart& t = start_;
    const std::ptrdiff_t s = stage;
    const int length = kPlaces * t.dimensions;
    const int16_t* first_weights = t.first_weights + s * t.first * length;
    around_.load(first_weights, length, 0, kLeft * t.dimensions);
    around_.load(first_weights, length, (kLeft + 1) * t.dimensions, length, kLeft * t.dimensions);
    left_.load(first_weights, length, kLeft * t.dimensions, (kLeft + 1) * t.dimensions);
    first_biases_ = t.first_biases + (s * t.stages + rate_) * t.first;
    second_.load(t.second_weights + s * t.second * t.first);
    second_biases_ = t.second_biases + s * t.second;
    output_weights_ = t.output_weights + s * size_ * t.second;
    output_biases_ = t.output_biases + s * size_;
    output_.load(output_weights_);
    shifts_ = t.shifts + 3 * s;
  }

  // Guesses whether the code at (y, x) of this stage is 0, from what add() has been told.
  void predict(int64_t y, int64_t x) {
    const MixingStart& t = start_;
    if (x == 0) start_row(y);
    int32_t* sums = first_sums_.data() + x * around_.sums_size();
    places_.copy(y, x - 1, 1, left_input_.data());
    left_.multiply(left_input_.data(), 1, sums);
    activate(sums, t.first, shifts_[0], first_units_.data());
    std::copy_n(second_biases_, t.second, second_sums_.begin());
    second_.multiply(first_units_.data(), 1, second_sums_.data());
    activate(second_sums_.data(), t.second, shifts_[1], second_units_.data());
    // Output 0 on its own, as most codes need no other.
    const int32_t sum =
        output_biases_[0] + inner_product(output_weights_, second_units_.data(), t.second);
    other_ = std::clamp(sum >> shifts_[2], -kMaxLogit, kMaxLogit);
  }

  // Guesses which of the other codes it is; predict() came before.
  void expand() {
    std::copy_n(output_biases_, size_, output_sums_.begin());
    output_.multiply(second_units_.data(), 1, output_sums_.data());
    tree_.spread(output_sums_.data(), shifts_[2]);
  }

  // The logit of bit 1 at a node; node 0 is the choice between the zero code and all others.
  int logit(uint32_t node) const { return node == 0 ? other_ : tree_.logit(node); }

  // Tells that code (stage, y, x) is now known.
  void add(int stage, int64_t y, int64_t x, int64_t code) {
    places_.add(y, x,
                start_.embeddings + (std::ptrdiff_t{stage} * size_ + code) * start_.dimensions);
  }

 private:
  // The place to the left among the nine, which is the only one that a row changes while it is
  // coded.
  static constexpr int kLeft = 3;

  // Adds up the first layer over the eight other places, for all of a row.
  void start_row(int64_t y) {
    const int dimensions = start_.dimensions;
    for (int x = 0; x < width_; ++x) {
      int16_t* input = around_input_.data() + std::ptrdiff_t{x} * around_.input_size();
      places_.copy(y - 1, x - 1, 3, input);
      places_.copy(y, x, 2, input + 3 * dimensions);
      places_.copy(y + 1, x - 1, 3, input + 5 * dimensions);
      std::copy_n(first_biases_, start_.first,
                  first_sums_.begin() + std::ptrdiff_t{x} * around_.sums_size());
    }
    around_.multiply(around_input_.data(), width_, first_sums_.data());
  }

  static void activate(const int32_t* sums, int count, int32_t shift, int16_t* units) {
    for (int i = 0; i < count; ++i) {
      units[i] = static_cast<int16_t>(std::clamp(sums[i] >> shift, 0, int{kMaxActivation}));
    }
  }

  MixingStart start_;
  int size_;
  int rate_;
  int width_;
  Places places_;
  CodeTree tree_;
  PackedLayer around_;
  PackedLayer left_;
  PackedLayer second_;
  PackedLayer output_;
  // What goes into the layers, and their sums; those of the first layer for all of a row.
  std::vector<int16_t> around_input_;
  std::vector<int16_t> left_input_;
  std::vector<int16_t> first_units_;
  std::vector<int16_t> second_units_;
  std::vector<int32_t> first_sums_;
  std::vector<int32_t> second_sums_;
  std::vector<int32_t> output_sums_;
  const int32_t* first_biases_ = nullptr;
  const int32_t* second_biases_ = nullptr;
  const int16_t* output_weights_ = nullptr;
  const int32_t* output_biases_ = nullptr;
  const int32_t* shifts_ = nullptr;
  int32_t other_ = 0;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_NETWORK_HPP_
