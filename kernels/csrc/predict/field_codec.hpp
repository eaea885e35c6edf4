// Fields of integers to bytes and back.

#ifndef VQCODEC_PREDICT_FIELD_CODEC_HPP_
#define VQCODEC_PREDICT_FIELD_CODEC_HPP_

#include <cstdint>
#include <vector>

#include "../entropy/range_coder.hpp"
#include "field.hpp"
#include "interpolation.hpp"
#include "quantizer.hpp"
#include "raster.hpp"
#include "residual_model.hpp"

namespace vqcodec {

struct ResidualEncoder {
  static constexpr bool kWrites = true;
  RangeEncoder range;
  bool code(bool bit, uint32_t one) {
    range.decision(bit, one);
    return bit;
  }
};

struct ResidualDecoder {
  static constexpr bool kWrites = false;
  RangeDecoder range;
  bool code(bool, uint32_t one) { return range.decision(one); }
};

enum class Family { kMedian, kLinear, kSlices, kBoxes };

// How a field is predicted and quantized.
struct FieldPlan {
  FieldShape shape;
  Quantizer quantizer;
  Family family;
  // Of the linear family; see Raster.
  const int16_t* coefficients;
  // Of the families that interpolate: smaller steps at coarse levels.
  bool tight;
  // Not 0 where a value is not coded but predicted, or null.
  const uint8_t* missing;
};

template <typename Coder>
void code_field(Coder& coder, const FieldPlan& plan, const int64_t* targets, int64_t* out) {
  ResidualModel model;
  if (plan.family == Family::kSlices || plan.family == Family::kBoxes) {
    const bool whole = plan.family == Family::kBoxes;
    Interpolation(plan.shape, plan.quantizer, whole, plan.tight, out)
        .code(coder, model, targets, plan.missing);
  } else {
    Field field(plan.shape);
    Raster(field, plan.quantizer, plan.coefficients).code(coder, model, targets, plan.missing, out);
  }
}

// out: what the values decode to.
inline std::vector<uint8_t> encode_field(const FieldPlan& plan, const int64_t* targets,
                                         int64_t* out) {
  ResidualEncoder coder;
  code_field(coder, plan, targets, out);
  return coder.range.finish();
}

inline void decode_field(const uint8_t* payload, std::size_t size, const FieldPlan& plan,
                         int64_t* out) {
  ResidualDecoder coder{RangeDecoder(payload, size)};
  code_field(coder, plan, nullptr, out);
  coder.range.finish();
}

}  // namespace vqcodec

#endif  // VQCODEC_PREDICT_FIELD_CODEC_HPP_
