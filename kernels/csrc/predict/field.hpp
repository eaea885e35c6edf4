// Values and residuals of a field while it is coded: slices of rows with room around them.

#ifndef VQCODEC_PREDICT_FIELD_HPP_
#define VQCODEC_PREDICT_FIELD_HPP_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vqcodec {

// Two axes of slices, rows and columns; all at least 1.
struct FieldShape {
  int64_t outer, inner, rows, columns;

  int64_t row_number(int64_t o, int64_t i, int64_t y) const { return (o * inner + i) * rows + y; }
};

// A slice has two rows above it, one below, and two columns on each side, so that no neighbour has
// to be asked whether it exists.
template <typename T>
class Padded {
 public:
  static constexpr int64_t kAbove = 2, kBelow = 1, kBeside = 2;

  explicit Padded(const FieldShape& shape)
      : pitch_(shape.columns + 2 * kBeside),
        slice_(pitch_ * (shape.rows + kAbove + kBelow)),
        inner_(shape.inner),
        data_(static_cast<std::size_t>(slice_ * shape.inner * shape.outer)) {}

  T* row(int64_t o, int64_t i, int64_t y) {
    return data_.data() + (o * inner_ + i) * slice_ + (y + kAbove) * pitch_ + kBeside;
  }

  // From a row to the one below it, and from a slice to the next one.
  int64_t pitch() const { return pitch_; }
  int64_t slice() const { return slice_; }

 private:
  int64_t pitch_, slice_, inner_;
  std::vector<T> data_;
};

// A field that is being coded. Beyond a slice stand, for values, the nearest of its own that are
// coded, and for residuals 0.
class Field {
 public:
  explicit Field(const FieldShape& shape) : shape_(shape), values_(shape), residuals_(shape) {}

  const FieldShape& shape() const { return shape_; }
  Padded<int64_t>& values() { return values_; }
  Padded<int32_t>& residuals() { return residuals_; }

 private:
  FieldShape shape_;
  Padded<int64_t> values_;
  Padded<int32_t> residuals_;
};

}  // namespace vqcodec

#endif  // VQCODEC_PREDICT_FIELD_HPP_
