// The search of one block of rows.

#include "candidates.inl"
#include "rows.inl"

// Panels in a chunk, of 1024 codes: their scores for a tile of rows stay in the first-level cache,
// or not far from it.
constexpr int64_t kPanelCodes = Unit::kLanes * Unit::kVectors;
constexpr int64_t kMaxPanels = (1024 + kPanelCodes - 1) / kPanelCodes;

// What the search keeps of one tile of rows and one chunk of codes, see score_panels.
struct Tile {
  int64_t stride;
  float* scores;
  float* lowest;
  float limits[Unit::kLanes];
};

inline Tile make_tile(const PackedCodebook& book, int64_t panels, Scratch& scratch) {
  Tile tile;
  tile.stride = panels * book.width();
  tile.scores = scratch.scores.reserve(Unit::kRows * tile.stride);
  tile.lowest = scratch.lowest.reserve(panels * Unit::kLanes);
  return tile;
}

// The lowest score of each row of a tile.
inline Unit::Vec lowest_scores(const Tile& tile, int64_t panels) {
  Unit::Vec low = Unit::load(tile.lowest);
  for (int64_t p = 1; p < panels; ++p) {
    low = Unit::minimum(Unit::load(tile.lowest + p * Unit::kLanes), low);
  }
  return low;
}

// The number of a panel, for each row of a tile, that holds a score within the row's limit. Returns
// the rows, a bit each, that have several.
inline uint32_t panels_within(const Tile& tile, int64_t panels, Unit::Vec limits, float* numbers) {
  Unit::Vec number = Unit::fill(0.0f);
  uint32_t some = 0;
  uint32_t several = 0;
  for (int64_t p = 0; p < panels; ++p) {
    const Unit::Vec low = Unit::load(tile.lowest + p * Unit::kLanes);
    const uint32_t within = Unit::not_greater(low, limits);
    several |= some & within;
    some |= within;
    const Unit::Vec here = Unit::fill(static_cast<float>(p));
    number = Unit::choose_not_greater(low, limits, here, number);
  }
  Unit::store(numbers, number);
  return several;
}

// Adds the candidates of row r of a tile in panel `panel`, number p of the chunk.
inline void add_panel(const PackedCodebook& book, const Tile& tile, int64_t r, int64_t panel,
                      int64_t p, const float* row, RowState& state) {
  const float low = tile.lowest[p * Unit::kLanes + r];
  const float* scores = tile.scores + r * tile.stride + p * book.width();
  add_candidates(book, panel, scores, low, tile.limits[r], row, state);
}

// The nearest code of row r of a tile that holds the scores of all codes.
inline int64_t decide_row(const PackedCodebook& book, const Tile& tile, int64_t r,
                          const float* row) {
  RowState state = fresh_state();
  for (int64_t p = 0; p < book.panels(); ++p) {
    if (tile.lowest[p * Unit::kLanes + r] > tile.limits[r]) continue;
    add_panel(book, tile, r, p, p, row, state);
  }
  return decide(book, row, tile.limits[r], state);
}

// Nearest codes where all the codes fit in one chunk: each tile of rows is finished at once.
inline int64_t search_tiles(const PackedCodebook& book, const float* rows, int64_t count,
                            Scratch& scratch, int64_t* codes) {
  constexpr int kRows = Unit::kRows;
  float* scaled = scratch.scaled.reserve(kRows * scaled_stride(book) + Unit::kLanes);
  Tile tile = make_tile(book, book.panels(), scratch);
  for (int64_t i = 0; i < count; i += kRows, rows += kRows * book.dim()) {
    float slacks[Unit::kLanes];
    const int64_t bad = prepare_tile(book, rows, count - i, scaled, slacks);
    if (bad >= 0) return i + bad;
    score_panels(book, 0, book.panels(), scaled, tile.stride, tile.scores, tile.lowest);
    const Unit::Vec limits = Unit::add(lowest_scores(tile, book.panels()), Unit::load(slacks));
    Unit::store(tile.limits, limits);
    float numbers[Unit::kLanes];
    const uint32_t several = panels_within(tile, book.panels(), limits, numbers);
    for (int64_t r = 0; r < kRows && i + r < count; ++r) {
      // Almost always one code is within the limit, and no branch depends on where it is.
      const int64_t panel = static_cast<int64_t>(numbers[r]);
      const float* scores = tile.scores + r * tile.stride + panel * book.width();
      const uint64_t lanes = lanes_within(book, panel, scores, tile.limits[r]);
      codes[i + r] = book.first_code(panel) + __builtin_ctzll(lanes);
      if (((several >> r & 1) | (lanes & (lanes - 1))) == 0) continue;
      const float* row = rows + r * book.dim();
      codes[i + r] =
          several >> r & 1 ? decide_row(book, tile, r, row) : settle_lanes(book, row, panel, lanes);
    }
  }
  return -1;
}

// Adds the candidates of a tile of `count` rows among `panels` panels from the first.
inline void collect_tile(const PackedCodebook& book, const Tile& tile, int64_t first,
                         int64_t panels, const float* rows, int64_t count, RowState* states) {
  const uint32_t all = count < Unit::kRows ? (uint32_t{1} << count) - 1 : kAllRows;
  const Unit::Vec limits = Unit::load(tile.limits);
  for (int64_t p = 0; p < panels; ++p) {
    const Unit::Vec low = Unit::load(tile.lowest + p * Unit::kLanes);
    for (uint32_t hits = Unit::not_greater(low, limits) & all; hits; hits &= hits - 1) {
      const int r = __builtin_ctz(hits);
      add_panel(book, tile, r, first + p, p, rows + r * book.dim(), states[r]);
    }
  }
}

// Nearest codes chunk by chunk: all the rows pass by a chunk of codes while it is in the cache.
inline int64_t search_chunks(const PackedCodebook& book, int64_t chunk, const float* rows,
                             int64_t count, Scratch& scratch, int64_t* codes) {
  constexpr int kRows = Unit::kRows;
  constexpr int kLanes = Unit::kLanes;
  const int64_t dim = book.dim();
  const int64_t apart = scaled_stride(book);
  const int64_t tiles = (count + kRows - 1) / kRows;
  float* scaled = scratch.scaled.reserve(tiles * kRows * apart + kLanes);
  // Of row r of tile t, the slack and the lowest score so far are number t * kLanes + r.
  float* slacks = scratch.slacks.reserve(tiles * kLanes);
  float* minima = scratch.minima.reserve(tiles * kLanes);
  RowState* states = scratch.states.reserve(count);
  for (int64_t t = 0, i = 0; t < tiles; ++t, i += kRows) {
    const int64_t bad =
        prepare_tile(book, rows + i * dim, count - i, scaled + i * apart, slacks + t * kLanes);
    if (bad >= 0) return i + bad;
    Unit::store(minima + t * kLanes, Unit::fill(__builtin_inff()));
  }
  for (int64_t i = 0; i < count; ++i) states[i] = fresh_state();
  Tile tile = make_tile(book, chunk, scratch);
  for (int64_t first = 0; first < book.panels(); first += chunk) {
    const int64_t last = first + chunk < book.panels() ? first + chunk : book.panels();
    for (int64_t t = 0, i = 0; t < tiles; ++t, i += kRows) {
      score_panels(book, first, last, scaled + i * apart, tile.stride, tile.scores, tile.lowest);
      const Unit::Vec low =
          Unit::minimum(lowest_scores(tile, last - first), Unit::load(minima + t * kLanes));
      Unit::store(minima + t * kLanes, low);
      Unit::store(tile.limits, Unit::add(low, Unit::load(slacks + t * kLanes)));
      collect_tile(book, tile, first, last - first, rows + i * dim, count - i, states + i);
    }
  }
  for (int64_t i = 0; i < count; ++i) {
    const int64_t at = i / kRows * kLanes + i % kRows;
    codes[i] = decide(book, rows + i * dim, minima[at] + slacks[at], states[i]);
  }
  return -1;
}

inline int64_t search_block(const PackedCodebook& book, const float* rows, int64_t count,
                            Scratch& scratch, int64_t* codes) {
  // As many codes at a time as stay in the second-level cache.
  constexpr int64_t kCacheFloats = 1 << 17;
  const int64_t fit = kCacheFloats / (book.dim() * book.width());
  const int64_t most = fit < 1 ? 1 : fit > kMaxPanels ? kMaxPanels : fit;
  if (book.panels() <= most) return search_tiles(book, rows, count, scratch, codes);
  // All about equally long: a short one takes nearly as much bookkeeping.
  const int64_t chunks = (book.panels() + most - 1) / most;
  const int64_t chunk = (book.panels() + chunks - 1) / chunks;
  return search_chunks(book, chunk, rows, count, scratch, codes);
}
