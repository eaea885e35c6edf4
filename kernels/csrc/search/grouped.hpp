// A codebook made ready for exact searches: each group of its codes packed with a bound of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "codebook.hpp"
#include "groups.hpp"
#include "level.hpp"

namespace vqcodec {

class GroupedCodebook {
 public:
  // codes: (K, dim) in any type; bias: K floats or null, kept by the caller. Returns the index of
  // the first code that is not finite, or -1. The codebook may be used only if it is -1.
  int64_t pack(const Rows& codes, const float* bias, const Level& level);

  int64_t dim() const { return table_.dim; }
  // The codes as float32 rows (K, dim).
  const float* rows() const { return table_.rows; }
  // The first code that is not forbidden.
  int64_t first_allowed() const { return first_allowed_; }
  // The codes of each group.
  std::vector<std::vector<int32_t>> groups() const;

  // Nearest codes of rows (count, dim), as Level::search has them.
  int64_t search(const Level& level, const float* rows, int64_t count, Scratch& scratch,
                 int64_t* codes) const;

 private:
  struct Group {
    PackedCodebook book;
    // What the codes of the book are called outside; empty if they are all there are.
    std::vector<int32_t> codes;
    std::vector<float> rows;
    std::vector<float> bias;
    // How far the codes are from the centre, at least and at most, and their lowest bias.
    double inner;
    double outer;
    double lowest_bias;
    // Of the code that is nearest to the centre, bias included.
    double distance;
    double distance_bias;
  };

  void regroup(const std::vector<std::vector<int32_t>>& lists, const Level& level);
  void pack_group(std::vector<int32_t> codes, const Level& level, Group& group) const;
  void measure(Group& group) const;
  int64_t search_group(const Group& group, const Level& level, const float* rows, int64_t count,
                       Scratch& scratch, int64_t* codes) const;
  int64_t find_groups(const float* rows, int64_t count, Scratch& scratch,
                      std::vector<const Group*>& found) const;
  bool out_of_reach(const Group& group, const double* lengths, int64_t count) const;
  void measure_distances(const float* rows, int64_t count, const int64_t* codes,
                         double* distances) const;

  // Keeps the rows of the table where the groups do not.
  PackedCodebook whole_;
  CodeTable table_{};
  int64_t first_allowed_ = 0;
  const float* centre_ = nullptr;
  std::vector<Group> groups_;
};

}  // namespace vqcodec
