// Context mixing put to work: encode, sample, and the two passes of training over grids.

#ifndef VQCODEC_ENTROPY_MIXING_CODEC_HPP_
#define VQCODEC_ENTROPY_MIXING_CODEC_HPP_

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <future>
#include <system_error>
#include <vector>

#include "mixing.hpp"
#include "mixing_decoder.hpp"
#include "random_bits.hpp"
#include "range_coder.hpp"

namespace vqcodec {

// Keeps decisions, each as twice its `one` plus its bit, until those before them are written.
struct MixingRecorder {
  std::vector<uint32_t> decisions;
  void begin(int64_t) {}
  bool code(bool bit, uint32_t one) {
    decisions.push_back(2 * one + bit);
    return bit;
  }
};

// Writes nothing, adds up what writing would cost.
struct MixingCost {
  double bits = 0;
  void begin(int64_t) {}
  bool code(bool bit, uint32_t one) {
    bits += 16 - std::log2(bit ? one : 65536 - one);
    return bit;
  }
};

// Draws codes that are below 0, and takes the others as they are.
struct MixingSampler {
  RandomBits random;
  bool given = false;
  void begin(int64_t code) { given = code >= 0; }
  bool code(bool bit, uint32_t one) { return given ? bit : random.decision(one); }
};

// Models the stages side by side, as each starts anew and all codes are known here.
inline std::vector<uint8_t> encode_mixing(const Grid& grid, const MixingStart& start, int threads) {
  std::vector<MixingRecorder> recorders(grid.stages);
  std::atomic<int> next{0};
  const auto work = [&] {
    int known = 0;
    MixingModel model(start, grid);
    for (int stage = next++; stage < grid.stages; stage = next++) {
      while (known < stage) model.skip_stage(known++);
      code_stage(recorders[stage], known++, model);
    }
  };
  std::vector<std::future<void>> helpers;
  try {
    for (int i = 1; i < std::min(threads, grid.stages); ++i) {
      helpers.push_back(std::async(std::launch::async, work));
    }
  } catch (const std::system_error&) {
    // No more threads to be had: those that there are do all of it.
  }
  work();
  for (std::future<void>& helper : helpers) helper.get();
  RangeEncoder range;
  for (const MixingRecorder& recorder : recorders) {
    for (const uint32_t decision : recorder.decisions) range.decision(decision & 1, decision >> 1);
  }
  return range.finish();
}

// Draws the codes of a grid that are below 0, given the others.
inline void sample_mixing(const Grid& grid, const MixingStart& start, uint64_t seed) {
  MixingSampler coder{RandomBits(seed)};
  MixingModel model(start, grid);
  for (int stage = 0; stage < grid.stages; ++stage) code_stage(coder, stage, model);
}

// Adds to counts, (kTrainedValues, kTrainedNodes, 2), how often each bit follows each context.
inline void count_mixing(const Grid& grid, int codebook_size, int stage, int64_t* counts) {
  const int depth = tree_depth(codebook_size);
  const auto count = [counts](const Contexts& contexts, uint32_t node, bool bit) {
    std::size_t first = 0;
    for (int c = 0; c < kTrainedContexts; ++c) {
      ++counts[((first + contexts.values[c]) * kTrainedNodes + node) * 2 + bit];
      first += static_cast<std::size_t>(kContextSizes[c]);
    }
  };
  grid.visit_rows([&](int64_t z, int64_t y) {
    const RowContexts row(grid, depth, stage, z, y);
    for (int64_t x = 0; x < grid.columns; ++x) {
      const Contexts contexts = row.at(x);
      const auto code = static_cast<uint32_t>(grid.row(stage, z, y)[x]);
      count(contexts, 0, code != 0);
      if (code == 0) continue;
      const uint32_t leaf = code + (1u << depth);
      for (int level = 0; level < std::min(depth, 8); ++level) {
        count(contexts, leaf >> (depth - level), leaf >> (depth - level - 1) & 1);
      }
    }
  });
}

// Runs over grids one after the other, each from the trained counters, with weights that keep
// learning from grid to grid; writes the last weights. Returns the cost of the grids in bits.
inline double learn_mixing(const std::vector<Grid>& grids, const MixingStart& start, int stage,
                           int16_t* node_weights, int16_t* class_weights) {
  MixingCost coder;
  Mixer by_node(kTrainedNodes), by_class(kClassSets);
  const auto s = static_cast<std::size_t>(stage);
  by_node.load(start.node_weights + s * kTrainedNodes * kInputs);
  by_class.load(start.class_weights + s * kClassSets * kInputs);
  for (const Grid& grid : grids) {
    MixingModel model(start, grid);
    for (int earlier = 0; earlier < stage; ++earlier) model.skip_stage(earlier);
    model.start_counters(stage);
    model.swap_weights(by_node, by_class);
    model.code_stage(coder, stage);
    model.swap_weights(by_node, by_class);
  }
  by_node.store(node_weights);
  by_class.store(class_weights);
  return coder.bits;
}

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_MIXING_CODEC_HPP_
