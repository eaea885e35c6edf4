// The Python face of fields of integers.

#include <pybind11/stl.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../entropy/binding.hpp"
#include "field_codec.hpp"

namespace py = pybind11;

namespace {

using Shape = std::array<int64_t, 4>;
using vqcodec::FieldPlan;

using vqcodec::Family;

// Which of its slices a field is interpolated in.
Family family_of(const std::string& interpolated, bool linear) {
  if (interpolated.empty()) return linear ? Family::kLinear : Family::kMedian;
  require(!linear, "coefficients are of no use where values are interpolated");
  require(interpolated == "slices" || interpolated == "boxes", "interpolated");
  return interpolated == "slices" ? Family::kSlices : Family::kBoxes;
}

FieldPlan plan_of(const Shape& shape, int64_t lowest, int64_t highest, int64_t step,
                  const std::optional<Array<int16_t>>& coefficients,
                  const std::string& interpolated, bool tight,
                  const std::optional<Array<uint8_t>>& missing) {
  for (const int64_t length : shape) require(length >= 1, "a field has no empty axis");
  require(lowest <= highest && std::abs(lowest) <= vqcodec::kMaxSpan &&
              std::abs(highest) <= vqcodec::kMaxSpan,
          "lowest and highest");
  require(step >= 1 && step <= vqcodec::kMaxSpan && (highest - lowest) / step <= vqcodec::kMaxSteps,
          "step");
  if (coefficients) {
    require(coefficients->ndim() == 2 && coefficients->shape(0) == 4 &&
                coefficients->shape(1) == vqcodec::kCoefficients,
            "coefficients must be (4, 27)");
  }
  if (missing) {
    require(missing->ndim() == 4 && std::equal(shape.begin(), shape.end(), missing->shape()),
            "missing has another shape");
  }
  return {{shape[0], shape[1], shape[2], shape[3]},
          {lowest, highest, step},
          family_of(interpolated, coefficients.has_value()),
          coefficients ? coefficients->data() : nullptr,
          tight,
          missing ? missing->data() : nullptr};
}

py::tuple encode_field(const Array<int64_t>& targets, int64_t lowest, int64_t highest, int64_t step,
                       const std::optional<Array<int16_t>>& coefficients,
                       const std::string& interpolated, bool tight,
                       const std::optional<Array<uint8_t>>& missing) {
  require(targets.ndim() == 4, "a field has four axes");
  const Shape shape = {targets.shape(0), targets.shape(1), targets.shape(2), targets.shape(3)};
  const FieldPlan plan =
      plan_of(shape, lowest, highest, step, coefficients, interpolated, tight, missing);
  // A copy: the caller's array may change while the GIL is released.
  const std::vector<int64_t> own(targets.data(), targets.data() + targets.size());
  for (const int64_t value : own) {
    require(value >= lowest && value <= highest, "a value outside [lowest, highest]");
  }
  Array<int64_t> decoded(shape);
  int64_t* out = decoded.mutable_data();
  std::vector<uint8_t> payload;
  {
    const py::gil_scoped_release release;
    payload = vqcodec::encode_field(plan, own.data(), out);
  }
  return py::make_tuple(to_bytes(payload), decoded);
}

Array<int64_t> decode_field(std::string_view payload, const Shape& shape, int64_t lowest,
                            int64_t highest, int64_t step,
                            const std::optional<Array<int16_t>>& coefficients,
                            const std::string& interpolated, bool tight,
                            const std::optional<Array<uint8_t>>& missing) {
  const FieldPlan plan =
      plan_of(shape, lowest, highest, step, coefficients, interpolated, tight, missing);
  Array<int64_t> decoded(shape);
  int64_t* out = decoded.mutable_data();
  const py::gil_scoped_release release;
  vqcodec::decode_field(data_of(payload), payload.size(), plan, out);
  return decoded;
}

}  // namespace

void bind_fields(py::module_& m) {
  m.def("encode_field", &encode_field);
  m.def("decode_field", &decode_field);
}
