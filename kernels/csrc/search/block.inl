// The search of one block of rows.

#include "candidates.inl"

// Panels in a chunk: their scores for a tile of rows stay in the first-level cache, and a word has
// a bit for each.
constexpr int64_t kPanelsOfScores = 1024 / (Unit::kLanes * Unit::kVectors);
constexpr int64_t kMaxPanels = kPanelsOfScores < 64 ? kPanelsOfScores : 64;

// Scales a row by -2 about the mean; returns the square of its length.
inline float scale_row(const float* row, int64_t dim, const float* mean, float* scaled) {
  constexpr int kLanes = Unit::kLanes;
  const Unit::Vec scale = Unit::fill(-2.0f);
  Unit::Vec sum = Unit::fill(0.0f);
  int64_t d = 0;
  for (; d + kLanes <= dim; d += kLanes) {
    Unit::Vec x = Unit::load(row + d);
    if (mean) x = Unit::subtract(x, Unit::load(mean + d));
    x = Unit::multiply(scale, x);
    Unit::store(scaled + d, x);
    sum = Unit::multiply_add(x, x, sum);
  }
  float square = d ? Unit::total(sum) : 0.0f;
  for (; d < dim; ++d) {
    const float x = -2.0f * (mean ? row[d] - mean[d] : row[d]);
    scaled[d] = x;
    square += x * x;
  }
  return square;
}

// How far above the lowest score a code may be and still be the nearest, for a tile of rows;
// replaces the squares of their lengths.
inline void set_slacks(const ErrorBound& bound, Mode mode, float* squares) {
  // Half, because of the scale; the rest covers rounding, and squares too small to be seen.
  const Unit::Vec length = Unit::multiply_add(
      Unit::fill(0.5005f), Unit::square_root(Unit::load(squares)), Unit::fill(1e-21f));
  Unit::Vec slack = Unit::multiply_add(length, Unit::fill(bound.square), Unit::fill(bound.linear));
  slack = Unit::multiply_add(length, slack, Unit::fill(bound.constant));
  const uint32_t all = (uint32_t{1} << Unit::kRows) - 1;
  const uint32_t fit = ~Unit::not_greater(Unit::fill(bound.longest), length);
  // Without slack only the lowest score counts.
  Unit::store(squares, mode == Mode::kFast ? Unit::fill(0.0f) : slack);
  if ((fit & all) == all) return;
  for (int r = 0; r < Unit::kRows; ++r) {
    if (!(fit >> r & 1)) squares[r] = __builtin_inff();
  }
}

// Readies a tile: `count` rows, zeros for the rest. Returns the first row that is not finite, or
// -1. slacks holds a whole register.
inline int64_t prepare_tile(const PackedCodebook& book, const float* rows, int64_t count, Mode mode,
                            float* scaled, float* slacks) {
  const int64_t dim = book.dim();
  for (int r = 0; r < Unit::kLanes; ++r) slacks[r] = 0.0f;
  for (int64_t r = 0; r < Unit::kRows && r < count; ++r) {
    slacks[r] = scale_row(rows + r * dim, dim, book.mean(), scaled + r * dim);
    // Finite numbers may overflow here too, so a square that did proves nothing.
    if (!(slacks[r] < __builtin_inff()) && !all_finite(rows + r * dim, dim)) return r;
  }
  for (int64_t i = count * dim; i < Unit::kRows * dim; ++i) scaled[i] = 0.0f;
  set_slacks(book.bound(), mode, slacks);
  return -1;
}

// Nearest codes where all the codes fit in one chunk: each tile of rows is finished at once.
inline int64_t search_tiles(const PackedCodebook& book, const float* rows, int64_t count, Mode mode,
                            Scratch& scratch, int64_t* codes) {
  constexpr int kRows = Unit::kRows;
  const int64_t stride = book.panels() * book.width();
  float* scaled = scratch.scaled.reserve(kRows * book.dim());
  float* scores = scratch.scores.reserve(kRows * stride);
  float* lowest = scratch.lowest.reserve(book.panels() * kRows * Unit::kLanes);
  for (int64_t i = 0; i < count; i += kRows, rows += kRows * book.dim()) {
    float slacks[Unit::kLanes];
    const int64_t bad = prepare_tile(book, rows, count - i, mode, scaled, slacks);
    if (bad >= 0) return i + bad;
    score_panels(book, 0, book.panels(), scaled, stride, scores, lowest);
    for (int64_t r = 0; r < kRows && i + r < count; ++r) {
      const float* row_scores = scores + r * stride;
      const float* row_lowest = lowest + r * Unit::kLanes;
      codes[i + r] = single_candidate(book, row_scores, row_lowest, slacks[r]);
      if (codes[i + r] >= 0) continue;
      RowState state = fresh_state(slacks[r]);
      const float* row = rows + r * book.dim();
      collect_candidates(book, 0, book.panels(), row_scores, row_lowest, row, state);
      codes[i + r] = decide(book, row, state);
    }
  }
  return -1;
}

// Nearest codes chunk by chunk: all the rows pass by a chunk of codes while it is in the cache.
inline int64_t search_chunks(const PackedCodebook& book, int64_t chunk, const float* rows,
                             int64_t count, Mode mode, Scratch& scratch, int64_t* codes) {
  constexpr int kRows = Unit::kRows;
  const int64_t dim = book.dim();
  const int64_t stride = chunk * book.width();
  float* scaled = scratch.scaled.reserve((count + kRows) * dim);
  float* scores = scratch.scores.reserve(kRows * stride);
  float* lowest = scratch.lowest.reserve(chunk * kRows * Unit::kLanes);
  RowState* states = scratch.states.reserve(count);
  for (int64_t i = 0; i < count; i += kRows) {
    float slacks[Unit::kLanes];
    const int64_t bad =
        prepare_tile(book, rows + i * dim, count - i, mode, scaled + i * dim, slacks);
    if (bad >= 0) return i + bad;
    for (int64_t r = 0; r < kRows && i + r < count; ++r) states[i + r] = fresh_state(slacks[r]);
  }
  for (int64_t first = 0; first < book.panels(); first += chunk) {
    const int64_t last = first + chunk < book.panels() ? first + chunk : book.panels();
    for (int64_t i = 0; i < count; i += kRows) {
      score_panels(book, first, last, scaled + i * dim, stride, scores, lowest);
      for (int64_t r = 0; r < kRows && i + r < count; ++r) {
        collect_candidates(book, first, last, scores + r * stride, lowest + r * Unit::kLanes,
                           rows + (i + r) * dim, states[i + r]);
      }
    }
  }
  for (int64_t i = 0; i < count; ++i) codes[i] = decide(book, rows + i * dim, states[i]);
  return -1;
}

inline int64_t search_block(const PackedCodebook& book, const float* rows, int64_t count, Mode mode,
                            Scratch& scratch, int64_t* codes) {
  // As many codes at a time as stay in the second-level cache.
  constexpr int64_t kCacheFloats = 1 << 17;
  const int64_t fit = kCacheFloats / (book.dim() * book.width());
  const int64_t chunk = fit < 1 ? 1 : fit > kMaxPanels ? kMaxPanels : fit;
  if (book.panels() <= chunk) return search_tiles(book, rows, count, mode, scratch, codes);
  return search_chunks(book, chunk, rows, count, mode, scratch, codes);
}
