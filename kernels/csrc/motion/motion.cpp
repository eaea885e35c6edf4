#include "motion.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../entropy/vector.hpp"

namespace vqcodec {
namespace {

// Room around a reference: as far as a block may come from, and the half beyond.
constexpr int64_t kRoom = kFurthest + 1;

// A plane with its border repeated all around.
class Bordered {
 public:
  explicit Bordered(const PlaneView& plane)
      : pitch_(plane.columns + 2 * kRoom), pixels_((plane.rows + 2 * kRoom) * pitch_) {
    for (int64_t y = 0; y < plane.rows + 2 * kRoom; ++y) {
      const int64_t from = std::clamp<int64_t>(y - kRoom, 0, plane.rows - 1);
      const uint8_t* row = plane.pixels + from * plane.columns;
      uint8_t* out = &pixels_[y * pitch_];
      std::memset(out, row[0], kRoom);
      std::memcpy(out + kRoom, row, plane.columns);
      std::memset(out + kRoom + plane.columns, row[plane.columns - 1], kRoom);
    }
  }

  const uint8_t* at(int64_t y, int64_t x) const {
    return &pixels_[(y + kRoom) * pitch_ + x + kRoom];
  }
  int64_t pitch() const { return pitch_; }

 private:
  int64_t pitch_;
  std::vector<uint8_t> pixels_;
};

struct Offset {
  int y, x;
};

VQCODEC_VECTOR_CLONES int32_t row_error(const uint8_t* a, const uint8_t* b) {
  int32_t sum = 0;
  for (int i = 0; i < kBlock; ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return sum;
}

// The block that lies so many halves from (y, x): means of two or four pixels, halves rounded up.
void take_block(const Bordered& reference, int64_t y, int64_t x, Offset from, uint8_t* out) {
  const uint8_t* row = reference.at(y + (from.y >> 1), x + (from.x >> 1));
  const int64_t down = from.y & 1 ? reference.pitch() : 0, right = from.x & 1;
  for (int i = 0; i < kBlock; ++i, row += reference.pitch(), out += kBlock) {
    if (down == 0 && right == 0) {
      std::memcpy(out, row, kBlock);
    } else if (down == 0 || right == 0) {
      const uint8_t* other = row + down + right;
      for (int j = 0; j < kBlock; ++j) out[j] = (row[j] + other[j] + 1) >> 1;
    } else {
      const uint8_t* below = row + down;
      for (int j = 0; j < kBlock; ++j) {
        out[j] = (row[j] + row[j + 1] + below[j] + below[j + 1] + 2) >> 2;
      }
    }
  }
}

int length_of(int number) {
  int bits = 0;
  for (int left = std::abs(number); left > 0; left >>= 1) ++bits;
  return bits;
}

// The search for one block.
class BlockSearch {
 public:
  BlockSearch(const PlaneView& frame, const Bordered& reference, int64_t y, int64_t x,
              int32_t price, const Offset* near, int near_count)
      : reference_(reference), y_(y), x_(x), price_(price), near_(near), near_count_(near_count) {
    for (int i = 0; i < kBlock; ++i) {
      std::memcpy(block_ + i * kBlock, frame.pixels + (y + i) * frame.columns + x, kBlock);
    }
  }

  void run() {
    attempt({0, 0});
    for (int i = 0; i < near_count_; ++i) attempt(near_[i]);
    for (int y = -kFurthest; y <= kFurthest; ++y) {
      for (int x = -kFurthest; x <= kFurthest; ++x) attempt({2 * y, 2 * x});
    }
    const Offset middle = best_;
    for (int y = -1; y <= 1; ++y) {
      for (int x = -1; x <= 1; ++x) {
        const Offset to{middle.y + y, middle.x + x};
        if (std::abs(to.y) <= 2 * kFurthest + 1 && std::abs(to.x) <= 2 * kFurthest + 1) attempt(to);
      }
    }
  }

  Offset best() const { return best_; }
  int32_t error() const { return error_; }

 private:
  // Bits of a motion, about: few for that of a neighbour, else of the difference to the first one.
  int32_t bits(Offset from) const {
    for (int i = 0; i < near_count_; ++i) {
      if (near_[i].y == from.y && near_[i].x == from.x) return 1 + i;
    }
    const Offset near = near_count_ > 0 ? near_[0] : Offset{0, 0};
    return 4 + 2 * (length_of(from.y - near.y) + length_of(from.x - near.x));
  }

  void attempt(Offset from) {
    const int64_t rate = int64_t{price_} * bits(from);
    if (rate >= cost_) return;
    const uint8_t* row;
    int64_t pitch;
    if ((from.y | from.x) & 1) {
      take_block(reference_, y_, x_, from, taken_);
      row = taken_, pitch = kBlock;
    } else {
      row = reference_.at(y_ + from.y / 2, x_ + from.x / 2), pitch = reference_.pitch();
    }
    int32_t error = 0;
    for (int i = 0; i < kBlock; ++i, row += pitch) {
      error += row_error(block_ + i * kBlock, row);
      if (16 * int64_t{error} + rate >= cost_) return;
    }
    cost_ = 16 * int64_t{error} + rate;
    best_ = from, error_ = error;
  }

  const Bordered& reference_;
  int64_t y_, x_;
  int32_t price_;
  const Offset* near_;
  int near_count_;
  uint8_t block_[kBlock * kBlock];
  uint8_t taken_[kBlock * kBlock];
  Offset best_{0, 0};
  int32_t error_ = 0;
  int64_t cost_ = INT64_MAX;
};

}  // namespace

void find_motion(const PlaneView& frame, const PlaneView& reference, int32_t price, int8_t* motion,
                 int32_t* errors) {
  const Bordered bordered(reference);
  const int64_t rows = frame.rows / kBlock, columns = frame.columns / kBlock;
  for (int64_t y = 0; y < rows; ++y) {
    for (int64_t x = 0; x < columns; ++x) {
      const int64_t place = y * columns + x;
      Offset near[2];
      int count = 0;
      const auto offer = [&](const int8_t* other) {
        const Offset offset{other[0], other[1]};
        if (count == 0 || near[0].y != offset.y || near[0].x != offset.x) near[count++] = offset;
      };
      if (x > 0) offer(motion + 2 * (place - 1));
      if (y > 0) offer(motion + 2 * (place - columns));
      BlockSearch search(frame, bordered, y * kBlock, x * kBlock, price, near, count);
      search.run();
      motion[2 * place] = static_cast<int8_t>(search.best().y);
      motion[2 * place + 1] = static_cast<int8_t>(search.best().x);
      errors[place] = search.error();
    }
  }
}

void warp_blocks(const PlaneView& reference, const uint8_t* moving, const int8_t* motion,
                 uint8_t* out) {
  const Bordered bordered(reference);
  std::memcpy(out, reference.pixels, reference.rows * reference.columns);
  const int64_t columns = reference.columns / kBlock;
  for (int64_t place = 0; place < reference.rows / kBlock * columns; ++place) {
    if (!moving[place]) continue;
    const int64_t y = place / columns * kBlock, x = place % columns * kBlock;
    uint8_t block[kBlock * kBlock];
    take_block(bordered, y, x, {motion[2 * place], motion[2 * place + 1]}, block);
    for (int i = 0; i < kBlock; ++i) {
      std::memcpy(out + (y + i) * reference.columns + x, block + i * kBlock, kBlock);
    }
  }
}

}  // namespace vqcodec
