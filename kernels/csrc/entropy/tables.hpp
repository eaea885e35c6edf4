// Symbols through integer frequency tables, also drawn by them; decisions of given probabilities.

#ifndef VQCODEC_ENTROPY_TABLES_HPP_
#define VQCODEC_ENTROPY_TABLES_HPP_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "random_bits.hpp"
#include "range_coder.hpp"

namespace vqcodec {

// Row r of the symbols uses row r of the tables. cumulative: rows x (size + 1), each row strictly
// increasing from 0 to 2^bits; the caller has checked that, and that symbols are in [0, size).
struct Tables {
  const uint32_t* cumulative;
  std::size_t rows;
  std::size_t size;
  int bits;

  const uint32_t* row(std::size_t r) const { return cumulative + r * (size + 1); }
};

inline std::vector<uint8_t> encode_symbols(const int64_t* symbols, std::size_t columns,
                                           const Tables& tables) {
  RangeEncoder coder;
  for (std::size_t r = 0; r < tables.rows; ++r) {
    const uint32_t* cumulative = tables.row(r);
    for (std::size_t i = 0; i < columns; ++i) {
      const int64_t symbol = symbols[r * columns + i];
      coder.encode(cumulative[symbol], cumulative[symbol + 1], tables.bits);
    }
  }
  return coder.finish();
}

// Reads the first `rows` of the symbols. Only where these are all of them can the end of the
// payload be checked.
inline void decode_symbols(const uint8_t* payload, std::size_t size, int64_t* symbols,
                           std::size_t rows, std::size_t columns, const Tables& tables) {
  RangeDecoder coder(payload, size);
  for (std::size_t r = 0; r < rows; ++r) {
    const uint32_t* cumulative = tables.row(r);
    const uint32_t* end = cumulative + tables.size + 1;
    for (std::size_t i = 0; i < columns; ++i) {
      // target < 2^bits, the last entry, so the entry above it exists and is not the first.
      const uint32_t* above = std::upper_bound(cumulative, end, coder.target(tables.bits));
      coder.consume(above[-1], above[0], tables.bits);
      symbols[r * columns + i] = above - cumulative - 1;
    }
  }
  if (rows == tables.rows) coder.finish();
}

// Draws the symbols that are below 0; the others stay as they are.
inline void sample_symbols(int64_t* symbols, std::size_t columns, const Tables& tables,
                           uint64_t seed) {
  RandomBits random(seed);
  for (std::size_t r = 0; r < tables.rows; ++r) {
    const uint32_t* cumulative = tables.row(r);
    const uint32_t* end = cumulative + tables.size + 1;
    for (std::size_t i = 0; i < columns; ++i) {
      int64_t& symbol = symbols[r * columns + i];
      if (symbol >= 0) continue;
      symbol = std::upper_bound(cumulative, end, random.draw(tables.bits)) - cumulative - 1;
    }
  }
}

// ones[i] is the probability of bits[i] == 1 in units of 2^-16, in [1, 65535].
inline std::vector<uint8_t> encode_decisions(const uint8_t* bits, const uint16_t* ones,
                                             std::size_t count) {
  RangeEncoder coder;
  for (std::size_t i = 0; i < count; ++i) coder.decision(bits[i] != 0, ones[i]);
  return coder.finish();
}

inline void decode_decisions(const uint8_t* payload, std::size_t size, const uint16_t* ones,
                             uint8_t* bits, std::size_t count) {
  RangeDecoder coder(payload, size);
  for (std::size_t i = 0; i < count; ++i) bits[i] = coder.decision(ones[i]) ? 1 : 0;
  coder.finish();
}

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_TABLES_HPP_
