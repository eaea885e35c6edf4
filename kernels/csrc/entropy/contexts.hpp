// What the model of a code looks at: neighbours that are decoded already, boiled down to numbers.

#ifndef VQCODEC_ENTROPY_CONTEXTS_HPP_
#define VQCODEC_ENTROPY_CONTEXTS_HPP_

#include <array>
#include <cstddef>
#include <cstdint>

namespace vqcodec {

// Codes of one level, stage-major: code (s, y, x) is codes[(s * height + y) * width + x].
struct Grid {
  int64_t* codes;
  int stages;
  int64_t height;
  int64_t width;

  std::size_t index(int s, int64_t y, int64_t x) const {
    return static_cast<std::size_t>((s * height + y) * width + x);
  }

  // The code there, or -1 outside the grid.
  int32_t at(int s, int64_t y, int64_t x) const {
    if (s < 0 || y < 0 || x < 0 || y >= height || x >= width) return -1;
    return static_cast<int32_t>(codes[index(s, y, x)]);
  }
};

constexpr int kContexts = 20;
// The first contexts are small, and their counters start from training.
constexpr int kTrainedContexts = 6;
constexpr int kZeroClasses = 7;
constexpr int kHashBits = 10;
constexpr std::array<int, kContexts> kContextSizes = {1,   33,  33,   33,   33,   42,  257,
                                                      257, 257, 257,  289,  1024, 257, 257,
                                                      257, 289, 1024, 1024, 1024, 1024};
constexpr int kTrainedValues = 1 + 33 + 33 + 33 + 33 + 42;

struct Contexts {
  // Invariant: 0 <= values[c] < kContextSizes[c].
  std::array<uint32_t, kContexts> values;
  // How many of the six nearest decoded codes of this stage are the zero code.
  int zeros;
};

inline uint32_t mix(uint32_t a, uint32_t b) {
  return ((a * 0x9E3779B1u ^ (b + 0x7F4A7C15u) * 0x85EBCA6Bu) * 0xC2B2AE35u) >> (32 - kHashBits);
}

// The contexts of code (s, y, x), whose indices have `depth` bits.
inline Contexts contexts_at(const Grid& grid, int depth, int s, int64_t y, int64_t x) {
  // The leading bits of a code, counted from 1; 0 stands for "outside".
  const auto top = [depth](int32_t code, int bits) -> uint32_t {
    return code < 0 ? 0 : (static_cast<uint32_t>(code) >> (depth > bits ? depth - bits : 0)) + 1;
  };
  const int32_t w = grid.at(s, y, x - 1), n = grid.at(s, y - 1, x);
  const int32_t nw = grid.at(s, y - 1, x - 1), ne = grid.at(s, y - 1, x + 1);
  const int32_t ww = grid.at(s, y, x - 2), nn = grid.at(s, y - 2, x);
  // Earlier stages are decoded whole, so they have neighbours on all sides.
  const int32_t p = grid.at(s - 1, y, x), p2 = grid.at(s - 2, y, x), p3 = grid.at(s - 3, y, x);
  const int32_t pe = grid.at(s - 1, y, x + 1), ps = grid.at(s - 1, y + 1, x);
  const int32_t pw = grid.at(s - 1, y, x - 1), pn = grid.at(s - 1, y - 1, x);
  const int zeros = (w == 0) + (n == 0) + (nw == 0) + (ne == 0) + (ww == 0) + (nn == 0);
  const int before = (p == 0) + (pe == 0) + (ps == 0) + (pw == 0) + (pn == 0);
  const uint32_t across = top(w, 4) * 17 + top(n, 4);
  const uint32_t around = top(pe, 3) * 9 + top(ps, 3);
  return {{0,
           top(w, 5),
           top(n, 5),
           top(p, 5),
           top(p2, 5),
           static_cast<uint32_t>(zeros * 6 + before),
           top(w, 8),
           top(n, 8),
           top(nw, 8),
           top(ne, 8),
           across,
           mix(top(w, 3) * 9 + top(n, 3), top(nw, 3) * 9 + top(ne, 3)),
           top(p, 8),
           top(p2, 8),
           top(p3, 8),
           top(p, 4) * 17 + top(p2, 4),
           mix(top(p, 12), across),
           mix(around, top(p, 3)),
           mix(top(w, 12), top(n, 12)),
           mix(around, top(pw, 3) * 9 + top(pn, 3))},
          zeros};
}

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_CONTEXTS_HPP_
