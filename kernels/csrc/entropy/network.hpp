// A small integer network that guesses each code from the reconstructions around it.
//
// Every code has an embedding; a place is the sum of the embeddings of its codes so far. One
// hidden layer looks at nine places, and the output layer gives each code a logit. Inputs and
// hidden units stay below 2^11 and weights below 2^10, so no sum leaves 32 bits, in any order of
// summation, and vector units may add as they like.

#ifndef VQCODEC_ENTROPY_NETWORK_HPP_
#define VQCODEC_ENTROPY_NETWORK_HPP_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "contexts.hpp"
#include "logistic.hpp"
#include "vector.hpp"

namespace vqcodec {

constexpr int kPlaces = 9;
constexpr int kMaxActivation = 2047;
constexpr int kMaxNetworkWeight = 1023;

// Views of the arrays of a network; stages = 0 means that there is none.
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

// sums[r] = biases[r] + rows[r] . input, four rows at a time to use each input four times.
VQCODEC_VECTOR_CLONES inline void matrix_vector(const int16_t* rows, const int32_t* biases,
                                                const int16_t* input, int count, int length,
                                                int32_t* sums) {
  int r = 0;
  for (; r + 4 <= count; r += 4) {
    const int16_t* row0 = rows + std::ptrdiff_t{r} * length;
    const int16_t* row1 = row0 + length;
    const int16_t* row2 = row1 + length;
    const int16_t* row3 = row2 + length;
    int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    for (int i = 0; i < length; ++i) {
      sum0 += int32_t{row0[i]} * input[i];
      sum1 += int32_t{row1[i]} * input[i];
      sum2 += int32_t{row2[i]} * input[i];
      sum3 += int32_t{row3[i]} * input[i];
    }
    sums[r] = biases[r] + sum0;
    sums[r + 1] = biases[r + 1] + sum1;
    sums[r + 2] = biases[r + 2] + sum2;
    sums[r + 3] = biases[r + 3] + sum3;
  }
  for (; r < count; ++r) {
    const int16_t* row = rows + std::ptrdiff_t{r} * length;
    int32_t sum = biases[r];
    for (int i = 0; i < length; ++i) sum += int32_t{row[i]} * input[i];
    sums[r] = sum;
  }
}

// The network over one grid. Stages go in order; codes of a stage in row-major order.
class Network {
 public:
  Network(const NetworkTables& tables, int codebook_size, bool zero_first, const Grid& grid)
      : tables_(tables),
        size_(codebook_size),
        zero_first_(zero_first),
        leaves_(1),
        row_((grid.width + 2) * tables.dimensions),
        totals_(static_cast<std::size_t>((grid.height + 2) * row_)),
        places_(totals_.size()),
        input_(static_cast<std::size_t>(kPlaces * tables.dimensions)),
        sums_(static_cast<std::size_t>(std::max(tables.hidden, codebook_size))),
        hidden_(static_cast<std::size_t>(tables.hidden)) {
    while (leaves_ < size_) leaves_ *= 2;
    masses_.resize(static_cast<std::size_t>(2 * leaves_));
  }

  bool exists() const { return tables_.dimensions > 0; }

  // Guesses code (stage, y, x) from what add() has been told.
  void predict(int stage, int64_t y, int64_t x) {
    gather(y, x);
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
    spread(tables_.shifts[2 * s + 1]);
  }

  // The logit of bit 1 at a node, whose bits 0 and 1 are both possible. Node 0 is the choice
  // between the zero code, whose mass is there, and all others.
  int logit(uint32_t node) const {
    const uint64_t one = masses_[2 * node + 1];
    const uint64_t p = (one << kProbabilityBits) / (one + masses_[2 * node]);
    return Logistic::tables().stretch(
        static_cast<uint32_t>(std::min<uint64_t>(p, (1u << kProbabilityBits) - 1)));
  }

  // Tells that code (stage, y, x) is now known.
  void add(int stage, int64_t y, int64_t x, int64_t code) {
    const std::ptrdiff_t place = at(y, x);
    const int16_t* embedding =
        tables_.embeddings + (std::ptrdiff_t{stage} * size_ + code) * tables_.dimensions;
    for (int d = 0; d < tables_.dimensions; ++d) {
      totals_[place + d] += embedding[d];
      places_[place + d] = static_cast<int16_t>(
          std::clamp(totals_[place + d], -int{kMaxActivation}, int{kMaxActivation}));
    }
  }

 private:
  // Grids have a border of zeros one place wide.
  std::ptrdiff_t at(int64_t y, int64_t x) const {
    return (y + 1) * row_ + (x + 1) * tables_.dimensions;
  }

  // Three places of a row lie side by side, so three copies fetch all nine.
  void gather(int64_t y, int64_t x) {
    const std::ptrdiff_t three = 3 * tables_.dimensions;
    for (int64_t dy = -1; dy <= 1; ++dy) {
      const int16_t* from = places_.data() + at(y + dy, x - 1);
      std::copy(from, from + three, input_.data() + (dy + 1) * three);
    }
  }

  // Turns output sums into a mass for each code, and adds the masses up along the tree.
  void spread(int32_t shift) {
    const int32_t top = *std::max_element(sums_.begin(), sums_.begin() + size_);
    for (int k = 0; k < leaves_; ++k) {
      masses_[leaves_ + k] =
          k < size_ ? Logistic::tables().decay((int64_t{top} - sums_[k]) >> shift) : 0;
    }
    if (zero_first_) masses_[0] = std::exchange(masses_[leaves_], 0);
    for (int node = leaves_ - 1; node > 0; --node) {
      masses_[node] = masses_[2 * node] + masses_[2 * node + 1];
    }
  }

  NetworkTables tables_;
  int size_;
  bool zero_first_;
  int leaves_;
  std::ptrdiff_t row_;
  // Invariant: totals_ are the sums of the embeddings of the known codes, at most 64 * 2047 in
  // size; places_ are the same, clamped.
  std::vector<int32_t> totals_;
  std::vector<int16_t> places_;
  std::vector<int16_t> input_;
  std::vector<int32_t> sums_;
  std::vector<int16_t> hidden_;
  // Node n of the tree has children 2n and 2n + 1; at most 4096 codes of mass 2^16 each. With the
  // zero code first its mass is number 0, beside that of all others, number 1.
  std::vector<uint32_t> masses_;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_NETWORK_HPP_
