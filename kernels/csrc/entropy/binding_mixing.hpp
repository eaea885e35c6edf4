// Context mixing, a part of the _entropy module.

#ifndef VQCODEC_ENTROPY_BINDING_MIXING_HPP_
#define VQCODEC_ENTROPY_BINDING_MIXING_HPP_

#include <pybind11/pybind11.h>

void bind_mixing(pybind11::module_& m);

#endif  // VQCODEC_ENTROPY_BINDING_MIXING_HPP_
