// From scores to codes: the candidates of a row, and the float64 settle between them.

// As many float64 values as a register holds, and as many codes. Written out because the compiler
// leaves the plain loop over lanes as it is, or keeps its sums in memory: ten times slower.
constexpr int kDoubles = Unit::kLanes / 2;
typedef float Singles __attribute__((vector_size(kDoubles * sizeof(float))));
typedef double Doubles __attribute__((vector_size(kDoubles * sizeof(double))));

// Takes the canonical distances of the candidates of one panel; keeps the smallest.
inline void settle_panel(const PackedCodebook& book, const float* row, int64_t panel,
                         uint64_t lanes, RowState& state) {
  const int64_t width = static_cast<int64_t>(book.vectors(panel)) * Unit::kLanes;
  const float* bias = book.bias(panel);
  while (lanes) {
    const int first = __builtin_ctzll(lanes) / kDoubles * kDoubles;
    uint64_t chosen = (lanes >> first) & ((uint64_t{1} << kDoubles) - 1);
    lanes ^= chosen << first;
    const float* codes = book.exact(panel) + first;
    Doubles total = {};
    for (int64_t d = 0; d < book.dim(); ++d) {
      Singles code;
      __builtin_memcpy(&code, codes + d * width, sizeof code);
      const Doubles difference =
          static_cast<double>(row[d]) - __builtin_convertvector(code, Doubles);
      total += difference * difference;
    }
    for (; chosen; chosen &= chosen - 1) {
      const int lane = __builtin_ctzll(chosen);
      const double distance = total[lane] + (bias ? static_cast<double>(bias[first + lane]) : 0.0);
      const int64_t code = book.first_code(panel) + first + lane;
      if (state.code < 0 || distance < state.distance ||
          (distance == state.distance && book.wins_tie(code, state.code))) {
        state.distance = distance;
        state.code = code;
      }
    }
  }
}

inline RowState fresh_state() {
  RowState state;
  state.count = 0;
  state.code = -1;
  return state;
}

// The nearest code among candidates that are all in one panel.
inline int64_t settle_lanes(const PackedCodebook& book, const float* row, int64_t panel,
                            uint64_t lanes) {
  RowState state = fresh_state();
  settle_panel(book, row, panel, lanes, state);
  return state.code;
}

inline void settle_candidates(const PackedCodebook& book, const float* row, RowState& state) {
  for (int i = 0; i < state.count; ++i) {
    settle_panel(book, row, state.candidates[i].panel, state.candidates[i].lanes, state);
  }
  state.count = 0;
}

// Drops what a lower score has ruled out since. Written so that a NaN counts, here and below.
inline void prune_candidates(float limit, RowState& state) {
  int kept = 0;
  for (int i = 0; i < state.count; ++i) {
    if (!(state.candidates[i].lowest > limit)) state.candidates[kept++] = state.candidates[i];
  }
  state.count = kept;
}

// The lanes of one panel, a bit each, whose scores do not exceed the limit. Registers beyond the
// last panel's hold what was there before.
inline uint64_t lanes_within(const PackedCodebook& book, int64_t panel, const float* scores,
                             float limit) {
  uint64_t lanes = 0;
#pragma GCC unroll 4
  for (int v = 0; v < Unit::kVectors; ++v) {
    const uint64_t chosen =
        Unit::not_greater(Unit::load(scores + v * Unit::kLanes), Unit::fill(limit));
    lanes |= chosen << (v * Unit::kLanes);
  }
  return lanes & book.valid(panel);
}

// Adds the codes of one panel whose scores are within the limit; `lowest` is the panel's, and is.
inline void add_candidates(const PackedCodebook& book, int64_t panel, const float* scores,
                           float lowest, float limit, const float* row, RowState& state) {
  if (kCoarse && state.code == RowState::kUndecided) return;
  if (state.count == RowState::kCandidates) {
    prune_candidates(limit, state);
    if (state.count == RowState::kCandidates) {
      if (kCoarse) {
        state.code = RowState::kUndecided;
        return;
      }
      settle_candidates(book, row, state);
    }
  }
  state.candidates[state.count++] = {lowest, static_cast<int32_t>(panel),
                                     lanes_within(book, panel, scores, limit)};
}

// The nearest code, once all codes have been seen and the limit is final, or kUndecided.
inline int64_t decide(const PackedCodebook& book, const float* row, float limit, RowState& state) {
  if (kCoarse && state.code == RowState::kUndecided) return RowState::kUndecided;
  if (state.count > 1) prune_candidates(limit, state);
  const uint64_t lanes = state.candidates[0].lanes;
  const bool single = state.count == 1 && state.code < 0 && (lanes & (lanes - 1)) == 0;
  if (single) {
    return book.first_code(state.candidates[0].panel) + __builtin_ctzll(lanes);
  }
  settle_candidates(book, row, state);
  return state.code;
}
