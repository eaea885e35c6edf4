// From scores to codes: the candidates of a row, and the float64 settle between them.

#include "tile.inl"

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

inline RowState fresh_state(float slack) {
  RowState state;
  state.lowest = __builtin_inff();
  state.slack = slack;
  state.count = 0;
  state.code = -1;
  return state;
}

inline void settle_candidates(const PackedCodebook& book, const float* row, RowState& state) {
  for (int i = 0; i < state.count; ++i) {
    settle_panel(book, row, state.candidates[i].panel, state.candidates[i].lanes, state);
  }
  state.count = 0;
}

// Drops what a lower score has ruled out since.
inline void prune_candidates(RowState& state) {
  const float limit = state.lowest + state.slack;
  int kept = 0;
  for (int i = 0; i < state.count; ++i) {
    if (!(state.candidates[i].lowest > limit)) state.candidates[kept++] = state.candidates[i];
  }
  state.count = kept;
}

// The lanes of one panel, a bit each, whose scores do not exceed the limit. Written so that a NaN
// counts, here and below. Registers beyond the last panel's hold what was there before.
inline uint64_t lanes_within(const PackedCodebook& book, int64_t panel, const float* scores,
                             Unit::Vec limit) {
  uint64_t lanes = 0;
#pragma GCC unroll 4
  for (int v = 0; v < Unit::kVectors; ++v) {
    const uint64_t chosen = Unit::not_greater(Unit::load(scores + v * Unit::kLanes), limit);
    lanes |= chosen << (v * Unit::kLanes);
  }
  return lanes & book.valid(panel);
}

inline float lowest_score(const float* lowest, int64_t panels) {
  constexpr int64_t kStep = Unit::kRows * Unit::kLanes;
  Unit::Vec low = Unit::load(lowest);
  for (int64_t i = 1; i < panels; ++i) low = Unit::minimum(Unit::load(lowest + i * kStep), low);
  return Unit::smallest(low);
}

// The panels, a bit each, that hold a score within the limit.
inline uint64_t panels_within(const float* lowest, int64_t panels, Unit::Vec limit) {
  constexpr int64_t kStep = Unit::kRows * Unit::kLanes;
  uint64_t hits = 0;
  for (int64_t i = 0; i < panels; ++i) {
    const uint64_t any = Unit::not_greater(Unit::load(lowest + i * kStep), limit) != 0;
    hits |= any << i;
  }
  return hits;
}

// The only candidate among all the codes, or -1 if there are more.
inline int64_t single_candidate(const PackedCodebook& book, const float* scores,
                                const float* lowest, float slack) {
  const Unit::Vec limit = Unit::fill(lowest_score(lowest, book.panels()) + slack);
  const uint64_t hits = panels_within(lowest, book.panels(), limit);
  const int64_t panel = __builtin_ctzll(hits);
  const uint64_t lanes = lanes_within(book, panel, scores + panel * book.width(), limit);
  if ((hits & (hits - 1)) | (lanes & (lanes - 1)) | (lanes == 0)) return -1;
  return book.first_code(panel) + __builtin_ctzll(lanes);
}

// Adds the codes of panels [first, last) whose scores are within the slack of the lowest so far.
inline void collect_candidates(const PackedCodebook& book, int64_t first, int64_t last,
                               const float* scores, const float* lowest, const float* row,
                               RowState& state) {
  const float smallest = lowest_score(lowest, last - first);
  if (!(smallest > state.lowest)) state.lowest = smallest;
  const Unit::Vec limit = Unit::fill(state.lowest + state.slack);
  uint64_t hits = panels_within(lowest, last - first, limit);
  for (; hits; hits &= hits - 1) {
    const int i = __builtin_ctzll(hits);
    const uint64_t lanes = lanes_within(book, first + i, scores + i * book.width(), limit);
    if (!lanes) continue;
    if (state.count == RowState::kCandidates) {
      prune_candidates(state);
      if (state.count == RowState::kCandidates) settle_candidates(book, row, state);
    }
    state.candidates[state.count++] = {state.lowest, static_cast<int32_t>(first + i), lanes};
  }
}

// The nearest code, once all codes have been seen.
inline int64_t decide(const PackedCodebook& book, const float* row, RowState& state) {
  if (state.count > 1) prune_candidates(state);
  const uint64_t lanes = state.candidates[0].lanes;
  // Without slack, in the fast mode, the first of equals will do.
  const bool single = state.count == 1 && state.code < 0 && (lanes & (lanes - 1)) == 0;
  if (single || state.slack == 0.0f) {
    return book.first_code(state.candidates[0].panel) + __builtin_ctzll(lanes);
  }
  settle_candidates(book, row, state);
  return state.code;
}
