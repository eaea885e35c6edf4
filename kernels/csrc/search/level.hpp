// The same search compiled for several instruction sets; the processor decides at run time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../aligned.hpp"
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
  // In place of a code: there are so many candidates that finer scores are cheaper than float64.
  static constexpr int64_t kUndecided = -2;
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
  Aligned<double> lengths;
  Aligned<int64_t> challengers;
  Aligned<float> undecided;
  Aligned<int64_t> decided;
};

// A code that a row of a group may go on with, and what it would have cost so far.
struct Pick {
  float cost;
  int32_t row;
  int32_t code;
};

struct SearchSize {
  int64_t rows;
  int64_t codes;
  int64_t dim;
};

struct Level {
  const char* name;
  PanelShape shape;
  bool (*supported)();
  // Whether a search of this size is faster than with the next level; null if every one is.
  bool (*pays)(const SearchSize& size);
  // Whether it wants the codes split, see pieces.hpp.
  bool splits;
  // Nearest codes of `count` rows (count, dim), few enough to stay in the cache. Returns the first
  // row that is not finite, or -1; codes are valid only if it is -1.
  int64_t (*search)(const PackedCodebook& book, const float* rows, int64_t count, Scratch& scratch,
                    int64_t* codes);
  // The `keep` cheapest of all codes for all rows of each group of `width`, see lowest.inl.
  void (*lowest)(const PackedCodebook& book, const float* rows, const float* paid, int64_t points,
                 int64_t width, int64_t keep, Scratch& scratch, Pick* picks);
};

extern const Level kAmxLevel;
extern const Level kAvx512Level;
extern const Level kAvx2Level;
extern const Level kPortableLevel;

// Levels that this processor can run, best first; never empty.
std::vector<const Level*> supported_levels();

// The level of this name, or for an empty name the best for the size; null if this processor has no
// such level.
const Level* find_level(const std::string& name, const SearchSize& size);

}  // namespace vqcodec
