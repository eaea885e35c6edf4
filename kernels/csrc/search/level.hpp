// The same search compiled for several instruction sets; the processor decides at run time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aligned.hpp"
#include "codebook.hpp"

namespace vqcodec {

// Codes that may be the nearest of one row, all in one panel.
struct Candidates {
  float lowest;  // of the scores in the panel
  int32_t panel;
  uint64_t lanes;
};

// What is known of a row after some of the codes. The nearest of the codes seen is either
// `code`, whose exact distance is `distance`, or among the candidates.
struct RowState {
  static constexpr int kCandidates = 4;
  int count;
  Candidates candidates[kCandidates];
  double distance;
  int64_t code;
};

// Working memory of one thread, kept between blocks.
struct Scratch {
  Aligned<float> copy;
  Aligned<float> scaled;
  Aligned<float> scores;
  Aligned<float> lowest;
  Aligned<float> slacks;
  Aligned<float> minima;
  Aligned<RowState> states;
  Aligned<int64_t> codes;
  Aligned<double> distances;
};

// A code that a row of a group may go on with, and what it would have cost so far.
struct Pick {
  float cost;
  int32_t row;
  int32_t code;
};

struct Level {
  const char* name;
  PanelShape shape;
  bool (*supported)();
  // Nearest codes of `count` rows (count, dim), few enough to stay in the cache. Returns the first
  // row that is not finite, or -1; codes are valid only if it is -1.
  int64_t (*search)(const PackedCodebook& book, const float* rows, int64_t count, Scratch& scratch,
                    int64_t* codes);
  // The `keep` cheapest of all codes for all rows of each group of `width`, see lowest.inl.
  void (*lowest)(const PackedCodebook& book, const float* rows, const float* paid, int64_t points,
                 int64_t width, int64_t keep, Scratch& scratch, Pick* picks);
};

extern const Level kAvx512Level;
extern const Level kAvx2Level;
extern const Level kPortableLevel;

// Levels that this processor can run, best first; never empty.
std::vector<const Level*> supported_levels();

// The level of this name, or the best for an empty name; null if this processor has no such level.
const Level* find_level(const std::string& name);

}  // namespace vqcodec
