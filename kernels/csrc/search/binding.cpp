// The Python face of the search: addresses and sizes in, a defect out; the GIL is released.
//
// The arrays are torch's, but nothing here knows torch: the caller has checked shapes and types and
// keeps the tensors alive.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <utility>

#include "grouped.hpp"
#include "search.hpp"

namespace py = pybind11;

namespace vqcodec {
namespace {

template <typename T>
T* pointer(uintptr_t address) {
  return reinterpret_cast<T*>(address);
}

const Level& level_named(const std::string& name, const SearchSize& size) {
  const Level* level = find_level(name, size);
  if (!level) throw py::value_error("this processor cannot run level '" + name + "'");
  return *level;
}

// (what, index): what is 0 for nothing wrong, 1 for a row of x, 2 for a code.
std::pair<int, int64_t> as_pair(const Defect& defect) { return {defect.what, defect.index}; }

std::pair<int, int64_t> search(uintptr_t x, int x_type, int64_t rows, int64_t dim,
                               uintptr_t codebook, int codebook_type, int64_t size, uintptr_t bias,
                               uintptr_t codes, uintptr_t distances, uintptr_t values,
                               uintptr_t squared_errors, uintptr_t counts, int threads,
                               const std::string& level) {
  const SearchOptions options{&level_named(level, {rows, size, dim}), threads};
  const SearchOutputs outputs{pointer<int64_t>(codes), pointer<float>(distances),
                              pointer<void>(values), pointer<float>(squared_errors),
                              pointer<int64_t>(counts)};
  const py::gil_scoped_release release;
  return as_pair(
      search_codebook({pointer<void>(x), static_cast<Type>(x_type), rows, dim},
                      {pointer<void>(codebook), static_cast<Type>(codebook_type), size, dim},
                      pointer<float>(bias), outputs, options));
}

std::pair<int, int64_t> search_stages(uintptr_t x, int x_type, int64_t rows, int64_t dim,
                                      uintptr_t codebooks, int codebook_type, int64_t size,
                                      uintptr_t biases, int64_t stages, uintptr_t codes,
                                      int threads, const std::string& level) {
  const SearchOptions options{&level_named(level, {rows, size, dim}), threads};
  const py::gil_scoped_release release;
  return as_pair(search_residual(
      {pointer<void>(x), static_cast<Type>(x_type), rows, dim},
      {pointer<void>(codebooks), static_cast<Type>(codebook_type), stages * size, dim},
      pointer<float>(biases), stages, pointer<int64_t>(codes), options));
}

std::pair<int, int64_t> search_beams_at(uintptr_t x, int64_t rows, int64_t dim, uintptr_t codebooks,
                                        int64_t size, uintptr_t biases, int64_t stages,
                                        int64_t beams, uintptr_t codes, uintptr_t errors,
                                        int threads, const std::string& level) {
  const SearchOptions options{&level_named(level, {rows, size, dim}), threads};
  const py::gil_scoped_release release;
  return as_pair(search_beams({pointer<void>(x), Type::kFloat32, rows, dim},
                              {pointer<void>(codebooks), Type::kFloat32, stages * size, dim},
                              pointer<float>(biases), stages, beams, pointer<int64_t>(codes),
                              pointer<float>(errors), options));
}

void statistics(uintptr_t x, int x_type, int64_t rows, int64_t dim, uintptr_t codes, int64_t size,
                uintptr_t counts, uintptr_t sums, int threads) {
  const py::gil_scoped_release release;
  add_up({pointer<void>(x), static_cast<Type>(x_type), rows, dim}, pointer<int64_t>(codes), size,
         pointer<int64_t>(counts), pointer<float>(sums), threads);
}

std::vector<std::vector<int32_t>> groups(uintptr_t codebook, int64_t size, int64_t dim,
                                         uintptr_t bias) {
  GroupedCodebook book;
  const Rows rows{pointer<void>(codebook), Type::kFloat32, size, dim};
  if (book.pack(rows, pointer<float>(bias), kPortableLevel) >= 0) return {};
  return book.groups();
}

std::vector<std::string> level_names() {
  std::vector<std::string> names;
  for (const Level* level : supported_levels()) names.emplace_back(level->name);
  return names;
}

std::string default_level(int64_t rows, int64_t size, int64_t dim) {
  return level_named("", {rows, size, dim}).name;
}

}  // namespace
}  // namespace vqcodec

// Adds motion to the module, see ../motion.
void bind_motion(py::module_& m);

PYBIND11_MODULE(_search, m) {
  m.doc() = "Nearest-code search and motion on the CPU.";
  bind_motion(m);
  m.def("search", &vqcodec::search);
  m.def("search_stages", &vqcodec::search_stages);
  m.def("search_beams", &vqcodec::search_beams_at);
  m.def("statistics", &vqcodec::statistics);
  m.def("groups", &vqcodec::groups,
        "The codes that a search of a float32 codebook looks at, by groups with bounds of their "
        "own.");
  m.def("level_names", &vqcodec::level_names,
        "Instruction sets that this processor can run, best first.");
  m.def(
      "default_level", &vqcodec::default_level,
      "The one of them that searches so many rows, codes and dimensions unless another is named.");
}
