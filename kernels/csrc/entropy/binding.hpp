// What the files of the Python face share: NumPy buffers in, checked, and bytes out.

#ifndef VQCODEC_ENTROPY_BINDING_HPP_
#define VQCODEC_ENTROPY_BINDING_HPP_

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// No forcecast: an array of another dtype or layout is the caller's mistake, never a silent copy.
template <typename T>
using Array = pybind11::array_t<T, pybind11::array::c_style>;

inline void require(bool holds, const std::string& message) {
  if (!holds) throw pybind11::value_error(message);
}

inline pybind11::bytes to_bytes(const std::vector<uint8_t>& payload) {
  return pybind11::bytes(reinterpret_cast<const char*>(payload.data()), payload.size());
}

inline const uint8_t* data_of(std::string_view payload) {
  return reinterpret_cast<const uint8_t*>(payload.data());
}

// Adds context mixing to the module.
void bind_mixing(pybind11::module_& m);

// Adds fields of integers to the module.
void bind_fields(pybind11::module_& m);

// Adds the changes from frame to frame to the module.
void bind_changes(pybind11::module_& m);

#endif  // VQCODEC_ENTROPY_BINDING_HPP_
