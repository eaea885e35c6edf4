// The decisions that a frame is coded by, and how many counters each kind of them has.

#ifndef VQCODEC_CHANGES_DECISIONS_HPP_
#define VQCODEC_CHANGES_DECISIONS_HPP_

#include <array>
#include <cstddef>
#include <cstdint>

namespace vqcodec {

// Whether a frame says anything; whether a block moves; as which neighbour it moves; by how much it
// moves otherwise; whether a position says anything; whether a stage of it does; the bits of a
// code.
enum Kind { kFrame, kMoves, kMerges, kDifference, kSays, kStage, kBits };

constexpr int kKindCount = 7;
constexpr int kMostContexts = 8;
constexpr int kDifferenceNodes = 32;
constexpr int kClasses = 8;

// How many values each context of a kind has; 0 where there is none.
constexpr std::array<std::array<int, kMostContexts>, kKindCount> kContextValues = {{
    {2, 0, 0, 0, 0, 0, 0, 0},
    {32, 32, 64, 50, 24, 1, 0, 0},
    {8, 64, 1, 0, 0, 0, 0, 0},
    {1, 8, 8, 0, 0, 0, 0, 0},
    {64, 64, 64, 64, 64, 80, 16, 128},
    {16, 18, 16, 64, 16, 17, 0, 0},
    {1, 17, 17, 33, 33, 8, 0, 0},
}};

// Where counters and weights of decisions lie, for so many stages of codes of `depth` bits.
class Decisions {
 public:
  Decisions(int stages, int depth) : stages_(stages), depth_(depth) {
    for (int kind = 0; kind < kKindCount; ++kind) {
      for (int c = 0; c < kMostContexts; ++c) {
        first_[kind][c] = slots_;
        slots_ += static_cast<std::size_t>(kContextValues[kind][c]) * nodes(kind);
      }
    }
  }

  // Different decisions of a kind.
  std::size_t nodes(int kind) const {
    switch (kind) {
      case kMerges:
        return 2;
      case kDifference:
        return 2 * kDifferenceNodes;
      case kStage:
        return static_cast<std::size_t>(stages_);
      case kBits:
        return static_cast<std::size_t>(stages_) << depth_;
      default:
        return 1;
    }
  }

  std::size_t slots() const { return slots_; }

  std::size_t slot(int kind, int context, uint32_t value, std::size_t node) const {
    return first_[kind][context] + value * nodes(kind) + node;
  }

  // Sets of weights: one for each decision, but that the bits of a code share theirs by level.
  std::size_t steps() const { return 69 + static_cast<std::size_t>(stages_) * (1 + depth_); }

  // level: how many bits of the code come before.
  std::size_t step(int kind, std::size_t node, int level) const {
    switch (kind) {
      case kFrame:
        return 0;
      case kMoves:
        return 1;
      case kMerges:
        return 2 + node;
      case kDifference:
        return 4 + node;
      case kSays:
        return 68;
      case kStage:
        return 69 + node;
      default:
        return 69 + stages_ + (node >> depth_) * depth_ + level;
    }
  }

  // Kinds of decisions by which further weights are chosen.
  std::size_t groups() const { return kBits + static_cast<std::size_t>(depth_) + 1; }

  std::size_t group(int kind, int level) const { return static_cast<std::size_t>(kind + level); }

 private:
  int stages_, depth_;
  std::size_t slots_ = 0;
  std::array<std::array<std::size_t, kMostContexts>, kKindCount> first_{};
};

}  // namespace vqcodec

#endif  // VQCODEC_CHANGES_DECISIONS_HPP_
