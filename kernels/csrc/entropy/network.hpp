// A small integer network that guesses each code from the reconstructions around it.
//
// Every code has an embedding; a place is the sum of the embeddings of its codes so far. One
// hidden layer looks at nine places, and the output layer gives each code a logit. Inputs and
// hidden units stay below 2^11 and weights below 2^10, so no sum leaves 32 bits, in any order of
// summation, and vector units may add as they like.

#ifndef VQCODEC_ENTROPY_NETWORK_HPP_
#define VQCODEC_ENTROPY_NETWORK_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "code_tree.hpp"
#include "contexts.hpp"
#include "matrix_vector.hpp"
#include "places.hpp"

namespace vqcodec {

// Views of the arrays of a network; dimensions = 0 means that there is none.
struct NetworkTables {
  int dimensions = 0;
  int hidden = 0;
  // (stages, K, dimensions), |.| <= 2047.
  const int16_t* embeddings = nullptr;
  // (stages, hidden, kPlaces * dimensions) and (stages, K, hidden), |.| <= 1023.
  const int16_t* hidden_weights = nullptr;
  const int16_t* output_weights = nullptr;
  // (stages, hidden) and (stages, K), |.| <= 2^28.
  const int32_t* hidden_biases = nullptr;
  const int32_t* output_biases = nullptr;
  // (stages, 2): how far the sums of either layer are shifted down, in [0, 30].
  const int32_t* shifts = nullptr;
};

// The network over one grid. Stages go in order; codes of a stage in row-major order.
class Network {
 public:
  using Tables = NetworkTables;

  Network(const Tables& tables, int codebook_size, bool zero_first, const Grid& grid)
      : tables_(tables),
        size_(codebook_size),
        zero_first_(zero_first),
        places_(tables.dimensions, grid),
        tree_(codebook_size),
        input_(static_cast<std::size_t>(kPlaces * tables.dimensions)),
        sums_(static_cast<std::size_t>(std::max(tables.hidden, codebook_size))),
        hidden_(static_cast<std::size_t>(tables.hidden)) {}

  bool exists() const { return tables_.dimensions > 0; }

  void start_stage(int) {}

  // Guesses code (stage, y, x) from what add() has been told.
  void predict(int stage, int64_t y, int64_t x) {
    places_.gather(y, x, input_.data());
    const int hidden = tables_.hidden;
    const int length = kPlaces * tables_.dimensions;
    const std::ptrdiff_t s = stage;
    matrix_vector(tables_.hidden_weights + s * hidden * length, tables_.hidden_biases + s * hidden,
                  input_.data(), hidden, length, sums_.data());
    for (int h = 0; h < hidden; ++h) {
      hidden_[h] = static_cast<int16_t>(
          std::clamp(sums_[h] >> tables_.shifts[2 * s], 0, int{kMaxActivation}));
    }
    matrix_vector(tables_.output_weights + s * size_ * hidden, tables_.output_biases + s * size_,
                  hidden_.data(), size_, hidden, sums_.data());
    tree_.spread(sums_.data(), 0, tables_.shifts[2 * s + 1], zero_first_);
  }

  void expand() {}

  // The logit of bit 1 at a node, whose bits 0 and 1 are both possible. Node 0 is the choice
  // between the zero code and all others.
  int logit(uint32_t node) const { return tree_.logit(node); }

  // Tells that code (stage, y, x) is now known.
  void add(int stage, int64_t y, int64_t x, int64_t code) {
    places_.add(y, x,
                tables_.embeddings + (std::ptrdiff_t{stage} * size_ + code) * tables_.dimensions);
  }

 private:
  Tables tables_;
  int size_;
  bool zero_first_;
  Places places_;
  CodeTree tree_;
  std::vector<int16_t> input_;
  std::vector<int32_t> sums_;
  std::vector<int16_t> hidden_;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_NETWORK_HPP_
