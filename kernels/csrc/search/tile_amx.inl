// Scores of a tile of rows by AMX, in place of tile.inl: 16 rows in pieces by 48 codes in pieces.

#include "load.inl"

// Eight tiles of 16 rows of 64 bytes, as long as it lives. Their use has to be allowed before, see
// level_amx.cpp.
class TileSession {
 public:
  TileSession() {
    struct {
      uint8_t palette = 1;
      uint8_t start_row = 0;
      uint8_t reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } config;
    __asm__ volatile("ldtilecfg %0" : : "m"(config));
  }
  // Without live tiles, threads are cheaper to switch.
  ~TileSession() { __asm__ volatile("tilerelease"); }
  TileSession(const TileSession&) = delete;
  TileSession& operator=(const TileSession&) = delete;
};

// Written out because the intrinsics of some compilers do not say that they read memory.
template <int kTile>
inline void load_tile(const void* from, int64_t row_bytes) {
  __asm__ volatile("tileloadd (%1,%2,1), %%tmm%c0"
                   :
                   : "i"(kTile), "r"(from), "r"(row_bytes)
                   : "memory");
}

template <int kTile>
inline void store_tile(void* to, int64_t row_bytes) {
  __asm__ volatile("tilestored %%tmm%c0, (%1,%2,1)"
                   :
                   : "i"(kTile), "r"(to), "r"(row_bytes)
                   : "memory");
}

// Adds the products of a tile of rows and a tile of codes.
template <int kSum, int kRows, int kCodes>
inline void multiply_tiles() {
  __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kRows), "i"(kCodes));
}

inline int64_t scaled_stride(const PackedCodebook& book) {
  return PieceLayout(book.dim()).floats();
}

constexpr bool kCoarse = true;

inline const ErrorBound& filter_bound(const PackedCodebook& book) { return book.pieces_bound(); }

// The two pieces of each of sixteen values, as PieceLayout and its bound want them.
struct Pieces {
  __m256i high;
  __m256i middle;
};

inline __m512i round_to_bfloat16(Unit::Vec x) {
  const __m512i bits = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
  return _mm512_and_epi32(bits, _mm512_set1_epi32(static_cast<int>(0xFFFF0000)));
}

inline Pieces split_values(Unit::Vec x) {
  const __m512i high = round_to_bfloat16(x);
  const __m512i middle = round_to_bfloat16(_mm512_sub_ps(x, _mm512_castsi512_ps(high)));
  return {_mm512_cvtepi32_epi16(_mm512_srli_epi32(high, 16)),
          _mm512_cvtepi32_epi16(_mm512_srli_epi32(middle, 16))};
}

inline void store_pieces(uint16_t* to, __m256i pieces) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), pieces);
}

// The pieces of the last `rest` values, given in registers with zeros after them. Each store of a
// whole register is put right by the next.
inline void store_rest(const PieceLayout& layout, const Pieces& first, const Pieces& second,
                       uint16_t* to) {
  for (int64_t s = 0; s < layout.steps; ++s) {
    _mm512_storeu_si512(to + s * PieceLayout::kTileValues, _mm512_setzero_si512());
  }
  const __m256i parts[3][2] = {
      {first.high, second.high}, {first.middle, second.middle}, {first.high, second.high}};
  for (const auto& part : parts) {
    store_pieces(to, part[0]);
    if (layout.rest > Unit::kLanes) store_pieces(to + Unit::kLanes, part[1]);
    to += layout.rest;
  }
}

// Scales a row by -2 about the mean and splits it; returns its square, in parts to be added up.
// Writes whole registers, so that what follows in `scaled` has to come later.
inline Unit::Vec scale_row(const float* row, int64_t dim, const float* end, const float* mean,
                           float* scaled) {
  constexpr int kLanes = Unit::kLanes;
  const PieceLayout layout(dim);
  auto* to = reinterpret_cast<uint16_t*>(scaled);
  Unit::Vec square = Unit::fill(0.0f);
  int64_t d = 0;
  for (int64_t b = 0; b < layout.blocks; ++b, to += 2 * PieceLayout::kTileValues) {
    for (int64_t half = 0; half < 2; ++half, d += kLanes) {
      const Unit::Vec x = load_scaled(row, d, dim, end, mean);
      square = Unit::multiply_add(x, x, square);
      const Pieces pieces = split_values(x);
      store_pieces(to + half * kLanes, pieces.high);
      store_pieces(to + half * kLanes + PieceLayout::kTileValues, pieces.middle);
    }
  }
  if (layout.rest == 0) return square;
  const Unit::Vec first = load_scaled(row, d, dim, end, mean);
  square = Unit::multiply_add(first, first, square);
  Unit::Vec second = Unit::fill(0.0f);
  if (layout.rest > kLanes) {
    second = load_scaled(row, d + kLanes, dim, end, mean);
    square = Unit::multiply_add(second, second, square);
  }
  store_rest(layout, split_values(first), split_values(second), to);
  return square;
}

// A panel has one to three vectors of codes. Tiles 0 to 2 sum up the products of each, 3 and 4 hold
// rows, 5 to 7 codes.
template <int kVectors>
inline void load_codes(const char*& codes) {
  constexpr int64_t kTileBytes = 1024;
  load_tile<5>(codes, 64);
  if (kVectors > 1) load_tile<6>(codes + kTileBytes, 64);
  if (kVectors > 2) load_tile<7>(codes + 2 * kTileBytes, 64);
  codes += Unit::kVectors * kTileBytes;
}

template <int kRows, int kVectors>
inline void multiply_codes() {
  multiply_tiles<0, kRows, 5>();
  if (kVectors > 1) multiply_tiles<1, kRows, 6>();
  if (kVectors > 2) multiply_tiles<2, kRows, 7>();
}

// offset_k + the products of pieces, summed up in a tile of 16 rows by 16 codes for each vector.
template <int kVectors>
inline void sum_products(const PieceLayout& layout, const char* rows, const uint32_t* pieces,
                         const float* offsets) {
  const int64_t row_bytes = layout.floats() * static_cast<int64_t>(sizeof(float));
  const char* codes = reinterpret_cast<const char*>(pieces);
  load_tile<0>(offsets, 0);
  if (kVectors > 1) load_tile<1>(offsets + Unit::kLanes, 0);
  if (kVectors > 2) load_tile<2>(offsets + 2 * Unit::kLanes, 0);
  for (int64_t b = 0; b < layout.blocks; ++b, rows += 128) {
    load_tile<3>(rows, row_bytes);
    load_tile<4>(rows + 64, row_bytes);
    load_codes<kVectors>(codes);
    multiply_codes<3, kVectors>();
    multiply_codes<4, kVectors>();
    load_codes<kVectors>(codes);
    multiply_codes<3, kVectors>();
  }
  for (int64_t s = 0; s < layout.steps; ++s, rows += 64) {
    load_tile<3>(rows, row_bytes);
    load_codes<kVectors>(codes);
    multiply_codes<3, kVectors>();
  }
}

// Stores the sums; lowest[r] becomes the smallest of row r.
template <int kVectors>
inline void finish_panel(float* scores, int64_t stride, float* lowest) {
  constexpr int kLanes = Unit::kLanes;
  const int64_t stride_bytes = stride * static_cast<int64_t>(sizeof(float));
  store_tile<0>(scores, stride_bytes);
  if (kVectors > 1) store_tile<1>(scores + kLanes, stride_bytes);
  if (kVectors > 2) store_tile<2>(scores + 2 * kLanes, stride_bytes);
  Unit::Vec lows[Unit::kRows];
#pragma GCC unroll 16
  for (int r = 0; r < Unit::kRows; ++r, scores += stride) {
    lows[r] = Unit::load(scores);
#pragma GCC unroll 4
    for (int v = 1; v < kVectors; ++v) {
      lows[r] = Unit::minimum(Unit::load(scores + v * kLanes), lows[r]);
    }
  }
  Unit::store(lowest, Unit::fold<Unit::minimum>(lows));
}

template <int kVectors>
inline void score_panel(const PackedCodebook& book, int64_t panel, const float* rows,
                        int64_t stride, float* scores, float* lowest) {
  sum_products<kVectors>(PieceLayout(book.dim()), reinterpret_cast<const char*>(rows),
                         book.pieces().tiles(panel), book.offsets(panel));
  finish_panel<kVectors>(scores, stride, lowest);
}

// Scores against panels [first, last), as tile.inl has them.
inline void score_panels(const PackedCodebook& book, int64_t first, int64_t last, const float* rows,
                         int64_t stride, float* scores, float* lowest) {
  for (int64_t p = first; p < last; ++p, scores += book.width(), lowest += Unit::kLanes) {
    if (book.vectors(p) == 3) {
      score_panel<3>(book, p, rows, stride, scores, lowest);
    } else if (book.vectors(p) == 2) {
      score_panel<2>(book, p, rows, stride, scores, lowest);
    } else {
      score_panel<1>(book, p, rows, stride, scores, lowest);
    }
  }
}
