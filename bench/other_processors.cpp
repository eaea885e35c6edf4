// Codes a field of integers that is given as text, and says the bytes and what they decode to.
//
// In: outer inner rows columns lowest highest step family tight, then 108 coefficients where the
// family is 1, then the values. Out: the payload in hexadecimal digits; the decoded values. Text
// has no byte order, so what other processors print must be the same.

#include <cstdint>
#include <cstdio>
#include <iostream>
#include <vector>

#include "../kernels/csrc/predict/field_codec.hpp"

int main() {
  using vqcodec::Family;
  int64_t outer, inner, rows, columns, lowest, highest, step;
  int family, tight;
  std::cin >> outer >> inner >> rows >> columns >> lowest >> highest >> step >> family >> tight;
  std::vector<int16_t> coefficients(family == 1 ? 4 * vqcodec::kCoefficients : 0);
  for (int16_t& coefficient : coefficients) std::cin >> coefficient;
  std::vector<int64_t> values(static_cast<std::size_t>(outer * inner * rows * columns));
  for (int64_t& value : values) std::cin >> value;
  if (!std::cin) return 2;
  const vqcodec::FieldPlan plan{{outer, inner, rows, columns},
                                {lowest, highest, step},
                                static_cast<Family>(family),
                                family == 1 ? coefficients.data() : nullptr,
                                tight != 0,
                                nullptr};
  std::vector<int64_t> decoded(values.size()), again(values.size(), -1);
  const std::vector<uint8_t> payload = vqcodec::encode_field(plan, values.data(), decoded.data());
  vqcodec::decode_field(payload.data(), payload.size(), plan, again.data());
  if (again != decoded) return 3;
  for (const uint8_t byte : payload) std::printf("%02x", byte);
  for (const int64_t value : decoded) std::printf("\n%lld", static_cast<long long>(value));
  std::printf("\n");
}
