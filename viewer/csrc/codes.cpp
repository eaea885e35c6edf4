// From payloads to codes and to planes of alpha: the project's own decoders behind a C interface.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "../../kernels/csrc/entropy/mixing_decoder.hpp"
#include "../../kernels/csrc/entropy/tables.hpp"
#include "../../kernels/csrc/predict/field_codec.hpp"
#include "interface.hpp"

namespace {

using vqcodec::CorruptPayload;
using vqcodec::MixingStart;

constexpr int kStaticBits = 16;

MixingStart mixing_start;

// The numbers that the tables of a model stay within; see docs/format.md, "Network".
struct Bounds {
  const char* table;
  int32_t low, high;
};
constexpr int32_t kMaxWeight = 1023, kMaxBias = 1 << 28;
constexpr Bounds kBounds[] = {
    {"embeddings", -vqcodec::kMaxActivation, vqcodec::kMaxActivation},
    {"first_weights", -kMaxWeight, kMaxWeight},
    {"first_biases", -kMaxBias, kMaxBias},
    {"second_weights", -kMaxWeight, kMaxWeight},
    {"second_biases", -kMaxBias, kMaxBias},
    {"output_weights", -kMaxWeight, kMaxWeight},
    {"output_biases", -kMaxBias, kMaxBias},
    {"shifts", 0, 30},
};

template <typename T>
void check_bounds(const std::string& name, const T* data, const std::vector<int>& shape) {
  std::size_t count = 1;
  for (const int length : shape) count *= static_cast<std::size_t>(length);
  for (const Bounds& bounds : kBounds) {
    if (name != bounds.table) continue;
    const bool fits = std::all_of(
        data, data + count, [&](T value) { return value >= bounds.low && value <= bounds.high; });
    if (!fits) throw std::runtime_error("the model's " + name + " are out of range");
  }
}

// A code that is not certain costs more than 2^-16 bits, and the last digit holds 40 at most.
void check_capacity(std::size_t bytes, std::size_t count) {
  if (count > (uint64_t{8} * bytes + 40) << 16) {
    throw CorruptPayload(std::to_string(bytes) + " bytes cannot hold " + std::to_string(count) +
                         " codes");
  }
}

struct Codes {
  int stages;
  int64_t rows, columns;
  std::vector<int64_t> values;

  Codes(int stages, int64_t rows, int64_t columns)
      : stages(stages),
        rows(rows),
        columns(columns),
        values(static_cast<std::size_t>(stages * rows * columns)) {}

  void copy_to(uint16_t* out) const { std::copy(values.begin(), values.end(), out); }
};

void unpack_raw(const uint8_t* payload, std::size_t size, int codebook_size, Codes& codes) {
  const int depth = vqcodec::tree_depth(codebook_size);
  const std::size_t bits = codes.values.size() * static_cast<std::size_t>(depth);
  if (size != (bits + 7) / 8) {
    throw CorruptPayload("raw codes take " + std::to_string((bits + 7) / 8) + " bytes, got " +
                         std::to_string(size));
  }
  const auto bit = [payload](std::size_t i) { return payload[i / 8] >> (7 - i % 8) & 1; };
  for (std::size_t i = bits; i < 8 * size; ++i) {
    if (bit(i)) throw CorruptPayload("bits set after the last code");
  }
  std::size_t next = 0;
  for (int64_t& code : codes.values) {
    for (int i = 0; i < depth; ++i) code = 2 * code + bit(next++);
    if (code >= codebook_size) {
      throw CorruptPayload("code " + std::to_string(code) + " >= codebook size " +
                           std::to_string(codebook_size));
    }
  }
}

}  // namespace

extern "C" {

EXPORT void start_mixing(int codebook_size, int stages, int dimensions, int first, int second,
                         const void* const* tables) {
  MixingStart& start = mixing_start;
  start.codebook_size = codebook_size;
  start.stages = stages;
  start.dimensions = dimensions;
  start.first = first;
  start.second = second;
  start.visit_arrays([&](const char* name, auto*& data, const std::vector<int>& shape) {
    data = static_cast<std::remove_reference_t<decltype(data)>>(*tables++);
    check_bounds(name, data, shape);
  });
}

EXPORT void decode_raw(const uint8_t* payload, std::size_t size, int codebook_size, int stages,
                       int rows, int columns, uint16_t* out) {
  Codes codes(stages, rows, columns);
  unpack_raw(payload, size, codebook_size, codes);
  codes.copy_to(out);
}

EXPORT void decode_static(const uint8_t* payload, std::size_t size, const uint16_t* frequencies,
                          int codebook_size, int stages, int rows, int columns, uint16_t* out) {
  check_capacity(size, static_cast<std::size_t>(stages) * rows * columns);
  std::vector<uint32_t> cumulative;
  for (int s = 0; s < stages; ++s) {
    uint32_t sum = 0;
    for (int k = 0; k < codebook_size; ++k) {
      cumulative.push_back(sum);
      sum += *frequencies++;
    }
    // A single code has all of the range, which 16 bits cannot say.
    const uint32_t whole = 1u << kStaticBits;
    if (sum + (codebook_size == 1) != whole) {
      throw std::runtime_error("the model's frequencies do not add up");
    }
    cumulative.push_back(whole);
  }
  Codes codes(stages, rows, columns);
  const vqcodec::Tables tables{cumulative.data(), static_cast<std::size_t>(stages),
                               static_cast<std::size_t>(codebook_size), kStaticBits};
  vqcodec::decode_symbols(payload, size, codes.values.data(), tables.rows,
                          static_cast<std::size_t>(rows) * columns, tables);
  codes.copy_to(out);
}

EXPORT void decode_mixing(const uint8_t* payload, std::size_t size, int stages, int rows,
                          int columns, uint16_t* out) {
  check_capacity(size, static_cast<std::size_t>(stages) * rows * columns);
  Codes codes(stages, rows, columns);
  const vqcodec::Grid grid{codes.values.data(), stages, 2, 1, rows, columns};
  vqcodec::decode_mixing(payload, size, grid, stages, mixing_start);
  codes.copy_to(out);
}

EXPORT void decode_levels(const uint8_t* payload, std::size_t size, int highest, int rows,
                          int columns, uint8_t* out) {
  check_capacity(size, static_cast<std::size_t>(rows) * columns);
  std::vector<int64_t> levels(static_cast<std::size_t>(rows) * columns);
  const vqcodec::FieldPlan plan{
      {1, 1, rows, columns}, {0, highest, 1}, vqcodec::Family::kMedian, nullptr, false, nullptr};
  vqcodec::decode_field(payload, size, plan, levels.data());
  std::copy(levels.begin(), levels.end(), out);
}

}  // extern "C"
