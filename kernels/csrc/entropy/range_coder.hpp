// A range coder: intervals of integers in, bytes out. Header only, no Python.
//
// The payload is a number v in [0, 1), written as base-256 digits, most significant first. Coding
// an interval [begin, end) of 2^bits narrows the current interval in proportion; the payload is
// one number inside the last one. Digits that are not written are zero, so the encoder picks the
// number with the fewest digits below the settled ones: none or one. The decoder accepts that one
// number and no other, so a payload has exactly one reading and codes have exactly one payload.

#ifndef VQCODEC_ENTROPY_RANGE_CODER_HPP_
#define VQCODEC_ENTROPY_RANGE_CODER_HPP_

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace vqcodec {

// Thrown for a payload that no encoder writes.
struct CorruptPayload : std::runtime_error {
  using std::runtime_error::runtime_error;
};

constexpr int kMaxPrecisionBits = 16;
constexpr uint32_t kFullRange = 0xFFFFFFFFu;
// Below this width the leading digit of the interval is settled, and is shifted out.
constexpr uint32_t kMinRange = 1u << 24;

// Where a finished coder stands: the number it closes with, relative to `low`, and its digits.
struct Closing {
  uint64_t offset;
  std::size_t digits;
};

// The number with the fewest digits in [low, low + range), in units of 2^-32 of the current digit.
// As range >= 2^24, one digit is always enough.
inline Closing close_interval(uint32_t low, uint32_t range) {
  const uint64_t one = uint64_t{1} << 32;
  if (low == 0) return {0, 0};
  if (uint64_t{low} + range > one) return {one - low, 0};
  const uint64_t digit = (uint64_t{low} + kMinRange - 1) / kMinRange;
  return {digit * kMinRange - low, 1};
}

class RangeEncoder {
 public:
  // Codes the interval [begin, end) of [0, 2^bits): 0 <= begin < end <= 2^bits, bits <= 16.
  void encode(uint32_t begin, uint32_t end, int bits) {
    const auto start = static_cast<uint32_t>((uint64_t{range_} * begin) >> bits);
    const auto stop = static_cast<uint32_t>((uint64_t{range_} * end) >> bits);
    add(start);
    range_ = stop - start;
    while (range_ < kMinRange) {
      digits_.push_back(static_cast<uint8_t>(low_ >> 24));
      low_ <<= 8;
      range_ <<= 8;
    }
  }

  // Codes a decision; `one` is the probability of bit 1 in units of 2^-16, in [1, 65535].
  void decision(bool bit, uint32_t one) { bit ? encode(0, one, 16) : encode(one, 1u << 16, 16); }

  // Closes the payload and hands it over.
  std::vector<uint8_t> finish() {
    const Closing closing = close_interval(low_, range_);
    add(closing.offset);
    if (closing.digits == 1) digits_.push_back(static_cast<uint8_t>(low_ >> 24));
    return std::move(digits_);
  }

 private:
  void add(uint64_t offset) {
    const uint64_t sum = low_ + offset;
    if (sum >> 32) carry();
    low_ = static_cast<uint32_t>(sum);
  }

  // The interval lies inside [0, 1), so a digit below 255 always stops the carry.
  void carry() {
    auto digit = digits_.end();
    do {
      --digit;
    } while (++*digit == 0);
  }

  // Invariant between calls: the interval is digits_ + [low_, low_ + range_) * 2^-32 of the next
  // digit's unit, and 2^24 <= range_ < 2^32.
  uint32_t low_ = 0;
  uint32_t range_ = kFullRange;
  std::vector<uint8_t> digits_;
};

class RangeDecoder {
 public:
  RangeDecoder(const uint8_t* payload, std::size_t size) : payload_(payload), size_(size) {
    for (int i = 0; i < 4; ++i) offset_ = offset_ << 8 | digit(i);
    if (offset_ >= range_) throw CorruptPayload("payload begins with a number no encoder writes");
  }

  // The t in [0, 2^bits) that the payload points at: the coded interval holds it.
  uint32_t target(int bits) const {
    return static_cast<uint32_t>((((uint64_t{offset_} + 1) << bits) - 1) / range_);
  }

  // Takes the interval [begin, end) that holds target(bits).
  void consume(uint32_t begin, uint32_t end, int bits) {
    const auto start = static_cast<uint32_t>((uint64_t{range_} * begin) >> bits);
    const auto stop = static_cast<uint32_t>((uint64_t{range_} * end) >> bits);
    narrow(start, stop);
  }

  // Reads a decision; `one` is the probability of bit 1 in units of 2^-16, in [1, 65535].
  bool decision(uint32_t one) {
    const auto bound = static_cast<uint32_t>((uint64_t{range_} * one) >> 16);
    const bool bit = offset_ < bound;
    bit ? narrow(0, bound) : narrow(bound, range_);
    return bit;
  }

  // Accepts the end of the payload only where the encoder would have closed it.
  void finish() const {
    const Closing closing = close_interval(low_, range_);
    if (size_ > settled_ + closing.digits) throw CorruptPayload("bytes left after the last code");
    if (size_ < settled_ + closing.digits)
      throw CorruptPayload("payload ends before its last code");
    if (offset_ != closing.offset)
      throw CorruptPayload("payload does not end as an encoder ends it");
  }

 private:
  uint32_t digit(std::size_t i) const { return i < size_ ? payload_[i] : 0; }

  void narrow(uint32_t start, uint32_t stop) {
    low_ += start;
    offset_ -= start;
    range_ = stop - start;
    while (range_ < kMinRange) {
      // Every settled digit was written, so a payload cannot be shorter.
      if (settled_ == size_) throw CorruptPayload("payload ends before its last code");
      offset_ = offset_ << 8 | digit(settled_ + 4);
      low_ <<= 8;
      range_ <<= 8;
      ++settled_;
    }
  }

  // Invariant between calls: offset_ < range_, 2^24 <= range_ < 2^32, settled_ <= size_; low_ is
  // the encoder's low_ at this point, and the payload's next four digits are low_ + offset_ (mod
  // 2^32).
  uint32_t low_ = 0;
  uint32_t range_ = kFullRange;
  uint32_t offset_ = 0;
  std::size_t settled_ = 0;
  const uint8_t* payload_;
  std::size_t size_;
};

}  // namespace vqcodec

#endif  // VQCODEC_ENTROPY_RANGE_CODER_HPP_
