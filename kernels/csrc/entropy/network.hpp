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
#include "grid.hpp"
#include "logistic.hpp"
#include "mixing_start.hpp"
#include "neighbours.hpp"
#include "packed_layer.hpp"
#include "places.hpp"
#include "vector.hpp"

namespace vqcodec {

VQCODEC_VECTOR_CLONES inline int32_t inner_product(const int16_t* a, const int16_t* b, int length) {
  int32_t sum = 0;
  for (int i = 0; i < length; ++i) sum += int32_t{a[i]} * b[i];
  return sum;
}

// The network over one grid. Stages go in order, the codes of a stage in row-major order.
class Network {
 public:
  Network(const MixingStart& start, const Grid& grid)
      : start_(start),
        size_(start.codebook_size),
        rate_(std::max(grid.stages - 1, 0)),
        columns_(grid.columns),
        neighbours_(kNeighbours[grid.axes - 1]),
        places_(start.dimensions, grid),
        late_runs_(places_.runs([](const Offset& o) { return o.earlier_in_row(); })),
        ahead_runs_(places_.runs([](const Offset& o) { return !o.earlier_in_row(); })),
        tree_(start.codebook_size),
        late_(start.first, late_places(neighbours_) * start.dimensions),
        ahead_(start.first, (kPlaces - late_places(neighbours_)) * start.dimensions),
        second_(start.second, start.first),
        output_(start.codebook_size, start.second),
        late_input_(late_.input_size()),
        ahead_input_(kStretch * ahead_.input_size()),
        first_units_(second_.input_size()),
        second_units_(output_.input_size()),
        first_sums_(kStretch * ahead_.sums_size()),
        second_sums_(second_.sums_size()),
        output_sums_(output_.sums_size()) {}

  void start_stage(int stage) {
    const MixingStart& t = start_;
    const std::ptrdiff_t s = stage;
    load_first(t.first_weights + s * t.first * kPlaces * t.dimensions);
    first_biases_ = t.first_biases + (s * t.stages + rate_) * t.first;
    second_.load(t.second_weights + s * t.second * t.first);
    second_biases_ = t.second_biases + s * t.second;
    output_weights_ = t.output_weights + s * size_ * t.second;
    output_biases_ = t.output_biases + s * size_;
    output_.load(output_weights_);
    shifts_ = t.shifts + 3 * s;
  }

  void start_row(int64_t z, int64_t y) { row_ = places_.at(z, y, 0); }

  // Guesses whether code x of this row is 0, from what add() has been told. Those before it came
  // before.
  void predict(int64_t x) {
    const MixingStart& t = start_;
    if (x % kStretch == 0) start_stretch(x);
    int32_t* sums = first_sums_.data() + x % kStretch * ahead_.sums_size();
    places_.copy(position(x), late_runs_, late_input_.data());
    late_.multiply(late_input_.data(), 1, sums);
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

  // Tells that code x of this row is now known.
  void add(int stage, int64_t x, int64_t code) {
    places_.add(position(x),
                start_.embeddings + (std::ptrdiff_t{stage} * size_ + code) * start_.dimensions);
  }

 private:
  // So many positions of a row have their first layer added up ahead, over all places but those
  // that come earlier in the row, which change while it is coded.
  static constexpr int64_t kStretch = 64;

  static int late_places(const Neighbours& neighbours) {
    int count = 0;
    for (const Offset& place : neighbours.places) count += place.earlier_in_row();
    return count;
  }

  std::ptrdiff_t position(int64_t x) const { return row_ + x * start_.dimensions; }

  // Parts the columns of the first layer's weights.
  void load_first(const int16_t* weights) {
    const int length = start_.dimensions;
    int late = 0, ahead = 0;
    for (int i = 0; i < kPlaces; ++i) {
      const bool is_late = neighbours_.places[i].earlier_in_row();
      (is_late ? late_ : ahead_)
          .load(weights, kPlaces * length, i * length, (i + 1) * length,
                (is_late ? late : ahead) * length);
      ++(is_late ? late : ahead);
    }
  }

  void start_stretch(int64_t x) {
    const auto count = static_cast<int>(std::min(kStretch, columns_ - x));
    for (int i = 0; i < count; ++i) {
      places_.copy(position(x + i), ahead_runs_, ahead_input_.data() + i * ahead_.input_size());
      std::copy_n(first_biases_, start_.first, first_sums_.begin() + i * ahead_.sums_size());
    }
    ahead_.multiply(ahead_input_.data(), count, first_sums_.data());
  }

  static void activate(const int32_t* sums, int count, int32_t shift, int16_t* units) {
    for (int i = 0; i < count; ++i) {
      units[i] = static_cast<int16_t>(std::clamp(sums[i] >> shift, 0, int{kMaxActivation}));
    }
  }

  MixingStart start_;
  int size_;
  int rate_;
  int64_t columns_;
  const Neighbours& neighbours_;
  Places places_;
  std::vector<Places::Run> late_runs_;
  std::vector<Places::Run> ahead_runs_;
  CodeTree tree_;
  // The first layer in two parts, then the others.
  PackedLayer late_;
  PackedLayer ahead_;
  PackedLayer second_;
  PackedLayer output_;
  // What goes into the layers, and their sums; those of the first layer for all of a stretch.
  std::vector<int16_t> late_input_;
  std::vector<int16_t> ahead_input_;
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
  std::ptrdiff_t row_ = 0;
  int32_t other_ = 0;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_NETWORK_HPP_
