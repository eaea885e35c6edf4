"""Which way of coding an encoder takes, beside all that there are."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec import encode_array
from vqcodec.media.array import choosing
from vqcodec.media.array.bound import Bound
from vqcodec.media.array.candidates import candidates, families, refitted
from vqcodec.media.array.chunk_codec import encode_chunk
from vqcodec.media.array.description import Description
from vqcodec.media.array.encoding import _blank, _sample
from vqcodec.media.array.fitting import fit_coefficients
from vqcodec.media.array.integers import Coding
from vqcodec.media.array.signal import Array
from vqcodec.media.array.statistics import Statistics, survey
from vqcodec.media.array.tables import table_bytes


def field(shape: tuple[int, ...], slope: float) -> NDArray[np.float32]:
    """Noise of a seed whose amplitudes fall with frequency."""
    rng = np.random.default_rng(3)
    squared = np.sum(
        np.square(np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in shape), indexing="ij")), axis=0
    )
    squared.flat[0] = np.inf
    waves = np.fft.fftn(rng.standard_normal(shape)) * squared ** (-slope / 2)
    found: NDArray[np.float64] = np.fft.ifftn(waves).real
    return np.asarray(found / found.std(), np.float32)


def blank_of(values: NDArray[Any], bound: float, chunk: tuple[int, ...]) -> Description:
    return replace(_blank(Array(values), Bound("max_error"), chunk), bound=bound)


def sizes(values: NDArray[Any], blank: Description, found: Statistics) -> list[int]:
    """Bytes of the whole array, coded in every way."""
    ways = [way for made in candidates(blank, found) for way in families(values, made)]
    return [
        len(encode_chunk(values, refitted(values, way)).payload) + len(table_bytes(way))
        for way in ways
    ]


@pytest.mark.parametrize("bound", [0.3, 0.01])
@pytest.mark.parametrize(("shape", "slope"), [((331, 389), 1.5), ((43, 53, 47), 3.0)])
def test_hardly_more_bytes_than_the_best_way(
    shape: tuple[int, ...], slope: float, bound: float
) -> None:
    values = field(shape, slope)
    blank = blank_of(values, bound, shape)
    found = survey([values], values.dtype, None)
    coding, _ = choosing.choose(partial(_sample, values, blank), blank, found, threads=1)
    size = len(encode_chunk(values, coding).payload) + len(table_bytes(coding))
    assert size <= 1.02 * min(sizes(values, blank, found)) + 60


def test_what_was_tried_whole_is_not_coded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    values = field((67, 59), 2.0)
    blank = blank_of(values, 0.01, values.shape)
    found = survey([values], values.dtype, None)
    coding, whole = choosing.choose(lambda count, at: values, blank, found, threads=2)
    assert whole is not None
    assert whole.payload == encode_chunk(values, coding).payload
    assert len(whole.payload) == min(sizes(values, blank, found))
    with monkeypatch.context() as patched:
        patched.setattr("vqcodec.media.array.encoding.encode_chunk", None)
        data = encode_array(values, max_error=0.01)
    assert whole.payload in data


def test_a_chunk_is_not_tried_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is smaller than a sample; there are more of them, so none of it is kept."""
    values = field((64, 64), 2.0)
    blank = blank_of(values, 0.01, (16, 64))
    found = survey([values], values.dtype, None)
    tried: list[tuple[str, bool, int]] = []

    def code(sample: NDArray[Any], coding: Coding) -> Any:
        tried.append((coding.description.family, coding.description.tight, coding.description.step))
        return encode_chunk(sample, coding)

    monkeypatch.setattr(choosing, "encode_chunk", code)
    _, whole = choosing.choose(partial(_sample, values, blank), blank, found, threads=1)
    assert whole is None
    assert len(tried) == len(set(tried)) > 4


def test_threads_change_no_byte() -> None:
    values = field((90, 111), 2.0)
    made = {encode_array(values, max_error=0.02, chunk=(33, 40), threads=n) for n in (1, 3)}
    assert len(made) == 1


def test_coefficients_are_found_from_some_of_many_places() -> None:
    """W + (N - NW), with noise that nothing predicts, within a twentieth."""
    rng = np.random.default_rng(4)
    t = np.cumsum(np.cumsum(rng.integers(-40, 41, (1, 2, 300, 416)), axis=-1), axis=-2)
    found = fit_coefficients(t, 1)
    assert abs(int(found[0, 1]) - 4096) < 200
    assert abs(int(found[0, 2]) + 4096) < 200
    assert not found[2:].any()


def test_statistics_do_not_depend_on_chunks_or_threads() -> None:
    values = np.round(field((101, 90), 1.0), 2)
    values[::7, ::5] = np.nan
    values[3, 4] = -np.inf
    whole = survey([values], values.dtype, values[0, 1])
    parts = survey(np.array_split(values, 9), values.dtype, values[0, 1], threads=3)
    assert (whole.count, whole.lowest, whole.highest) == (parts.count, parts.lowest, parts.highest)
    assert whole.distinct is not None
    np.testing.assert_array_equal(whole.distinct, parts.distinct)
    assert whole.specials == parts.specials
    assert len(whole.specials) == 3
    kept = values[np.isfinite(values) & (values != values[0, 1])]
    assert whole.count == kept.size
    assert len(whole.distinct) == len(np.unique(kept.view(np.int32)))


def test_too_many_distinct_numbers_are_not_kept() -> None:
    values = np.arange(70_000, dtype=np.int32)
    assert survey([values], values.dtype, None).distinct is None
    assert survey(np.split(values, 7), values.dtype, None).distinct is None
    assert replace(survey([values[:65536]], values.dtype, None)).distinct is not None
