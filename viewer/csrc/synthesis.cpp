// From codes to pixels: the convolutional synthesis in float32, see docs/format.md, "From codes to
// samples".
//
// A plane is (rows + 2) x (columns + 2) positions of so many channels, the channels of a position
// side by side, with a border of zeros that the caller made. So the inputs of three neighbours lie
// in one run, and a convolution is three runs against its weights.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "interface.hpp"

namespace {

// Four numbers that are added and multiplied at once.
using Vector = float __attribute__((vector_size(16), aligned(4)));

// Outputs that are computed side by side.
constexpr int kGroup = 8;

enum Then { kStore = 0, kActivate = 1, kAdd = 2 };

// Where a plane's positions lie, and how the runs of one output lie to each other.
struct Layout {
  std::ptrdiff_t row, position;
  // Of the first run, as seen from the position, and of each run.
  std::ptrdiff_t first, length;
  int runs;
};

Layout layout_of(int columns, int channels, int side) {
  const std::ptrdiff_t row = std::ptrdiff_t{columns + 2} * channels;
  if (side == 1) return {row, channels, 0, channels, 1};
  return {row, channels, -row - channels, std::ptrdiff_t{3} * channels, 3};
}

// A group of outputs of kPositions positions of a row.
template <int kPositions>
void multiply(const float* in, const Layout& layout, const float* weights, const float* bias,
              float (*out)[kGroup]) {
  Vector low[kPositions], high[kPositions];
  for (int p = 0; p < kPositions; ++p) {
    std::memcpy(&low[p], bias, sizeof(Vector));
    std::memcpy(&high[p], bias + kGroup / 2, sizeof(Vector));
  }
  for (int run = 0; run < layout.runs; ++run) {
    const float* inputs = in + layout.first + run * layout.row;
    for (std::ptrdiff_t i = 0; i < layout.length; ++i, weights += kGroup) {
      const auto* w = reinterpret_cast<const Vector*>(weights);
      const Vector first = w[0], second = w[1];
      for (int p = 0; p < kPositions; ++p) {
        const float x = inputs[p * layout.position + i];
        low[p] += first * x;
        high[p] += second * x;
      }
    }
  }
  for (int p = 0; p < kPositions; ++p) {
    std::memcpy(out[p], &low[p], sizeof(Vector));
    std::memcpy(out[p] + kGroup / 2, &high[p], sizeof(Vector));
  }
}

float activated(float x) { return x / (1 + std::exp(-x)); }

void finish(const float* sums, int count, Then then, float* out) {
  for (int i = 0; i < count; ++i) {
    if (then == kAdd) out[i] += sums[i];
    if (then == kStore) out[i] = sums[i];
    if (then == kActivate) out[i] = activated(sums[i]);
  }
}

template <int kPositions>
int along_row(int x, int end, const float* in, const Layout& layout, const float* weights,
              const float* bias, int count, Then then, float* out, std::ptrdiff_t out_position) {
  for (; x + kPositions <= end; x += kPositions) {
    float sums[kPositions][kGroup];
    multiply<kPositions>(in + x * layout.position, layout, weights, bias, sums);
    for (int p = 0; p < kPositions; ++p) {
      finish(sums[p], count, then, out + (x + p) * out_position);
    }
  }
  return x;
}

float widened(uint16_t half) {
  const uint32_t sign = uint32_t{half} >> 15 << 31;
  const uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent == 0) {
    const float small = std::ldexp(static_cast<float>(fraction), -24);
    return sign ? -small : small;
  }
  // Infinite and not a number stay what they are.
  const uint32_t bits = sign | (exponent == 31 ? 255u : exponent + 112) << 23 | fraction << 13;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace

extern "C" {

// Zeros; on a boundary of 16 bytes.
EXPORT void* allocate(std::size_t bytes) {
  void* memory = std::calloc(bytes + 16, 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

EXPORT void release(void* memory) { std::free(memory); }

EXPORT void widen(const uint16_t* halves, std::size_t count, float* out) {
  std::transform(halves, halves + count, out, widened);
}

// Weights (outputs, inputs, side, side) in the order of use: group of outputs, row, column, input,
// output. The last group is filled up with zeros, which are there already.
EXPORT void pack(const float* weights, int outputs, int inputs, int side, float* packed) {
  const int taps = side * side;
  for (int o = 0; o < outputs; ++o) {
    float* group = packed + std::ptrdiff_t{o / kGroup} * taps * inputs * kGroup + o % kGroup;
    for (int i = 0; i < inputs; ++i, weights += taps) {
      for (int t = 0; t < taps; ++t) group[(t * inputs + i) * kGroup] = weights[t];
    }
  }
}

// The vectors of the codes (stages, all_rows, all_columns) of a part of a grid, added up and
// scaled.
EXPORT void look_up(const uint16_t* codes, int stages, int all_rows, int all_columns, int top,
                    int left, int rows, int columns, const float* codebooks, int codebook_size,
                    int channels, float scale, float* plane) {
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) {
      float* out = plane + (std::ptrdiff_t{y + 1} * (columns + 2) + x + 1) * channels;
      const uint16_t* code = codes + std::ptrdiff_t{top + y} * all_columns + left + x;
      std::fill_n(out, channels, 0.0f);
      for (int s = 0; s < stages; ++s, code += std::ptrdiff_t{all_rows} * all_columns) {
        const float* vector = codebooks + (std::ptrdiff_t{s} * codebook_size + *code) * channels;
        for (int c = 0; c < channels; ++c) out[c] += vector[c];
      }
      for (int c = 0; c < channels; ++c) out[c] *= scale;
    }
  }
}

// Rows and columns [top, bottom) x [left, right) of a convolution of a plane of so many columns,
// which may be stored, activated by SiLU, or added to what is there. side: 1 or 3.
EXPORT void convolve(const float* in, const float* packed, const float* bias, int columns,
                     int inputs, int outputs, int side, int then, int top, int bottom, int left,
                     int right, float* out) {
  const Layout layout = layout_of(columns, inputs, side);
  const std::ptrdiff_t out_row = std::ptrdiff_t{columns + 2} * outputs;
  for (int y = top; y < bottom; ++y) {
    const float* in_row = in + (y + 1) * layout.row + layout.position;
    const float* weights = packed;
    for (int o = 0; o < outputs; o += kGroup, weights += layout.runs * layout.length * kGroup) {
      float* place = out + (y + 1) * out_row + outputs + o;
      const int count = std::min(kGroup, outputs - o);
      float begin[kGroup] = {};
      std::copy_n(bias + o, count, begin);
      const auto go = [&](auto row, int x) {
        return row(x, right, in_row, layout, weights, begin, count, static_cast<Then>(then), place,
                   outputs);
      };
      go(along_row<1>, go(along_row<2>, go(along_row<4>, left)));
    }
  }
}

// The samples of rows [top, bottom) x columns [left, right) of a plane of patches as RGBA, so many
// rows and columns of them. grey: all three colours are their mean.
EXPORT void to_pixels(const float* patches, int columns, int channels, int patch_rows,
                      int patch_columns, int top, int left, int rows, int width, int grey,
                      uint8_t* rgba) {
  const int patch = patch_rows * patch_columns;
  const auto at = [&](int y, int x, int c) {
    const std::ptrdiff_t position =
        std::ptrdiff_t{top + y / patch_rows + 1} * (columns + 2) + left + x / patch_columns + 1;
    const float sample = patches[position * patch * channels + c * patch +
                                 y % patch_rows * patch_columns + x % patch_columns];
    // What is no number is black.
    const float within = sample > -0.5f ? std::min(sample + 0.5f, 1.0f) : 0.0f;
    return static_cast<uint8_t>(std::rint(within * 255));
  };
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < width; ++x, rgba += 4) {
      for (int c = 0; c < 3; ++c) rgba[c] = at(y, x, channels == 3 ? c : 0);
      if (grey)
        std::fill_n(rgba, 3, static_cast<uint8_t>((2 * (rgba[0] + rgba[1] + rgba[2]) + 3) / 6));
      rgba[3] = 255;
    }
  }
}

}  // extern "C"
