"""The bound holds on every value, whatever the dtype, the layout and the values."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vqcodec import decode_array, encode_array
from vqcodec.media.array.description import DTYPES

REAL = [name for name in DTYPES if not name.startswith("complex")]
FLOATS = ["float16", "float32", "float64"]


def exactly(found: NDArray[Any], wanted: NDArray[Any]) -> bool:
    """Every bit, whatever the order of bytes."""
    native = np.ascontiguousarray(wanted, wanted.dtype.newbyteorder("=")).reshape(wanted.shape)
    return (
        found.dtype == native.dtype
        and found.shape == native.shape
        and (found.tobytes() == native.tobytes())
    )


def make(dtype: str, shape: tuple[int, ...], kind: str, seed: int) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    smooth = np.cumsum(rng.normal(size=shape), axis=-1 if shape else None).reshape(shape)
    with np.errstate(all="ignore"):
        if dtype == "bool":
            return smooth > 0
        if np.dtype(dtype).kind in "iu":
            limits = np.iinfo(dtype)
            if kind == "wild":
                return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
            values = np.clip(np.rint(smooth * 9 + 40), limits.min, limits.max)
            return np.asarray(values).astype(dtype)
        if kind == "wild":
            bits = rng.integers(0, 256, (*shape, np.dtype(dtype).itemsize), np.uint8)
            return bits.view(dtype).reshape(shape)
        scale = {"offset": 1e-3, "tiny": float(np.finfo(dtype).smallest_subnormal) * 40}
        values = smooth * scale.get(kind, 1.0) + (1e30 if kind == "offset" else 0)
        values = np.asarray(values).astype(dtype)
        if kind == "holes" and values.size > 2:
            flat = values.reshape(-1)
            flat[::3], flat[1::7], flat[2::11] = np.nan, np.inf, -np.inf
        if kind == "packed":
            values = np.asarray(np.rint(values * 4) * 0.01 + 250).astype(dtype)
        return values


CASES: dict[str, Any] = {
    "dtype": st.sampled_from(REAL),
    "shape": st.lists(st.integers(0, 9), max_size=5).map(tuple),
    "kind": st.sampled_from(["plain", "wild", "offset", "tiny", "holes", "packed"]),
    "seed": st.integers(0, 2**32 - 1),
    "layout": st.sampled_from(["C", "F", "reversed", "strided", "swapped"]),
}


def laid_out(values: NDArray[Any], layout: str) -> NDArray[Any]:
    if layout == "F":
        return np.asfortranarray(values)
    if layout == "reversed" and values.ndim:
        return values[::-1]
    if layout == "strided" and values.ndim:
        return np.repeat(values, 2, axis=-1)[..., ::2]
    if layout == "swapped":
        return values.astype(values.dtype.newbyteorder("S"))
    return values


@settings(deadline=None, max_examples=60)
@given(**CASES)
def test_lossless(dtype: str, shape: tuple[int, ...], kind: str, seed: int, layout: str) -> None:
    values = laid_out(make(dtype, shape, kind, seed), layout)
    before = values.copy()
    found = decode_array(encode_array(values, lossless=True, threads=1), threads=1)
    assert exactly(found, values)
    assert values.tobytes() == before.tobytes()


@settings(deadline=None, max_examples=100)
@given(**CASES, bound=st.sampled_from([0, 1e-9, 1e-3, 0.4, 1, 3.7, 1e6, "0.01%", "1%", "30%"]))
def test_absolute(
    dtype: str, shape: tuple[int, ...], kind: str, seed: int, layout: str, bound: Any
) -> None:
    values = laid_out(make(dtype, shape, kind, seed), layout)
    finite = values[np.isfinite(values)]
    limit: Any = bound
    if isinstance(bound, str):
        with np.errstate(over="ignore"):
            spread = float(finite.max()) - float(finite.min()) if finite.size else 0.0
        if not np.isfinite(spread):
            return
        limit = float(bound[:-1]) / 100 * spread
    found = decode_array(encode_array(values, max_error=bound, threads=1), threads=1)
    assert (found.dtype, found.shape) == (values.dtype.newbyteorder("="), values.shape)
    kept = np.isfinite(values)
    assert exactly(found[~kept], values[~kept])
    if values.dtype.kind == "f":
        off = abs(found[kept].astype(np.float64) - values[kept].astype(np.float64))
        assert not (off > limit).any()
    else:
        pairs = zip(found[kept].tolist(), values[kept].tolist(), strict=True)
        assert all(abs(int(a) - int(b)) <= limit for a, b in pairs)


@settings(deadline=None, max_examples=60)
@given(**CASES, bound=st.sampled_from([0, 1e-12, 1e-3, 0.1, 0.5]))
def test_relative(
    dtype: str, shape: tuple[int, ...], kind: str, seed: int, layout: str, bound: float
) -> None:
    values = laid_out(make(dtype, shape, kind, seed), layout)
    found = decode_array(encode_array(values, max_relative_error=bound, threads=1), threads=1)
    kept = np.isfinite(values)
    assert exactly(found[~kept], values[~kept])
    now, then = (x[kept].astype(np.float64) for x in (found, values))
    if values.dtype.itemsize == 8 and values.dtype.kind != "f":
        pairs = zip(found.ravel().tolist(), values.ravel().tolist(), strict=True)
        assert all(abs(a - b) <= bound * abs(b) * (1 + 1e-12) for a, b in pairs)
    else:
        assert (abs(now - then) <= bound * abs(then)).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_largest_numbers(dtype: str) -> None:
    largest = np.finfo(dtype).max
    values = np.array([largest, -largest, largest / 2, 0, 1], dtype)
    assert exactly(decode_array(encode_array(values, max_error=1e-3)), values)


def test_a_bound_far_larger_than_all_values() -> None:
    for values in (np.array(0.7), np.array([1.0, 1.0 + 2**-52]), np.arange(9, dtype=np.int64)):
        choices: list[dict[str, Any]] = [{"max_relative_error": 0.5}, {"max_error": 1e15}]
        for options in choices:
            found = decode_array(encode_array(values, **options))
            assert abs(found - values).max() <= 1e15


@pytest.mark.parametrize("dtype", ["complex64", "complex128", ">c8"])
@pytest.mark.parametrize("options", [{"lossless": True}, {"max_error": 0.01}], ids=str)
def test_complex_values_are_two_parts(dtype: str, options: dict[str, Any]) -> None:
    turns = np.arange(7 * 31).reshape(7, 31) / 9
    values = (np.exp(1j * turns) * turns).astype(dtype)
    values[3, 4] = complex(np.nan, 2)
    found = decode_array(encode_array(values, **options))
    if "lossless" in options:
        assert exactly(found, values)
    off = (found - values)[np.isfinite(values)]
    assert max(abs(off.real).max(), abs(off.imag).max()) <= 0.01
    assert np.isnan(found[3, 4].real)
    assert abs(found[3, 4].imag - 2) <= 0.01


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("wanted", [20, 60, 90])
def test_a_mean_error_is_reached(dtype: str, wanted: float) -> None:
    rows, columns = np.mgrid[0:61, 0:83]
    values = (np.sin(rows / 9) * np.cos(columns / 7)).astype(dtype)
    found = decode_array(encode_array(values, psnr=wanted)).astype(np.float64)
    deviation = np.sqrt(np.square(found - values).mean())
    assert deviation == 0 or 20 * np.log10(np.ptp(values) / deviation) >= wanted


def test_a_missing_value_is_kept_and_does_not_count_for_the_range() -> None:
    values = np.sin(np.arange(900).reshape(30, 30) / 50).astype(np.float32)
    values[5:9, 7:] = -9999
    data = encode_array(values, max_error="1%", missing=-9999)
    found = decode_array(data)
    assert (found[5:9, 7:] == -9999).all()
    assert abs(found - values).max() <= 0.02
    assert len(data) < len(encode_array(values, max_error=0.01))


def test_packed_values_are_cheap_and_exact() -> None:
    rng = np.random.default_rng(1)
    smooth = np.cumsum(rng.integers(-2, 3, 20000))
    values = (smooth * 0.01 + 250).astype(np.float32)
    exact = encode_array(values, lossless=True)
    assert len(exact) * 8 / values.size < 2.6
    assert exactly(decode_array(exact), values)
    # Below half of the packing nothing is gained, and nothing is lost.
    assert exactly(decode_array(encode_array(values, max_error=0.004)), values)


@pytest.mark.parametrize("chunk", [(1, 1, 1), (2, 5, 4), (7, 1, 3), (99, 99, 99)])
def test_chunks_threads_and_parts(chunk: tuple[int, ...]) -> None:
    values = np.add.outer(np.arange(7) * 50, np.arange(30).reshape(5, 6) ** 2).astype(np.int32)
    seen: list[tuple[int, int]] = []
    data = encode_array(
        values, max_error=2, chunk=chunk, threads=3, progress=lambda n, m: seen.append((n, m))
    )
    assert seen == [(n + 1, len(seen)) for n in range(len(seen))]
    assert data == encode_array(values, max_error=2, chunk=chunk, threads=1)
    found = decode_array(data, threads=2)
    assert abs(found - values).max() <= 2
    for region in ((slice(1, 4), slice(None), slice(-3, None)), (slice(6, 7),)):
        part = decode_array(data, region=region)
        np.testing.assert_array_equal(part, found[region])


def test_a_mapped_file_is_coded_like_its_values(tmp_path: Any) -> None:
    values = np.arange(5000, dtype=np.float32).reshape(50, 100) ** 0.5
    np.save(tmp_path / "a.npy", np.asfortranarray(values))
    data = encode_array(values, max_error=0.01, chunk=(16, 100))
    assert encode_array(tmp_path / "a.npy", max_error=0.01, chunk=(16, 100)) == data
