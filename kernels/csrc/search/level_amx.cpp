// AMX with bfloat16 products: 16 rows by 48 codes in 3 of 8 tiles, the rest as AVX-512 does it.
#include "floating_point.hpp"
#include "level.hpp"
#include "values.hpp"

#if defined(VQCODEC_AMX)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx2,fma")
#endif

namespace vqcodec {
namespace amx {

#include "floats_avx512.inl"

struct Unit : Floats {
  static constexpr int kRows = 16;
  template <Vec (*join)(Vec, Vec)>
  static inline Vec fold(const Vec (&rows)[kRows]) {
    return fold_rows<kRows, join>(rows);
  }
};

#include "tile_amx.inl"
// What every level shares builds on that.
#include "block.inl"
#include "lowest.inl"

// Rows with so many candidates that the pieces were too coarse for them, by float32 scores.
void search_undecided(const PackedCodebook& book, const float* rows, int64_t count,
                      Scratch& scratch, int64_t* codes) {
  const int64_t dim = book.dim();
  int64_t left = 0;
  for (int64_t i = 0; i < count; ++i) left += codes[i] == RowState::kUndecided;
  if (left == 0) return;
  float* undecided = scratch.undecided.reserve(left * dim);
  float* to = undecided;
  for (int64_t i = 0; i < count; ++i) {
    if (codes[i] != RowState::kUndecided) continue;
    for (int64_t d = 0; d < dim; ++d) *to++ = rows[i * dim + d];
  }
  const int64_t* decided = scratch.decided.reserve(left);
  kAvx512Level.search(book, undecided, left, scratch, scratch.decided.data());
  for (int64_t i = 0; i < count; ++i) {
    if (codes[i] == RowState::kUndecided) codes[i] = *decided++;
  }
}

int64_t search(const PackedCodebook& book, const float* rows, int64_t count, Scratch& scratch,
               int64_t* codes) {
  int64_t bad;
  {
    const TileSession session;
    bad = search_block(book, rows, count, scratch, codes);
  }
  if (bad < 0) search_undecided(book, rows, count, scratch, codes);
  return bad;
}

void lowest(const PackedCodebook& book, const float* rows, const float* paid, int64_t points,
            int64_t width, int64_t keep, Scratch& scratch, Pick* picks) {
  const TileSession session;
  lowest_picks(book, rows, paid, points, width, keep, scratch, picks);
}

// Below, splitting takes longer than it saves, or it is bookkeeping that takes the time; above, the
// bound flags too many rows.
bool pays(const SearchSize& size) {
  return size.rows >= 256 && size.codes >= 64 && size.dim >= 16 && size.dim <= 4096;
}

// Linux asks a process to ask before it uses tiles; the answer holds for all of its threads.
bool tiles_allowed() {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int kTileData = 18;               // XFEATURE_XTILEDATA
  static const bool allowed = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return allowed;
}

bool supported() {
  constexpr unsigned kBfloat16 = 1u << 22;
  constexpr unsigned kTiles = 1u << 24;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  if (!(d & kBfloat16) || !(d & kTiles)) return false;
  return kAvx512Level.supported() && tiles_allowed();
}

}  // namespace amx
}  // namespace vqcodec

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace vqcodec {
const Level kAmxLevel = {"amx",          {amx::Unit::kLanes, amx::Unit::kVectors},
                         amx::supported, amx::pays,
                         true,           amx::search,
                         amx::lowest};
}  // namespace vqcodec

#endif
