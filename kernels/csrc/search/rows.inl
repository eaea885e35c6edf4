// Rows made ready for the search: scaled, and with what each may be off by.

constexpr uint32_t kAllRows = (uint32_t{1} << Unit::kRows) - 1;

// Scales a tile of `count` rows, the last of them repeated if there are fewer than kRows; returns
// the square of each. `scaled` holds kLanes more floats than the tile.
inline Unit::Vec scale_tile(const PackedCodebook& book, const float* rows, int64_t count,
                            float* scaled) {
  const int64_t dim = book.dim();
  const int64_t stride = scaled_stride(book);
  Unit::Vec squares[Unit::kRows];
  for (int64_t r = 0; r < Unit::kRows; ++r) {
    const float* row = rows + (r < count ? r : count - 1) * dim;
    squares[r] = scale_row(row, dim, rows + count * dim, book.mean(), scaled + r * stride);
  }
  return Unit::fold<Unit::add>(squares);
}

// Readies a tile of rows. slacks[r] becomes how far above the lowest score a code may be and still
// be the nearest. Returns the first row that is not finite, or -1.
inline int64_t prepare_tile(const PackedCodebook& book, const float* rows, int64_t count,
                            float* scaled, float* slacks) {
  const ErrorBound& bound = filter_bound(book);
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
