// Which codes of a codebook can be the nearest of any row at all.
#pragma once

#include <cstdint>
#include <vector>

namespace vqcodec {

// The codes, in their order, that are neither forbidden by an infinite bias nor copies of an
// earlier code that is no dearer. rows: (size, dim), finite; squares: ||row||^2 of each, the same
// for the same row; bias: size floats or null.
std::vector<int32_t> eligible_codes(const float* rows, int64_t size, int64_t dim,
                                    const double* squares, const float* bias);

}  // namespace vqcodec
