// Codes that are searched together, because one bound on the rounding errors suits them all.
#pragma once

#include <cstdint>
#include <vector>

namespace vqcodec {

// What the codes are divided by: rows (K, dim), bias K floats or null, all finite where a code is
// listed.
struct CodeTable {
  const float* rows;
  int64_t dim;
  const float* bias;

  const float* row(int32_t code) const { return rows + code * dim; }
  double bias_of(int32_t code) const { return bias ? bias[code] : 0.0; }
};

// ||a - b||^2.
double squared_distance(const float* a, const float* b, int64_t dim);

// Whether a glance at the codes shows none far beyond the others, and no crowd in one place.
// squares: of each code's length, in the order of the list.
bool look_even(const CodeTable& table, const std::vector<int32_t>& codes, const double* squares);

// Divides codes into groups: crowds, what is far beyond all others, and the rest. Neighbours in a
// list are near each other where any codes are.
std::vector<std::vector<int32_t>> divide_codes(const CodeTable& table, std::vector<int32_t> codes);

// A code in the thick of a few of them.
int32_t code_amid(const CodeTable& table, const std::vector<int32_t>& codes);

}  // namespace vqcodec
