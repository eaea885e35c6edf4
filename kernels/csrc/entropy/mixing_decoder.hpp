// Codes read back from the bytes that context mixing made of them. Needs no threads.

#ifndef VQCODEC_ENTROPY_MIXING_DECODER_HPP_
#define VQCODEC_ENTROPY_MIXING_DECODER_HPP_

#include <cstddef>
#include <cstdint>

#include "mixing.hpp"
#include "range_coder.hpp"

namespace vqcodec {

struct MixingDecoder {
  RangeDecoder range;
  void begin(int64_t) {}
  bool code(bool, uint32_t one) { return range.decision(one); }
};

template <typename Coder>
void code_stage(Coder& coder, int stage, MixingModel& model) {
  model.start_counters(stage);
  model.start_weights(stage);
  model.code_stage(coder, stage);
}

// Reads the first `stages` of a grid, and touches no others. Only where these are all of them can
// the end of the payload be checked.
inline void decode_mixing(const uint8_t* payload, std::size_t size, const Grid& grid, int stages,
                          const MixingStart& start) {
  MixingDecoder coder{RangeDecoder(payload, size)};
  MixingModel model(start, grid);
  for (int stage = 0; stage < stages; ++stage) code_stage(coder, stage, model);
  if (stages == grid.stages) coder.range.finish();
}

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_MIXING_DECODER_HPP_
