// Rows made ready for the search: scaled, and with what each may be off by.

constexpr uint32_t kAllRows = (uint32_t{1} << Unit::kRows) - 1;

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

// Scales a row by -2 about the mean; returns its square, in parts to be added up. Writes whole
// registers, so that what follows in `scaled` has to come later.
inline Unit::Vec scale_row(const float* row, int64_t dim, const float* end, const float* mean,
                           float* scaled) {
  Unit::Vec square = Unit::fill(0.0f);
  for (int64_t d = 0; d < dim; d += Unit::kLanes) {
    Unit::Vec x = load_row(row + d, dim - d, end);
    if (mean) x = Unit::subtract(x, Unit::load(mean + d));
    x = Unit::multiply(Unit::fill(-2.0f), x);
    Unit::store(scaled + d, x);
    square = Unit::multiply_add(x, x, square);
  }
  return square;
}

// Scales a tile of `count` rows, the last of them repeated if there are fewer than kRows; returns
// the square of each. `scaled` holds kLanes more floats than the tile.
inline Unit::Vec scale_tile(const PackedCodebook& book, const float* rows, int64_t count,
                            float* scaled) {
  const int64_t dim = book.dim();
  Unit::Vec squares[Unit::kRows];
  for (int64_t r = 0; r < Unit::kRows; ++r) {
    const float* row = rows + (r < count ? r : count - 1) * dim;
    squares[r] = scale_row(row, dim, rows + count * dim, book.mean(), scaled + r * dim);
  }
  return Unit::fold<Unit::add>(squares);
}

// Readies a tile of rows. slacks[r] becomes how far above the lowest score a code may be and still
// be the nearest. Returns the first row that is not finite, or -1.
inline int64_t prepare_tile(const PackedCodebook& book, const float* rows, int64_t count,
                            float* scaled, float* slacks) {
  const ErrorBound& bound = book.bound();
  // Half, because of the scale; the rest covers rounding, and squares too small to be seen.
  const Unit::Vec length = Unit::multiply_add(
      Unit::fill(0.5005f), Unit::square_root(scale_tile(book, rows, count, scaled)),
      Unit::fill(1e-21f));
  Unit::Vec slack = Unit::multiply_add(length, Unit::fill(bound.square), Unit::fill(bound.linear));
  slack = Unit::multiply_add(length, slack, Unit::fill(bound.constant));
  Unit::store(slacks, slack);
  const uint32_t unfit = Unit::not_greater(Unit::fill(bound.longest), length);
  if (!(unfit & kAllRows)) return -1;
  for (int64_t r = 0; r < Unit::kRows && r < count; ++r) {
    if (!(unfit >> r & 1)) continue;
    // Finite numbers may overflow here too, so a square that did proves nothing.
    if (!all_finite(rows + r * book.dim(), book.dim())) return r;
    slacks[r] = __builtin_inff();
  }
  return -1;
}
