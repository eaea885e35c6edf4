// What each code of a grid costs under context mixing: where the bytes of a payload go.

#ifndef VQCODEC_ENTROPY_MIXING_COSTS_HPP_
#define VQCODEC_ENTROPY_MIXING_COSTS_HPP_

#include <cstdint>

#include "mixing_codec.hpp"

namespace vqcodec {

// How many decisions a code takes; see MixingModel::code_one.
inline int decisions_of(uint32_t code, int codebook_size) {
  const auto size = static_cast<uint32_t>(codebook_size);
  if (size == 1) return 0;
  if (code == 0) return 1;
  const int depth = tree_depth(codebook_size);
  int decisions = 1;
  for (int level = 0; level < depth; ++level) {
    const int below = depth - 1 - level;
    const uint32_t node = (code >> (below + 1)) | 1u << level;
    if (below == 0 && node == 1u << level) break;
    decisions += ((2 * node + 1 - (2u << level)) << below) < size;
  }
  return decisions;
}

// Writes the bits of each code, in the order of the grid. The stages may be some of those whose
// model it is.
inline void cost_mixing(const Grid& grid, const MixingStart& start, float* bits) {
  MixingModel model(start, grid);
  const int64_t positions = grid.slices * grid.rows * grid.columns;
  for (int stage = 0; stage < grid.stages; ++stage) {
    MixingRecorder recorder;
    code_stage(recorder, stage, model);
    auto decision = recorder.decisions.begin();
    for (int64_t i = 0; i < positions; ++i) {
      const auto code = static_cast<uint32_t>(grid.codes[stage * positions + i]);
      MixingCost cost;
      for (int n = decisions_of(code, start.codebook_size); n > 0; --n, ++decision) {
        cost.code(*decision & 1, *decision >> 1);
      }
      *bits++ = static_cast<float>(cost.bits);
    }
  }
}

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_MIXING_COSTS_HPP_
