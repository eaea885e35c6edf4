// The bound on the rounding errors of the filter; nothing else makes its codes exact.
#include <algorithm>
#include <cmath>

#include "codebook.hpp"
#include "floating_point.hpp"

namespace vqcodec {

namespace {

constexpr double kUnit = 1.0 / (1 << 24);  // half a unit in the last place of 1.0f

// Errors of a score, in the words of the comment below: `roundings` u times Q + 2 X C, `product`
// times 2 X C, and `tiny` times 1 + X + C.
struct ScoreErrors {
  double roundings;
  double product;
  double tiny;
};

// With x and c the row and code that the filter sees, u = 2^-24, C the longest code, Q the largest
// |offset|: centring adds u (4 X C + 2 C^2) to the errors of the score offset - 2 x.c where it
// rounds, beyond what is common to all codes, and terms of u^2. The float64 definition itself is
// off by (D + 3) 2^-53 ((X + C)^2 + |bias|). Rounding in the subnormal range adds D 2^-149. A
// winner and its rival err in opposite directions, so all is doubled; the comparison's own rounding
// is one more u (Q + 2 X C).
ErrorBound make_bound(const ErrorBound::Codes& codes, const ScoreErrors& errors) {
  const double longest = std::sqrt(codes.largest_square) * 1.000001;
  const double sum = 2 * errors.roundings * kUnit;
  const double product = sum + 2 * errors.product;
  const double flushed = 2 * errors.tiny;
  const double centring = codes.centred ? 2 * kUnit : 0.0;
  const double square = 16 * centring * kUnit + (codes.dim + 4) * std::ldexp(1.0, -51);
  const double tiny = (codes.dim + 64) * std::ldexp(1.0, -146) + flushed * (1 + longest);
  // The factor covers the rounding of the bound itself and the 1 / (1 - n u) of a chain of n.
  const double safety = 1.001 / (1 - std::min(errors.roundings * kUnit, 0.5));
  ErrorBound bound;
  bound.constant = static_cast<float>(
      safety * (sum * codes.largest_offset + 2 * centring * codes.largest_square +
                square * (codes.largest_square + codes.largest_bias) + tiny));
  bound.linear = static_cast<float>(safety * ((2 * product + 4 * centring) * longest + flushed));
  bound.square = static_cast<float>(safety * square);
  constexpr double kAlmostOverflow = 1e37;
  const double room = (kAlmostOverflow - codes.largest_offset) / std::max(2 * longest, 1e-30);
  bound.longest = static_cast<float>(std::min(kAlmostOverflow, room));
  return bound;
}

}  // namespace

// The float32 score is within (D + 2) u (Q + 2 X C) of the exact one, by the standard bound of a
// chain of D roundings, one more of the product where there is no fused multiply-add, and one of
// the offset; the last unit is the comparison's, and its double one more than needed.
ErrorBound ErrorBound::of_floats(const Codes& codes) {
  return make_bound(codes, {codes.dim + 4, 0.0, 0.0});
}

// With x = h + m + r and c = H + M + R in pieces, tiles leave out m M + r c + (h + m) R of each x
// c. Rounding to the eight bits of a bfloat16 is off by 2^-8 at most, so |m| <= 2^-8 |x| and |r| <=
// 2^-16 |x|, and what is left out is 3 2^-16 X C altogether, and terms of 2^-24 X C. The 3 D
// products are exact in float32, and their sum with the offset, taken in any order, is within
// 3 D u (Q + 1.02 2 X C) by the standard bound of any tree of so many additions.
// Tiles round to nearest, but take numbers under 2^-126 for zero: two pieces of each value, every
// product and every sum may lose that much.
ErrorBound ErrorBound::of_pieces(const Codes& codes) {
  const double roundings = 3 * 1.02 * codes.dim + 4;
  const double product = 3.02 * std::ldexp(1.0, -16);
  const double tiny = (codes.dim + 8) * std::ldexp(1.0, -123);
  return make_bound(codes, {roundings, product, tiny});
}

}  // namespace vqcodec
