// Scores of a tile of rows, written once for every instruction set.
//
// The .inl files are included inside a namespace and a target region, after a struct Unit that says
// how to load, store, broadcast, multiply-add, take minima and compare Unit::kLanes floats.
// Unit::fold joins the lanes of each of kRows registers; lane r of the result belongs to row r.
// Nothing in them may call a function template of the standard library: an instance compiled for a
// newer processor could end up shared.

#include "load.inl"

// How many floats apart rows are once they are scaled.
inline int64_t scaled_stride(const PackedCodebook& book) { return book.dim(); }

// Whether a filter with a smaller bound is at hand for rows with very many candidates.
constexpr bool kCoarse = false;

inline const ErrorBound& filter_bound(const PackedCodebook& book) { return book.bound(); }

// Scales a row by -2 about the mean; returns its square, in parts to be added up. Writes whole
// registers, so that what follows in `scaled` has to come later.
inline Unit::Vec scale_row(const float* row, int64_t dim, const float* end, const float* mean,
                           float* scaled) {
  Unit::Vec square = Unit::fill(0.0f);
  for (int64_t d = 0; d < dim; d += Unit::kLanes) {
    const Unit::Vec x = load_scaled(row, d, dim, end, mean);
    Unit::store(scaled + d, x);
    square = Unit::multiply_add(x, x, square);
  }
  return square;
}

// A row's scores are offset_k + sum of (-2 x_d) c_kd, the squared distance less what all codes
// have in common. kRows rows by kVectors registers of codes stay in registers throughout.
template <int kVectors>
inline __attribute__((always_inline)) void score_panel(const float* rows, int64_t dim,
                                                       const float* panel, const float* offsets,
                                                       int64_t stride, float* scores,
                                                       float* lowest) {
  constexpr int kLanes = Unit::kLanes;
  constexpr int kRows = Unit::kRows;
  Unit::Vec sums[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[r][v] = Unit::load(offsets + v * kLanes);
  }
  for (int64_t d = 0; d < dim; ++d) {
    Unit::Vec codes[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) codes[v] = Unit::load(panel + v * kLanes);
    panel += kVectors * kLanes;
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Unit::Vec x = Unit::broadcast(rows + r * dim + d);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[r][v] = Unit::multiply_add(x, codes[v], sums[r][v]);
    }
  }
  Unit::Vec lows[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    lows[r] = sums[r][0];
    Unit::store(scores + r * stride, sums[r][0]);
#pragma GCC unroll 4
    for (int v = 1; v < kVectors; ++v) {
      lows[r] = Unit::minimum(sums[r][v], lows[r]);
      Unit::store(scores + r * stride + v * kLanes, sums[r][v]);
    }
  }
  Unit::store(lowest, Unit::fold<Unit::minimum>(lows));
}

// Scores against panels [first, last): row r of panel p is at scores[r * stride + (p - first) *
// width], the smallest of them at lowest[(p - first) * kLanes + r].
inline void score_panels(const PackedCodebook& book, int64_t first, int64_t last, const float* rows,
                         int64_t stride, float* scores, float* lowest) {
  const int64_t dim = book.dim();
  const int64_t width = book.width();
  const int64_t whole = book.vectors(last - 1) == Unit::kVectors ? last : last - 1;
  const float* codes = book.filter(first);
  const float* offsets = book.offsets(first);
  for (int64_t p = first; p < whole; ++p) {
    score_panel<Unit::kVectors>(rows, dim, codes, offsets, stride, scores, lowest);
    codes += width * dim;
    offsets += width;
    scores += width;
    lowest += Unit::kLanes;
  }
  if (whole == last) return;
  if (book.vectors(whole) == 1) {
    score_panel<1>(rows, dim, codes, offsets, stride, scores, lowest);
  } else {
    score_panel<2>(rows, dim, codes, offsets, stride, scores, lowest);
  }
}
