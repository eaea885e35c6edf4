// Parts of rows as the filter sees them.

// kLaneBits[16 - n] and on keep n lanes.
constexpr uint32_t kKeep = 0xFFFFFFFF;
constexpr uint32_t kLaneBits[32] = {kKeep, kKeep, kKeep, kKeep, kKeep, kKeep, kKeep, kKeep,
                                    kKeep, kKeep, kKeep, kKeep, kKeep, kKeep, kKeep, kKeep};

// The first `count` values of a row that is part of an array, zeros after them. Masked loads would
// do, but they are slow on some processors.
inline Unit::Vec load_row(const float* row, int64_t count, const float* end) {
  if (count >= Unit::kLanes) return Unit::load(row);
  float copy[Unit::kLanes];
  if (end - row < Unit::kLanes) {
    for (int64_t i = 0; i < count; ++i) copy[i] = row[i];
    row = copy;
  }
  const auto* bits = reinterpret_cast<const float*>(kLaneBits + 16 - count);
  return Unit::bits_and(Unit::load(row), Unit::load(bits));
}

// The values of a row from d on, as many as a register holds, -2 times about the mean; zeros after
// the last of `dim`.
inline Unit::Vec load_scaled(const float* row, int64_t d, int64_t dim, const float* end,
                             const float* mean) {
  Unit::Vec x = load_row(row + d, dim - d, end);
  if (mean) x = Unit::subtract(x, Unit::load(mean + d));
  return Unit::multiply(Unit::fill(-2.0f), x);
}
