// A codebook laid out for the search, with the bound on the search's rounding errors.
#pragma once

#include <cstdint>
#include <vector>

#include "../aligned.hpp"
#include "pieces.hpp"
#include "values.hpp"

namespace vqcodec {

// What the vector unit wants: `lanes` floats in a register, `vectors` registers of codes at once.
struct PanelShape {
  int lanes;
  int vectors;
  int width() const { return lanes * vectors; }
};

// How far a score of the filter may be from the truth, as a function of the length X of a row,
// which is centred as the codes are: any code that wins in float64 has a score at most slack(X)
// above the smallest score. See error_bound.cpp for the terms.
struct ErrorBound {
  // What the bound depends on, of the codes as the filter sees them and their offsets.
  struct Codes {
    double dim;
    bool centred;
    double largest_square;
    double largest_offset;
    double largest_bias;
  };
  // Of scores added up in float32.
  static ErrorBound of_floats(const Codes& codes);
  // Of scores added up in float32 from products of bfloat16 pieces.
  static ErrorBound of_pieces(const Codes& codes);

  float constant;
  float linear;
  float square;
  // Above this length a partial sum might overflow, and the bound does not hold.
  float longest;
};

class PackedCodebook {
 public:
  // codes: (K, dim) in any type; bias: K floats or null. Returns the index of the first code that
  // is not finite, or -1. The tables may be used only if it is -1. The bound does not hold where a
  // bias is infinite: for the beams, which have no need of it.
  int64_t pack(const Rows& codes, const float* bias, PanelShape shape);

  // Gives the codes, K of them, the numbers by which ties are decided: the lowest wins. Without
  // them it is the first.
  void number(const int32_t* numbers) { numbers_ = numbers; }

  // Adds the codes in pieces, for a level that multiplies tiles of them.
  void split();

  int64_t size() const { return size_; }
  int64_t dim() const { return dim_; }
  int width() const { return shape_.width(); }
  int64_t panels() const { return panels_; }
  // Vectors in a panel: all have shape.vectors but the last, which ends where the codes do.
  int vectors(int64_t panel) const { return panel + 1 < panels_ ? shape_.vectors : last_vectors_; }
  int64_t first_code(int64_t panel) const { return panel * shape_.width(); }
  // Bits of the panel's lanes that hold codes and not padding.
  uint64_t valid(int64_t panel) const { return panel + 1 < panels_ ? ~uint64_t{0} : last_valid_; }

  // The codes of a panel, [dim][vectors * lanes]; padding is zero.
  const float* exact(int64_t panel) const { return exact_.data() + panel * shape_.width() * dim_; }
  // The same less the mean, if there is one.
  const float* filter(int64_t panel) const {
    const float* base = mean_.empty() ? exact_.data() : centred_.data();
    return base + panel * shape_.width() * dim_;
  }
  // ||centred code||^2 + bias of each code; padding is infinite, and so is a code that is
  // forbidden.
  const float* offsets(int64_t panel) const { return offsets_.data() + first_code(panel); }
  // Bias of each code from the panel's first, or null.
  const float* bias(int64_t panel) const {
    return bias_.empty() ? nullptr : bias_.data() + first_code(panel);
  }
  // How many codes have a finite bias, and the first of them.
  int64_t allowed() const { return allowed_; }
  int64_t first_allowed() const { return first_allowed_; }
  // What was subtracted from the codes, and is to be from the rows: dim floats and a register of
  // zeros, or null.
  const float* mean() const { return mean_.empty() ? nullptr : mean_.data(); }
  // The codes as float32 rows (K, dim).
  const float* rows() const { return rows_; }
  // Whether code `a` wins a tie with code `b`, which was seen before.
  bool wins_tie(int64_t a, int64_t b) const { return numbers_ && numbers_[a] < numbers_[b]; }
  const ErrorBound& bound() const { return bound_; }
  // ||code||^2 of each, about the mean if there is one.
  const double* squares() const { return squares_.data(); }
  // Filled once the codes were split.
  const PanelPieces& pieces() const { return pieces_; }
  // The bound of what tiles of pieces make of the codes.
  const ErrorBound& pieces_bound() const { return pieces_bound_; }

 private:
  void fill_panels(float* panels) const;
  void measure_squares(const float* panels);
  void centre();
  void fill_offsets(const float* bias);

  int64_t size_ = 0;
  int64_t dim_ = 0;
  int64_t panels_ = 0;
  int last_vectors_ = 0;
  uint64_t last_valid_ = 0;
  int64_t allowed_ = 0;
  int64_t first_allowed_ = 0;
  PanelShape shape_{};
  const float* rows_ = nullptr;
  const int32_t* numbers_ = nullptr;
  Aligned<float> copy_;
  Aligned<float> exact_;
  Aligned<float> centred_;
  Aligned<float> offsets_;
  std::vector<float> bias_;
  std::vector<float> mean_;
  // Of the codes that the filter sees: ||code||^2 of each, and the largest of them.
  std::vector<double> squares_;
  double largest_square_ = 0;
  ErrorBound::Codes measured_{};
  ErrorBound bound_{};
  PanelPieces pieces_;
  ErrorBound pieces_bound_{};
};

}  // namespace vqcodec
