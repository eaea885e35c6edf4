import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vqcodec_kernels.entropy.fields import (
    COEFFICIENTS,
    INTERPOLATED,
    MAX_STEPS,
    decode_field,
    decode_plane,
    encode_field,
    encode_plane,
)
from vqcodec_kernels.errors import CorruptPayloadError, InvalidInputError


def make_values(shape: tuple[int, ...], spread: int = 40) -> NDArray[np.int64]:
    """Waves and a little noise of arithmetic progressions: the same everywhere."""
    places = np.indices(shape).reshape(len(shape), -1)
    waves = (places.T * np.arange(3, 3 + 4 * len(shape), 4) % 97).sum(axis=1) * spread // 40
    noise = np.arange(places.shape[1]) * 7919 % 31 % 7
    values: NDArray[np.int64] = (waves + noise).reshape(shape).astype(np.int64)
    return values


def make_coefficients(limit: int = 900) -> NDArray[np.int16]:
    """The prediction W + N - NW, and progressions upon it."""
    count = int(np.prod(COEFFICIENTS))
    numbers = (np.arange(count) * 7919 + 31) % (2 * limit + 1) - limit
    coefficients = numbers.reshape(COEFFICIENTS)
    coefficients[:, 1] += 4096
    coefficients[:, 2] -= 4096
    return coefficients.astype(np.int16)


def bounds(values: NDArray[np.int64]) -> dict[str, Any]:
    return {"lowest": int(values.min()), "highest": int(values.max())}


def test_golden_payloads() -> None:
    # Written once; a change here is a change of the format.
    values = make_values((2, 3, 17, 29))
    payloads = [
        encode_field(values, step=step, **family, **bounds(values))[0]
        for step in (1, 5)
        for family in FAMILIES
    ]
    digests = [hashlib.sha256(payload).hexdigest()[:16] for payload in payloads]
    assert digests == [
        "aeeda2b8d1f14293",
        "88b340f2a501ca52",
        "f9cd54d06bc5bfe7",
        "f9cd54d06bc5bfe7",
        "dd8acd3b9da639ce",
        "dd8acd3b9da639ce",
        "8a9c37881e356635",
        "c17c3cf2bfafbc87",
        "e69a6a32c69c2cf7",
        "0b2473d2aa8eaf6c",
        "2daa6a4a712521c5",
        "2d8e2f86431bc947",
    ]


FAMILIES: list[dict[str, Any]] = [
    {},
    {"coefficients": make_coefficients()},
    {"interpolated": "slices"},
    {"interpolated": "slices", "tight": True},
    {"interpolated": "boxes"},
    {"interpolated": "boxes", "tight": True},
]
SHAPES = [(1,), (2,), (37,), (1, 1), (1, 13), (13, 1), (7, 11), (3, 5, 7), (3, 1, 9), (2, 3, 4, 5)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("step", [1, 2, 3, 8, 1000])
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_round_trip_and_twin(shape: tuple[int, ...], step: int, family: dict[str, Any]) -> None:
    values = make_values(shape) - 50
    plan = {**bounds(values), "step": step, **family}
    payload, decoded = encode_field(values, **plan)
    assert abs(decoded - values).max() <= step // 2
    for backend in ("native", "numpy"):
        again = decode_field(payload, shape, backend=backend, **plan)
        np.testing.assert_array_equal(again, decoded)


@settings(deadline=None, max_examples=80)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=4).map(tuple),
    bits=st.integers(0, 40),
    step_bits=st.integers(0, 40),
    family=st.sampled_from(["median", "linear", "slices", "boxes"]),
    tight=st.booleans(),
)
def test_any_values_and_any_coefficients(
    seed: int, shape: tuple[int, ...], bits: int, step_bits: int, family: str, tight: bool
) -> None:
    rng = np.random.default_rng(seed)
    lowest, highest = sorted(rng.integers(-(2**bits), 2**bits, 2, endpoint=True).tolist())
    step = int(rng.integers(1, 2**step_bits, endpoint=True))
    values = rng.integers(lowest, highest, shape, endpoint=True)
    step = max(step, (highest - lowest) // MAX_STEPS + 1)
    plan: dict[str, Any] = {"lowest": lowest, "highest": highest, "step": step}
    if family == "linear":
        plan["coefficients"] = rng.integers(-32768, 32767, COEFFICIENTS).astype(np.int16)
    if family in INTERPOLATED:
        plan |= {"interpolated": family, "tight": tight}
    payload, decoded = encode_field(values, **plan)
    assert abs(decoded - values).max() <= step // 2
    for backend in ("native", "numpy"):
        again = decode_field(payload, shape, backend=backend, **plan)
        np.testing.assert_array_equal(again, decoded)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_missing_values_are_not_coded(family: dict[str, Any], share: float) -> None:
    values = make_values((2, 3, 5, 7))
    missing = np.random.default_rng(3).random(values.shape) < share
    plan = {**bounds(values), "step": 3, "missing": missing, **family}
    values[missing] = plan["highest"]
    payload, decoded = encode_field(values, **plan)
    assert abs(decoded - values)[~missing].max(initial=0) <= 1
    assert share < 1 or payload == b""
    for backend in ("native", "numpy"):
        again = decode_field(payload, values.shape, backend=backend, **plan)
        np.testing.assert_array_equal(again, decoded)
    values[missing] = plan["lowest"]
    assert encode_field(values, **plan)[0] == payload


def test_extremes_of_what_is_allowed() -> None:
    values = np.array([[-(2**40), 2**40, -(2**40)], [2**40, 0, 2**40]])
    coefficients = np.full(COEFFICIENTS, -32768, np.int16)
    plan: dict[str, Any] = {**bounds(values), "step": 8193, "coefficients": coefficients}
    payload, decoded = encode_field(values, **plan)
    assert abs(decoded - values).max() <= 4096
    for backend in ("native", "numpy"):
        again = decode_field(payload, (2, 3), backend=backend, **plan)
        np.testing.assert_array_equal(again, decoded)


def test_smooth_is_small_and_step_makes_it_smaller() -> None:
    rows, columns = np.mgrid[0:64, 0:96]
    values = np.rint(1e4 * np.sin(rows / 20) * np.cos(columns / 30)).astype(np.int64)
    sizes = [len(encode_field(values, step=step, **bounds(values))[0]) for step in (1, 9, 201)]
    assert sizes[0] < values.size
    assert sizes[2] < 0.6 * sizes[1] < 0.36 * sizes[0]


@pytest.mark.parametrize("step", [1, 3])
def test_damage_is_refused_or_gives_other_values(step: int) -> None:
    values = make_values((2, 4, 6))
    plan: dict[str, Any] = {**bounds(values), "step": step, "coefficients": make_coefficients()}
    payload, decoded = encode_field(values, **plan)
    damaged = [payload[:n] for n in range(len(payload))] + [payload + b"\0", payload + b"\x90"]
    for i in range(len(payload)):
        damaged += [payload[:i] + bytes([payload[i] ^ 1 << b]) + payload[i + 1 :] for b in (0, 6)]
    refused = 0
    for data in damaged:
        answers = []
        for backend in ("native", "numpy"):
            try:
                again = decode_field(data, values.shape, backend=backend, **plan)
                assert not np.array_equal(again, decoded)
                answers.append(str(again.tolist()))
            except CorruptPayloadError as error:
                answers.append(str(error))
                refused += 1
        assert answers[0] == answers[1]
    assert refused > len(damaged)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (31, 1), (23, 37)], ids=str)
def test_planes(shape: tuple[int, int]) -> None:
    rows, columns = np.indices(shape)
    for values in (
        np.zeros(shape),
        np.full(shape, 255),
        255 * (np.hypot(rows - 9, columns - 15) < 8),
        np.clip(40 * (9 - np.hypot(rows - 9, columns - 15)), 0, 255),
        rows * 37 + columns * 101,
    ):
        plane = values.astype(np.uint8)
        payload = encode_plane(plane)
        for backend in ("native", "numpy"):
            again = decode_plane(payload, shape, backend=backend)
            assert again.dtype == np.uint8
            np.testing.assert_array_equal(again, plane)


def test_a_plane_of_one_value_costs_next_to_nothing() -> None:
    assert len(encode_plane(np.zeros((500, 700), np.uint8))) <= 20
    assert len(encode_plane(np.full((500, 700), 255, np.uint8))) <= 20


def test_a_view_is_coded_like_its_copy() -> None:
    plane = (np.arange(40 * 60).reshape(40, 60) % 251).astype(np.uint8)
    view = plane[::-2, 3::5]
    assert encode_plane(view) == encode_plane(view.copy())


def test_huge_shapes_are_refused_before_memory_is_taken() -> None:
    with pytest.raises(CorruptPayloadError, match="cannot hold"):
        decode_plane(bytes(9), (1 << 30, 1 << 30))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lowest": 5}, r"in \[5, 9\]"),
        ({"lowest": -(2**41)}, "within"),
        ({"step": 0}, "steps of 0"),
        ({"lowest": 0, "highest": 2**31}, "too many steps"),
        ({"missing": np.zeros(9, np.bool_)}, "missing must be bool"),
        ({"interpolated": "rows"}, "'rows'"),
        ({"interpolated": "boxes", "coefficients": make_coefficients()}, "without coefficients"),
        ({"coefficients": np.zeros(COEFFICIENTS)}, "int16"),
        ({"coefficients": np.zeros((27, 4), np.int16).T}, "C order"),
        ({"values": np.zeros((2, 0), np.int64)}, "none of them empty"),
        ({"values": np.zeros((1,) * 5, np.int64)}, "one to four axes"),
        ({"values": np.zeros(3, np.int32)}, "int32"),
    ],
)
def test_what_is_no_field_is_refused(change: dict[str, Any], message: str) -> None:
    plan: dict[str, Any] = {"values": np.arange(10), "lowest": 0, "highest": 9, "step": 1}
    with pytest.raises(InvalidInputError, match=message):
        encode_field(**(plan | change))


@pytest.mark.parametrize("plane", [np.zeros((2, 3)), np.zeros(3, np.uint8)])
def test_what_is_no_plane_is_refused(plane: NDArray[np.uint8]) -> None:
    with pytest.raises(InvalidInputError, match="a plane is uint8"):
        encode_plane(plane)
