// Adaptive context mixing of the bits of codes, in integers only.
//
// Node 0 asks whether a code is another one than 0. Only then is there a walk down a binary tree,
// most significant bit first, which cannot end at 0; its nodes are the bits so far behind a leading
// 1. Each context keeps a counter for each node, an adapting probability; two mixers, each with its
// own choice of weights, combine the logits; all of it adapts along the grid.

#ifndef VQCODEC_ENTROPY_MIXING_HPP_
#define VQCODEC_ENTROPY_MIXING_HPP_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "contexts.hpp"
#include "counters.hpp"
#include "grid.hpp"
#include "logistic.hpp"
#include "mixer.hpp"
#include "mixing_start.hpp"
#include "network.hpp"

namespace vqcodec {

// Number of bits of the indices below `codebook_size`.
inline int tree_depth(int codebook_size) {
  int depth = 0;
  while ((1 << depth) < codebook_size) ++depth;
  return depth;
}

// The model of one stage at a time. Coder: void begin(int64_t code), told what stands in the grid
// before each code, and bool code(bool bit, uint32_t one), which returns the bit that was coded; a
// decoder ignores the bit that it is given.
class MixingModel {
 public:
  MixingModel(const MixingStart& start, const Grid& grid)
      : start_(start),
        grid_(grid),
        depth_(tree_depth(start.codebook_size)),
        network_(start, grid),
        by_node_(kTrainedNodes),
        by_class_(kClassSets) {
    for (const int size : kContextSizes) counters_.emplace_back(size, depth_);
  }

  // Puts the counters back to where training left them.
  void start_counters(int stage) {
    const uint32_t nodes = std::min(kTrainedNodes, 1u << depth_);
    const uint16_t* stored =
        start_.counters + static_cast<std::size_t>(stage) * kTrainedValues * kTrainedNodes;
    for (int c = 0; c < kContexts; ++c) {
      counters_[c].reset();
      if (c >= kTrainedContexts) continue;
      for (int value = 0; value < kContextSizes[c]; ++value, stored += kTrainedNodes) {
        for (uint32_t node = 0; node < nodes; ++node) {
          counters_[c].at(value, node) = Counters::unpack(stored[node]);
        }
      }
    }
  }

  // Puts the weights back to where training left them.
  void start_weights(int stage) {
    const auto s = static_cast<std::size_t>(stage);
    by_node_.load(start_.node_weights + s * kTrainedNodes * kInputs);
    by_class_.load(start_.class_weights + s * kClassSets * kInputs);
  }

  // Codes every code of a stage. Earlier stages are coded already, or skipped by skip_stage.
  template <typename Coder>
  void code_stage(Coder& coder, int stage) {
    network_.start_stage(stage);
    grid_.visit_rows([&](int64_t z, int64_t y) {
      const RowContexts row(grid_, depth_, stage, z, y);
      int64_t* codes = grid_.row(stage, z, y);
      network_.start_row(z, y);
      for (int64_t x = 0; x < grid_.columns; ++x) {
        const Contexts contexts = row.at(x);
        prefetch(contexts, 1);
        network_.predict(x);
        coder.begin(codes[x]);
        const int64_t coded = code_one(coder, contexts, static_cast<uint32_t>(codes[x]));
        // Threads that encode read the same grid: what stands there already is not written.
        if (codes[x] != coded) codes[x] = coded;
        network_.add(stage, x, coded);
      }
    });
  }

  // Takes a stage of the grid as known.
  void skip_stage(int stage) {
    grid_.visit_rows([&](int64_t z, int64_t y) {
      const int64_t* codes = grid_.row(stage, z, y);
      network_.start_row(z, y);
      for (int64_t x = 0; x < grid_.columns; ++x) network_.add(stage, x, codes[x]);
    });
  }

  // Lends weights to the model, or takes them back.
  void swap_weights(Mixer& by_node, Mixer& by_class) {
    std::swap(by_node_, by_node);
    std::swap(by_class_, by_class);
  }

 private:
  void prefetch(const Contexts& contexts, uint32_t node) const {
    if (depth_ == 0) return;
    for (int c = 0; c < kContexts; ++c) counters_[c].prefetch(contexts.values[c], node);
  }

  template <typename Coder>
  uint32_t code_one(Coder& coder, const Contexts& contexts, uint32_t code) {
    const auto size = static_cast<uint32_t>(start_.codebook_size);
    if (size == 1 || !code_bit(coder, contexts, 0, 0, code != 0)) return 0;
    network_.expand();
    uint32_t node = 1;
    for (int level = 0; level < depth_; ++level) {
      const int below = depth_ - 1 - level;
      // All bits but the last are 0, and the code is another one than 0.
      if (below == 0 && node == 1u << level) return 1;
      const uint32_t first_of_one = (2 * node + 1 - (2u << level)) << below;
      // No index begins with these bits and a 1: the bit is known to be 0.
      const bool known = first_of_one >= size;
      const bool bit = code >> below & 1;
      node = 2 * node + (known ? 0 : code_bit(coder, contexts, level + 1, node, bit));
    }
    return node - (1u << depth_);
  }

  // step: how many decisions of the code came before, known ones included.
  template <typename Coder>
  bool code_bit(Coder& coder, const Contexts& contexts, int step, uint32_t node, bool bit) {
    const Logistic& logistic = Logistic::tables();
    std::array<uint32_t*, kContexts> slots;
    Inputs inputs;
    if (step < depth_) prefetch(contexts, std::max(2 * node, 1u));
    for (int c = 0; c < kContexts; ++c) {
      slots[c] = &counters_[c].at(contexts.values[c], node);
      const auto p = static_cast<int32_t>(*slots[c] >> 20);
      const auto trust = static_cast<int32_t>(std::min(*slots[c] & 1023u, 16u));
      inputs[c] = logistic.stretch(p);
      inputs[kContexts + c] = ((p - 2048) * trust) >> 4;
    }
    inputs[2 * kContexts] = network_.logit(node);
    inputs[2 * kContexts + 1] = 256;
    const uint32_t own = step < 9 ? node : node >> (step - 8);
    const int row = std::min(step, kMaxDepth - 1);
    const int logit =
        by_node_.mix(inputs, own) + by_class_.mix(inputs, row * kZeroClasses + contexts.zeros);
    bit = coder.code(bit, static_cast<uint32_t>(logistic.squash(logit >> 1)));
    by_node_.learn(inputs, bit, logistic);
    by_class_.learn(inputs, bit, logistic);
    for (uint32_t* slot : slots) *slot = Counters::updated(*slot, bit);
    return bit;
  }

  MixingStart start_;
  Grid grid_;
  int depth_;
  Network network_;
  std::vector<Counters> counters_;
  Mixer by_node_;
  Mixer by_class_;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_MIXING_HPP_
