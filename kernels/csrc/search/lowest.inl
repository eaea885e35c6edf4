// The few lowest scores of a group of rows, for beam search. Included after block.inl.

// Puts a pick in its place among the `keep` lowest so far; of equals the first comes first.
inline void insert_pick(Pick* picks, int64_t keep, Pick pick) {
  int64_t at = keep - 1;
  for (; at > 0 && pick.cost < picks[at - 1].cost; --at) picks[at] = picks[at - 1];
  picks[at] = pick;
}

// Offers the codes of one panel for one row, whose costs are their scores and `base`. Returns
// whether any was picked.
inline bool offer_panel(const PackedCodebook& book, int64_t panel, const float* scores, float base,
                        int32_t row, int64_t keep, Pick* picks) {
  constexpr int kLanes = Unit::kLanes;
  bool picked = false;
  float limit = picks[keep - 1].cost - base;
  for (int v = 0; v < book.vectors(panel); ++v) {
    uint32_t mask = Unit::not_greater(Unit::load(scores + v * kLanes), Unit::fill(limit));
    for (; mask; mask &= mask - 1) {
      const int lane = v * kLanes + __builtin_ctz(mask);
      const float cost = base + scores[lane];
      if (!(cost < picks[keep - 1].cost)) continue;
      insert_pick(picks, keep, {cost, row, static_cast<int32_t>(book.first_code(panel) + lane)});
      limit = picks[keep - 1].cost - base;
      picked = true;
    }
  }
  return picked;
}

// Offers all codes for a tile of `count` rows, number `first` and those after it. base: kLanes
// floats.
inline void offer_tile(const PackedCodebook& book, const float* scores, int64_t stride,
                       const float* lowest, const float* base, int64_t first, int64_t count,
                       int64_t width, int64_t keep, Pick* picks) {
  constexpr int kLanes = Unit::kLanes;
  const uint32_t all = (uint32_t{1} << count) - 1;
  // What a score of each row must not exceed to be picked.
  float limits[kLanes] = {};
  for (int64_t r = 0; r < count; ++r) {
    limits[r] = picks[(first + r) / width * keep + keep - 1].cost - base[r];
  }
  for (int64_t p = 0; p < book.panels(); ++p, scores += book.width(), lowest += kLanes) {
    uint32_t hits = Unit::not_greater(Unit::load(lowest), Unit::load(limits)) & all;
    for (; hits; hits &= hits - 1) {
      const int r = __builtin_ctz(hits);
      const int64_t point = (first + r) / width;
      Pick* own = picks + point * keep;
      const auto row = static_cast<int32_t>(first + r - point * width);
      if (!offer_panel(book, p, scores + r * stride, base[r], row, keep, own)) continue;
      // The other rows of the point have to do better now, too.
      const int64_t begin = point * width - first;
      for (int64_t i = begin < 0 ? 0 : begin; i < count && i < begin + width; ++i) {
        limits[i] = own[keep - 1].cost - base[i];
      }
    }
  }
}

// For each of `points` groups of `width` rows: the `keep` lowest of ||row - code||^2 + bias + paid
// over its rows and all codes that are allowed, lowest first. rows: (points * width, dim), finite.
// picks: (points, keep), at most width times the allowed codes each.
inline void lowest_picks(const PackedCodebook& book, const float* rows, const float* paid,
                         int64_t points, int64_t width, int64_t keep, Scratch& scratch,
                         Pick* picks) {
  constexpr int kRows = Unit::kRows;
  const int64_t count = points * width;
  const int64_t dim = book.dim();
  const int64_t stride = book.panels() * book.width();
  float* scaled = scratch.scaled.reserve(kRows * scaled_stride(book) + Unit::kLanes);
  float* scores = scratch.scores.reserve(kRows * stride);
  float* lowest = scratch.lowest.reserve(book.panels() * Unit::kLanes);
  // Where every cost overflows, what stands here is the answer.
  const auto first = static_cast<int32_t>(book.first_allowed());
  for (int64_t i = 0; i < points * keep; ++i) picks[i] = {__builtin_inff(), 0, first};
  for (int64_t i = 0; i < count; i += kRows) {
    const int64_t here = count - i < kRows ? count - i : kRows;
    float base[Unit::kLanes];
    Unit::store(base, scale_tile(book, rows + i * dim, here, scaled));
    score_panels(book, 0, book.panels(), scaled, stride, scores, lowest);
    // The rows were scaled by -2, so a quarter of the square is the length that scores leave out.
    for (int64_t r = 0; r < here; ++r) base[r] = 0.25f * base[r] + paid[i + r];
    offer_tile(book, scores, stride, lowest, base, i, here, width, keep, picks);
  }
}
