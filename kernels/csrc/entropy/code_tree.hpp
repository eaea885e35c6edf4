// From a guess for each code to a guess for each bit on the way to it.

#ifndef VQCODEC_ENTROPY_CODE_TREE_HPP_
#define VQCODEC_ENTROPY_CODE_TREE_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "logistic.hpp"
#include "vector.hpp"

namespace vqcodec {

// Turns sums into masses: exp(sum - largest sum), in units of 2^-16, of the sums shifted down.
VQCODEC_VECTOR_CLONES inline void weigh(const int32_t* sums, int count, int32_t shift,
                                        uint32_t* masses) {
  const uint32_t* decays = Logistic::tables().decays();
  int32_t top = std::numeric_limits<int32_t>::min();
  for (int k = 0; k < count; ++k) top = std::max(top, sums[k]);
  for (int k = 0; k < count; ++k) {
    // Unsigned: two sums may lie up to 2^32 apart.
    const uint32_t drop = (static_cast<uint32_t>(top) - static_cast<uint32_t>(sums[k])) >> shift;
    masses[k] = decays[std::min(drop, uint32_t{kMaxLogit + 1})];
  }
}

// One level of the tree from the one below it.
VQCODEC_VECTOR_CLONES inline void add_pairs(const uint32_t* pairs, int count, uint32_t* sums) {
  for (int i = 0; i < count; ++i) sums[i] = pairs[2 * i] + pairs[2 * i + 1];
}

// Masses of codes, added up along the tree: node n has children 2n and 2n + 1; at most 4096 codes
// of mass 2^16 each.
class CodeTree {
 public:
  explicit CodeTree(int codebook_size) : size_(codebook_size), leaves_(1) {
    while (leaves_ < size_) leaves_ *= 2;
    masses_.resize(static_cast<std::size_t>(2 * leaves_));
  }

  // Turns the outputs of the codes into masses; code 0 has none.
  void spread(const int32_t* sums, int32_t shift) {
    uint32_t* masses = masses_.data();
    weigh(sums + 1, size_ - 1, shift, masses + leaves_ + 1);
    for (int nodes = leaves_ / 2; nodes > 0; nodes /= 2) {
      add_pairs(masses + 2 * nodes, nodes, masses + nodes);
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
