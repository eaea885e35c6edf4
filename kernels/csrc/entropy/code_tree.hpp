// From a guess for each code to a guess for each bit on the way to it.

#ifndef VQCODEC_ENTROPY_CODE_TREE_HPP_
#define VQCODEC_ENTROPY_CODE_TREE_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "logistic.hpp"

namespace vqcodec {

// Masses of codes, added up along the tree: node n has children 2n and 2n + 1; at most 4096 codes
// of mass 2^16 each.
class CodeTree {
 public:
  explicit CodeTree(int codebook_size) : size_(codebook_size), leaves_(1) {
    while (leaves_ < size_) leaves_ *= 2;
    masses_.resize(static_cast<std::size_t>(2 * leaves_));
  }

  // Turns the outputs of the codes from `first` on into masses; earlier codes have none. With
  // `part_zero` node 0 is the choice between the zero code, whose mass goes there, and all others.
  void spread(const int32_t* sums, int first, int32_t shift, bool part_zero) {
    const int32_t top = first < size_ ? *std::max_element(sums + first, sums + size_) : 0;
    for (int k = 0; k < leaves_; ++k) {
      masses_[leaves_ + k] =
          first <= k && k < size_ ? Logistic::tables().decay((int64_t{top} - sums[k]) >> shift) : 0;
    }
    if (part_zero) masses_[0] = std::exchange(masses_[leaves_], 0);
    for (int node = leaves_ - 1; node > 0; --node) {
      masses_[node] = masses_[2 * node] + masses_[2 * node + 1];
    }
  }

  // The logit of bit 1 at a node, whose bits 0 and 1 are both possible.
  int logit(uint32_t node) const {
    const uint64_t one = masses_[2 * node + 1];
    const uint64_t p = (one << kProbabilityBits) / (one + masses_[2 * node]);
    return Logistic::tables().stretch(
        static_cast<uint32_t>(std::min<uint64_t>(p, (1u << kProbabilityBits) - 1)));
  }

 private:
  int size_;
  int leaves_;
  std::vector<uint32_t> masses_;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_CODE_TREE_HPP_
