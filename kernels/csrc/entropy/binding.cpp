// The Python face of the entropy coder: NumPy buffers in and out, the GIL released while coding.
// vqcodec_kernels.entropy has checked shapes and values; what memory safety needs is checked here.

#include "binding.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "range_coder.hpp"
#include "tables.hpp"

namespace py = pybind11;

namespace {

vqcodec::Tables tables_of(const Array<uint32_t>& cumulative, int bits) {
  require(cumulative.ndim() == 2 && cumulative.shape(1) >= 2, "cumulative must be (rows, K + 1)");
  require(bits >= 1 && bits <= vqcodec::kMaxPrecisionBits, "precision bits must be in [1, 16]");
  const vqcodec::Tables tables{cumulative.data(), static_cast<size_t>(cumulative.shape(0)),
                               static_cast<size_t>(cumulative.shape(1) - 1), bits};
  for (size_t r = 0; r < tables.rows; ++r) {
    const uint32_t* row = tables.row(r);
    bool valid = row[0] == 0 && row[tables.size] == 1u << bits;
    for (size_t k = 0; k < tables.size; ++k) valid = valid && row[k] < row[k + 1];
    require(valid, "a table must rise strictly from 0 to 2^bits");
  }
  return tables;
}

void require_ones(const Array<uint16_t>& ones) {
  require(ones.ndim() == 1, "probabilities must be one-dimensional");
  for (py::ssize_t i = 0; i < ones.size(); ++i) require(ones.data()[i] != 0, "probability 0");
}

py::bytes encode_symbols(const Array<int64_t>& symbols, const Array<uint32_t>& cumulative,
                         int bits) {
  const vqcodec::Tables tables = tables_of(cumulative, bits);
  require(symbols.ndim() == 2 && symbols.shape(0) == cumulative.shape(0), "one table for each row");
  for (py::ssize_t i = 0; i < symbols.size(); ++i) {
    require(static_cast<uint64_t>(symbols.data()[i]) < tables.size, "symbol outside its table");
  }
  std::vector<uint8_t> payload;
  {
    const py::gil_scoped_release release;
    payload = vqcodec::encode_symbols(symbols.data(), symbols.shape(1), tables);
  }
  return to_bytes(payload);
}

Array<int64_t> decode_symbols(std::string_view payload, const Array<uint32_t>& cumulative, int bits,
                              size_t columns, size_t rows) {
  const vqcodec::Tables tables = tables_of(cumulative, bits);
  require(rows <= tables.rows, "more rows than tables");
  Array<int64_t> symbols({rows, columns});
  int64_t* out = symbols.mutable_data();
  const py::gil_scoped_release release;
  vqcodec::decode_symbols(data_of(payload), payload.size(), out, rows, columns, tables);
  return symbols;
}

Array<int64_t> sample_symbols(const Array<int64_t>& given, const Array<uint32_t>& cumulative,
                              int bits, uint64_t seed) {
  const vqcodec::Tables tables = tables_of(cumulative, bits);
  require(given.ndim() == 2 && given.shape(0) == cumulative.shape(0), "one table for each row");
  Array<int64_t> symbols({given.shape(0), given.shape(1)});
  int64_t* out = symbols.mutable_data();
  std::copy(given.data(), given.data() + given.size(), out);
  const auto columns = static_cast<size_t>(given.shape(1));
  const py::gil_scoped_release release;
  vqcodec::sample_symbols(out, columns, tables, seed);
  return symbols;
}

py::bytes encode_decisions(const Array<uint8_t>& bits, const Array<uint16_t>& ones) {
  require_ones(ones);
  require(bits.ndim() == 1 && bits.size() == ones.size(), "one probability for each bit");
  std::vector<uint8_t> payload;
  {
    const py::gil_scoped_release release;
    payload = vqcodec::encode_decisions(bits.data(), ones.data(), bits.size());
  }
  return to_bytes(payload);
}

Array<uint8_t> decode_decisions(std::string_view payload, const Array<uint16_t>& ones) {
  require_ones(ones);
  Array<uint8_t> bits(ones.size());
  uint8_t* out = bits.mutable_data();
  const py::gil_scoped_release release;
  vqcodec::decode_decisions(data_of(payload), payload.size(), ones.data(), out, ones.size());
  return bits;
}

void translate(std::exception_ptr error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const vqcodec::CorruptPayload& corrupt) {
    const py::object type =
        py::module_::import("vqcodec_kernels.errors").attr("CorruptPayloadError");
    py::set_error(type, corrupt.what());
  }
}

}  // namespace

PYBIND11_MODULE(_entropy, m) {
  m.doc() = "Entropy coding of code indices.";
  py::register_local_exception_translator(translate);
  m.def("encode_symbols", &encode_symbols, py::arg("symbols").noconvert(),
        py::arg("cumulative").noconvert(), py::arg("bits"));
  m.def("decode_symbols", &decode_symbols, py::arg("payload"), py::arg("cumulative").noconvert(),
        py::arg("bits"), py::arg("columns"), py::arg("rows"));
  m.def("sample_symbols", &sample_symbols, py::arg("given").noconvert(),
        py::arg("cumulative").noconvert(), py::arg("bits"), py::arg("seed"));
  m.def("encode_decisions", &encode_decisions, py::arg("bits").noconvert(),
        py::arg("ones").noconvert());
  m.def("decode_decisions", &decode_decisions, py::arg("payload"), py::arg("ones").noconvert());
  bind_mixing(m);
  bind_fields(m);
  bind_changes(m);
}
