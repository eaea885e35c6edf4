from typing import Any

import numpy as np
import pytest
from mixing_start import make_start

from vqcodec_kernels import _entropy
from vqcodec_kernels.entropy import start as declared
from vqcodec_kernels.entropy.mixing import decode_mixing, encode_mixing
from vqcodec_kernels.entropy.start import (
    CLASS_SETS,
    INPUTS,
    MAX_BIAS,
    TRAINED_NODES,
    MixingStart,
)
from vqcodec_kernels.errors import InvalidInputError


def test_sizes_are_those_of_the_extension() -> None:
    names = {"TRAINED_VALUES", "TRAINED_NODES", "INPUTS", "CLASS_SETS", "PLACES"}
    assert set(_entropy.SIZES) == names | {"MAX_ACTIVATION", "MAX_CODEBOOK_SIZE"}
    assert {name: getattr(declared, name) for name in _entropy.SIZES} == _entropy.SIZES


def test_extension_takes_the_same_arrays_and_no_others() -> None:
    arrays = make_start(3, 2, 2, (4, 3)).arrays()
    _entropy.MixingStart(3, arrays)
    for name, array in arrays.items():
        with pytest.raises(KeyError, match=name):
            _entropy.MixingStart(3, {n: a for n, a in arrays.items() if n != name})
        for wrong in (array[..., :-1].copy(), array[:0], array[..., ::2], array.astype(np.int64)):
            with pytest.raises(ValueError, match=r"has another (type|shape)"):
                _entropy.MixingStart(3, arrays | {name: wrong})


@pytest.mark.parametrize("sign", [-1, 1])
def test_sums_of_the_widest_network_do_not_overflow(sign: int) -> None:
    size, dimensions, hidden = 4, 88, 800
    blank = make_start(size, 1, dimensions, (hidden, hidden)).arrays()
    bounds = {"embeddings": sign * 2047, "first_weights": sign * 1023, "second_weights": 1023}
    arrays: dict[str, Any] = {
        name: np.full_like(array, bounds.get(name, MAX_BIAS if "biases" in name else 0))
        for name, array in blank.items()
    }
    arrays["node_weights"] = np.full((1, TRAINED_NODES, INPUTS), 32767, np.int16)
    arrays["class_weights"] = np.full((1, CLASS_SETS, INPUTS), sign * 32767, np.int16)
    outputs = np.array([[sign * 1023], [-1023], [500], [0]], np.int16)
    arrays["output_weights"] = np.tile(outputs, (1, 1, hidden))
    start = MixingStart(codebook_size=size, **arrays)
    codes = np.array([[[0, 1, 2, 3, 0], [1, 1, 0, 2, 3], [3, 0, 0, 0, 1]]], np.int64)
    payload = encode_mixing(codes, start)
    for backend in ("native", "numpy"):
        again = decode_mixing(payload, codes.shape, start, backend=backend)
        np.testing.assert_array_equal(again, codes)


def test_codes_and_shapes_outside_the_start_are_refused() -> None:
    start = make_start(11, 2)
    for bad in (-1, 11):
        with pytest.raises(InvalidInputError, match=r"\[0, 11\)"):
            encode_mixing(np.full((1, 2, 2), bad, np.int64), start)
    with pytest.raises(InvalidInputError, match="3 stages"):
        encode_mixing(np.zeros((3, 2, 2), np.int64), start)
    for wrong in (
        np.zeros((1, 2, 2), np.int32),
        np.zeros(1, np.int64),
        np.zeros([1] * 5, np.int64),
    ):
        with pytest.raises(InvalidInputError, match=r"int64 .* one to three axes"):
            encode_mixing(wrong, start)  # type: ignore[arg-type]
    for shape in ((3, 2, 2), (1, -1, 2), (2,), (1, 1, 1, 1, 1)):
        with pytest.raises(InvalidInputError, match="shape"):
            decode_mixing(b"", shape, start)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embeddings", 2048),
        ("first_weights", -1024),
        ("second_weights", 1024),
        ("output_weights", 1024),
        ("first_biases", MAX_BIAS + 1),
        ("second_biases", -MAX_BIAS - 1),
        ("output_biases", -MAX_BIAS - 1),
        ("shifts", 31),
        ("shifts", -1),
    ],
)
def test_starts_that_could_overflow_are_refused(name: str, value: int) -> None:
    arrays: dict[str, Any] = make_start(3, 1, 2, (4, 3)).arrays()
    arrays[name] = arrays[name].copy()
    arrays[name].flat[0] = value
    with pytest.raises(InvalidInputError, match=name):
        MixingStart(codebook_size=3, **arrays)


@pytest.mark.parametrize("name", ["first_weights", "first_biases", "second_weights", "shifts"])
def test_starts_of_another_shape_are_refused(name: str) -> None:
    arrays: dict[str, Any] = make_start(3, 2, 2, (4, 3)).arrays()
    arrays[name] = np.ascontiguousarray(arrays[name][..., :-1])
    with pytest.raises(InvalidInputError, match="must be"):
        MixingStart(codebook_size=3, **arrays)


def test_network_that_is_too_wide_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"too wide.*801"):
        make_start(3, 1, 2, (801, 3))
