// Copies of a code are found by a table of hashes. One that is missed costs time and nothing else.
#include "eligible.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "floating_point.hpp"

namespace vqcodec {

namespace {

template <typename Bits, typename Value>
Bits bits_of(Value value) {
  static_assert(sizeof(Bits) == sizeof(Value), "the bits of one value");
  Bits bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Of the square of a code and a few of its values, so that both zeros have one.
uint64_t hash_of(double square, const float* row, int64_t dim) {
  constexpr uint64_t kPrime = 0x9E3779B97F4A7C15u;
  const auto value = [&](int64_t quarter) -> uint64_t {
    return bits_of<uint32_t>(row[quarter * dim / 4] + 0.0f);
  };
  const uint64_t hash = bits_of<uint64_t>(square) * kPrime +
                        (value(0) << 32 | value(1)) * 0xC2B2AE3D27D4EB4Fu +
                        (value(2) << 32 | value(3)) * 0x165667B19E3779F9u;
  return (hash ^ hash >> 29) * kPrime >> 16;
}

}  // namespace

// Copies are equally far from every row but for their bias, and rounding may make a tie of that: so
// a copy is kept if it is cheaper than all before it, and not if it is the cheapest alone.
std::vector<int32_t> eligible_codes(const float* rows, int64_t size, int64_t dim,
                                    const double* squares, const float* bias) {
  constexpr int32_t kNone = -1;
  constexpr int kProbes = 8;
  uint64_t places = 16;
  while (places < static_cast<uint64_t>(2 * size)) places *= 2;
  std::vector<int32_t> latest(places, kNone);
  std::vector<uint64_t> hashes(size);
  std::vector<int32_t> eligible;
  eligible.reserve(size);
  for (int32_t k = 0; k < size; ++k) {
    if (bias && std::isinf(bias[k])) continue;
    const float* row = rows + k * dim;
    hashes[k] = hash_of(squares[k], row, dim);
    bool dearer = false;
    for (uint64_t probe = 0; probe < kProbes; ++probe) {
      int32_t& other = latest[(hashes[k] + probe) & (places - 1)];
      if (other != kNone &&
          (hashes[other] != hashes[k] || !std::equal(row, row + dim, rows + other * dim))) {
        continue;
      }
      dearer = other != kNone && !(bias && bias[k] < bias[other]);
      if (!dearer) other = k;
      break;
    }
    if (!dearer) eligible.push_back(k);
  }
  return eligible;
}

}  // namespace vqcodec
