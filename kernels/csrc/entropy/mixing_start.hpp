// Where the mixing model of each stage starts, as training left it: views of arrays that outlive
// it.

#ifndef VQCODEC_ENTROPY_MIXING_START_HPP_
#define VQCODEC_ENTROPY_MIXING_START_HPP_

#include <cstdint>

#include "contexts.hpp"
#include "neighbours.hpp"

namespace vqcodec {

constexpr int kMaxDepth = 12;
// Nodes with trained counters and weights of their own: those of the first eight bits.
constexpr uint32_t kTrainedNodes = 256;
// A logit and a confidence for each context, the logit of the network, and a constant.
constexpr int kInputs = 2 * kContexts + 2;
constexpr int kClassSets = kMaxDepth * kZeroClasses;

struct MixingStart {
  int codebook_size = 0;
  int stages = 0;
  // Numbers of an embedding, units of the two hidden layers.
  int dimensions = 0;
  int first = 0;
  int second = 0;

  // Probability of bit 1 in 12 bits, then 4 bits of count.
  const uint16_t* counters = nullptr;
  // In units of 2^-12.
  const int16_t* node_weights = nullptr;
  const int16_t* class_weights = nullptr;
  // |.| <= 2047, and |.| <= 1023 for the weights of the layers, |.| <= 2^28 for their biases.
  const int16_t* embeddings = nullptr;
  const int16_t* first_weights = nullptr;
  // The second axis by the number of stages of the grid, less one.
  const int32_t* first_biases = nullptr;
  const int16_t* second_weights = nullptr;
  const int32_t* second_biases = nullptr;
  const int16_t* output_weights = nullptr;
  const int32_t* output_biases = nullptr;
  // How far the sums of each layer are shifted down, in [0, 30].
  const int32_t* shifts = nullptr;

  // Calls visit(name, array, shape) for each array.
  template <typename Visit>
  void visit_arrays(const Visit& visit) {
    visit("counters", counters, {stages, kTrainedValues, kTrainedNodes});
    visit("node_weights", node_weights, {stages, kTrainedNodes, kInputs});
    visit("class_weights", class_weights, {stages, kClassSets, kInputs});
    visit("embeddings", embeddings, {stages, codebook_size, dimensions});
    visit("first_weights", first_weights, {stages, first, kPlaces * dimensions});
    visit("first_biases", first_biases, {stages, stages, first});
    visit("second_weights", second_weights, {stages, second, first});
    visit("second_biases", second_biases, {stages, second});
    visit("output_weights", output_weights, {stages, codebook_size, second});
    visit("output_biases", output_biases, {stages, codebook_size});
    visit("shifts", shifts, {stages, 3});
  }
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_MIXING_START_HPP_
