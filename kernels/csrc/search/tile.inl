// The search of one block of rows, written once for every instruction set.
//
// Included inside a namespace and a target region after a struct Unit that says how to load, store,
// broadcast, multiply-add, take minima and compare Unit::kLanes floats. Nothing here may call into
// the standard library: an instance compiled for a newer processor could end up shared.

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
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    Unit::Vec low = sums[r][0];
    Unit::store(scores + r * stride, sums[r][0]);
#pragma GCC unroll 4
    for (int v = 1; v < kVectors; ++v) {
      low = Unit::minimum(sums[r][v], low);
      Unit::store(scores + r * stride + v * kLanes, sums[r][v]);
    }
    Unit::store(lowest + r * kLanes, low);
  }
}

inline void score_any_panel(const PackedCodebook& book, int64_t panel, const float* rows,
                            int64_t stride, float* scores, float* lowest) {
  const float* codes = book.filter(panel);
  const float* offsets = book.offsets(panel);
  switch (book.vectors(panel)) {
    case 1:
      return score_panel<1>(rows, book.dim(), codes, offsets, stride, scores, lowest);
    case 2:
      return score_panel<2>(rows, book.dim(), codes, offsets, stride, scores, lowest);
    default:
      return score_panel<3>(rows, book.dim(), codes, offsets, stride, scores, lowest);
  }
}

// Takes the canonical distances of the candidates of one panel; keeps the first smallest.
inline void settle_panel(const PackedCodebook& book, const float* row, int64_t panel,
                         uint64_t lanes, RowState& state) {
  constexpr int kLanes = Unit::kLanes;
  const int vectors = book.vectors(panel);
  const int64_t width = vectors * kLanes;
  const float* bias = book.bias(panel);
  for (int v = 0; v < vectors; ++v) {
    uint64_t chosen = (lanes >> (v * kLanes)) & ((uint64_t{1} << kLanes) - 1);
    if (!chosen) continue;
    const float* codes = book.exact(panel) + v * kLanes;
    double total[kLanes] = {};
    for (int64_t d = 0; d < book.dim(); ++d) {
      const double x = row[d];
      for (int lane = 0; lane < kLanes; ++lane) {
        const double difference = x - static_cast<double>(codes[d * width + lane]);
        total[lane] += difference * difference;
      }
    }
    for (; chosen; chosen &= chosen - 1) {
      const int lane = __builtin_ctzll(chosen);
      const double distance =
          total[lane] + (bias ? static_cast<double>(bias[v * kLanes + lane]) : 0.0);
      if (state.code < 0 || distance < state.distance) {
        state.distance = distance;
        state.code = book.first_code(panel) + v * kLanes + lane;
      }
    }
  }
}

inline void settle_candidates(const PackedCodebook& book, const float* row, RowState& state) {
  for (int i = 0; i < state.count; ++i) {
    settle_panel(book, row, state.candidates[i].panel, state.candidates[i].lanes, state);
  }
  state.count = 0;
}

// Drops what a lower score has ruled out since. Written so that a NaN stays a candidate.
inline void prune_candidates(RowState& state) {
  const float limit = state.lowest + state.slack;
  int kept = 0;
  for (int i = 0; i < state.count; ++i) {
    if (!(state.candidates[i].lowest > limit)) state.candidates[kept++] = state.candidates[i];
  }
  state.count = kept;
}

// Adds the codes of panels [first, last) whose scores are within the slack of the lowest so far.
inline void collect_candidates(const PackedCodebook& book, int64_t first, int64_t last,
                               const float* scores, const float* lowest, const float* row,
                               RowState& state) {
  constexpr int kLanes = Unit::kLanes;
  constexpr int64_t kStep = Unit::kRows * kLanes;
  Unit::Vec low = Unit::load(lowest);
  for (int64_t i = 1; i < last - first; ++i) {
    low = Unit::minimum(Unit::load(lowest + i * kStep), low);
  }
  const float smallest = Unit::smallest(low);
  if (!(smallest > state.lowest)) state.lowest = smallest;
  const Unit::Vec limit = Unit::fill(state.lowest + state.slack);
  uint64_t hits = 0;
  for (int64_t i = 0; i < last - first; ++i) {
    const uint64_t any = Unit::not_greater(Unit::load(lowest + i * kStep), limit) != 0;
    hits |= any << i;
  }
  for (; hits; hits &= hits - 1) {
    const int i = __builtin_ctzll(hits);
    const float* panel_scores = scores + i * book.width();
    uint64_t lanes = 0;
    for (int v = 0; v < book.vectors(first + i); ++v) {
      const uint64_t chosen = Unit::not_greater(Unit::load(panel_scores + v * kLanes), limit);
      lanes |= chosen << (v * kLanes);
    }
    if (first + i + 1 == book.panels()) lanes &= book.valid(first + i);
    if (!lanes) continue;
    if (state.count == RowState::kCandidates) {
      prune_candidates(state);
      if (state.count == RowState::kCandidates) settle_candidates(book, row, state);
    }
    Candidates& entry = state.candidates[state.count++];
    entry.lowest = Unit::smallest(Unit::load(lowest + i * kStep));
    entry.panel = static_cast<int32_t>(first + i);
    entry.lanes = lanes;
  }
}

inline int64_t decide(const PackedCodebook& book, const float* row, RowState& state) {
  if (state.count > 1) prune_candidates(state);
  const uint64_t lanes = state.candidates[0].lanes;
  const bool single = state.count == 1 && state.code < 0 && (lanes & (lanes - 1)) == 0;
  if (single || state.slack == 0.0f) {
    return book.first_code(state.candidates[0].panel) + __builtin_ctzll(lanes);
  }
  settle_candidates(book, row, state);
  return state.code;
}

// Scales a row by -2 about the mean; returns the length of the centred row, rounded up.
inline float prepare_row(const float* row, int64_t dim, const float* mean, float* scaled) {
  if (mean) {
    for (int64_t d = 0; d < dim; ++d) scaled[d] = -2.0f * (row[d] - mean[d]);
  } else {
    for (int64_t d = 0; d < dim; ++d) scaled[d] = -2.0f * row[d];
  }
  constexpr int kLanes = Unit::kLanes;
  float square = 0.0f;
  int64_t d = 0;
  if (dim >= kLanes) {
    Unit::Vec sum = Unit::fill(0.0f);
    for (; d + kLanes <= dim; d += kLanes) {
      const Unit::Vec x = Unit::load(scaled + d);
      sum = Unit::multiply_add(x, x, sum);
    }
    square = Unit::total(sum);
  }
  for (; d < dim; ++d) square += scaled[d] * scaled[d];
  // Half, because of the scale; the rest covers rounding, and squares too small to be seen.
  return 0.5005f * __builtin_sqrtf(square) + 1e-21f;
}

inline float slack(const ErrorBound& bound, float length) {
  if (!(length <= bound.longest)) return __builtin_inff();
  return bound.constant + length * (bound.linear + length * bound.square);
}

inline int64_t search_block(const PackedCodebook& book, const float* rows, int64_t count, Mode mode,
                            Scratch& scratch, int64_t* codes) {
  constexpr int kRows = Unit::kRows;
  constexpr int kLanes = Unit::kLanes;
  const int64_t dim = book.dim();
  const int64_t padded = (count + kRows - 1) / kRows * kRows;
  float* scaled = scratch.scaled.reserve(padded * dim);
  RowState* states = scratch.states.reserve(padded);
  for (int64_t i = 0; i < count; ++i) {
    const float length = prepare_row(rows + i * dim, dim, book.mean(), scaled + i * dim);
    if (!(length < 3e38f) && !all_finite(rows + i * dim, dim)) return i;
    states[i].lowest = __builtin_inff();
    states[i].slack = slack(book.bound(), length);
    // Without slack only the lowest score counts, unless scores may have overflowed.
    if (mode == Mode::kFast && states[i].slack < __builtin_inff()) states[i].slack = 0.0f;
    states[i].count = 0;
    states[i].code = -1;
  }
  for (int64_t i = count * dim; i < padded * dim; ++i) scaled[i] = 0.0f;

  // As many codes at a time as stay in the cache while all the rows pass by.
  constexpr int64_t kCacheFloats = 1 << 17;
  const int64_t fit = kCacheFloats / (dim * book.width());
  const int64_t chunk = fit < 1 ? 1 : fit > 21 ? 21 : fit;
  const int64_t stride = chunk * book.width();
  float* scores = scratch.scores.reserve(kRows * stride);
  float* lowest = scratch.lowest.reserve(chunk * kRows * kLanes);
  for (int64_t first = 0; first < book.panels(); first += chunk) {
    const int64_t last = first + chunk < book.panels() ? first + chunk : book.panels();
    for (int64_t row = 0; row < padded; row += kRows) {
      for (int64_t p = first; p < last; ++p) {
        score_any_panel(book, p, scaled + row * dim, stride, scores + (p - first) * book.width(),
                        lowest + (p - first) * kRows * kLanes);
      }
      for (int r = 0; r < kRows && row + r < count; ++r) {
        collect_candidates(book, first, last, scores + r * stride, lowest + r * kLanes,
                           rows + (row + r) * dim, states[row + r]);
      }
    }
  }
  for (int64_t i = 0; i < count; ++i) codes[i] = decide(book, rows + i * dim, states[i]);
  return -1;
}
