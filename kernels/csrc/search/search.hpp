// The operators of one group: rows against a codebook, or against the stages of a quantizer.
#pragma once

#include <cstdint>

#include "level.hpp"
#include "values.hpp"

namespace vqcodec {

// What was wrong with the input, if anything: where the first value is that is not finite.
struct Defect {
  enum What { kNone = 0, kRow = 1, kCode = 2 };
  What what = kNone;
  int64_t index = -1;
};

struct SearchOptions {
  const Level* level;
  int threads;
};

// What to write for the rows (N, D); null pointers are left out.
struct SearchOutputs {
  int64_t* codes;
  float* distances;       // (N), bias included
  void* values;           // (N, D) in the codebook's type
  float* squared_errors;  // (N), bias left out
  int64_t* counts;        // (K), added to
};

// Codes of the rows in one codebook (K, D), bias K floats or null. An infinite bias forbids a code;
// one code is not forbidden, here and below.
Defect search_codebook(const Rows& x, const Rows& codebook, const float* bias,
                       const SearchOutputs& outputs, const SearchOptions& options);

// Codes (N, stages) of the rows in `stages` codebooks (stages * K, D), biases likewise or null.
// The residual is float32: row - code, rounded after each stage. Where that overflows, the row is
// equally far from all codes of the stages that follow, and takes the first that are allowed.
Defect search_residual(const Rows& x, const Rows& codebooks, const float* biases, int64_t stages,
                       int64_t* codes, const SearchOptions& options);

// Beam search: codes (N, stages), and the squared error (N, stages) that they leave after each
// stage. After every stage the `beams` cheapest beginnings of each row go on, see beam.cpp.
Defect search_beams(const Rows& x, const Rows& codebooks, const float* biases, int64_t stages,
                    int64_t beams, int64_t* codes, float* errors, const SearchOptions& options);

// Adds the rows of each code: counts (K) int64, sums (K, D) float32, both overwritten. Each sum is
// taken in float64 in the order of the rows, whatever the number of threads.
void add_up(const Rows& x, const int64_t* codes, int64_t size, int64_t* counts, float* sums,
            int threads);

}  // namespace vqcodec
