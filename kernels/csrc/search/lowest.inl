// The few lowest scores of a group of rows, for beam search. Included after block.inl.

// Puts a pick in its place among the `keep` lowest so far; of equals the first comes first.
inline void insert_pick(Pick* picks, int64_t keep, Pick pick) {
  int64_t at = keep - 1;
  for (; at > 0 && pick.cost < picks[at - 1].cost; --at) picks[at] = picks[at - 1];
  picks[at] = pick;
}

// Offers all codes of one row, whose cost is its score and `base`.
inline void offer_row(const float* scores, int64_t count, float base, int32_t row, int64_t keep,
                      Pick* picks) {
  constexpr int kLanes = Unit::kLanes;
  float limit = picks[keep - 1].cost - base;
  for (int64_t first = 0; first < count; first += kLanes) {
    uint32_t mask = Unit::not_greater(Unit::load(scores + first), Unit::fill(limit));
    for (; mask; mask &= mask - 1) {
      const int64_t code = first + __builtin_ctz(mask);
      const float cost = base + scores[code];
      if (!(cost < picks[keep - 1].cost)) continue;
      insert_pick(picks, keep, {cost, row, static_cast<int32_t>(code)});
      limit = picks[keep - 1].cost - base;
    }
  }
}

// For each of `points` groups of `width` rows: the `keep` lowest of ||row - code||^2 + bias + paid
// over its rows and all codes, lowest first. rows: (points * width, dim), finite. picks: (points,
// keep), at most width * K each.
inline void lowest_picks(const PackedCodebook& book, const float* rows, const float* paid,
                         int64_t points, int64_t width, int64_t keep, Scratch& scratch,
                         Pick* picks) {
  constexpr int kRows = Unit::kRows;
  const int64_t count = points * width;
  const int64_t dim = book.dim();
  const int64_t stride = book.panels() * book.width();
  // What is written of the scores of a row: the last panel ends where the codes do.
  const int64_t last = book.panels() - 1;
  const int64_t written = last * book.width() + book.vectors(last) * Unit::kLanes;
  float* scaled = scratch.scaled.reserve(kRows * dim + Unit::kLanes);
  float* scores = scratch.scores.reserve(kRows * stride);
  float* lowest = scratch.lowest.reserve(book.panels() * Unit::kLanes);
  for (int64_t i = 0; i < points * keep; ++i) picks[i] = {__builtin_inff(), 0, 0};
  for (int64_t i = 0; i < count; i += kRows) {
    const int64_t here = count - i < kRows ? count - i : kRows;
    float squares[Unit::kLanes];
    Unit::store(squares, scale_tile(book, rows + i * dim, here, scaled));
    score_panels(book, 0, book.panels(), scaled, stride, scores, lowest);
    for (int64_t r = 0; r < here; ++r) {
      // The rows were scaled by -2, so a quarter of the square is the length that scores leave out.
      const float base = 0.25f * squares[r] + paid[i + r];
      const int64_t point = (i + r) / width;
      offer_row(scores + r * stride, written, base, static_cast<int32_t>((i + r) % width), keep,
                picks + point * keep);
    }
  }
}
