"""Vectors there and back: their size, their order, their error, and what is refused."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import vqcodec
from vqcodec import vectors
from vqcodec.errors import (
    BadModelError,
    CorruptError,
    InputError,
    LimitError,
    UnknownModelError,
)
from vqcodec.media.registry import read_any_stream
from vqcodec.media.vector.codebook import unpack_codebook
from vqcodec.media.vector.codebook_file import read_codebook
from vqcodec.media.vector.coder import CODER
from vqcodec.media.vector.letters import CODEBOOK
from vqcodec.media.vector.signal import Vectors
from vqcodec.media.vector.training import choose_codes

Rows = NDArray[np.float32]


def error(back: NDArray[Any], rows: NDArray[Any]) -> float:
    """Part of the spread that is lost."""
    off = np.square(back.astype(np.float64) - rows).sum()
    return float(off / np.square(rows - rows.mean(axis=0, dtype=np.float64)).sum())


def test_rows_come_back_in_their_order_and_size_is_kept(rows: Rows, data: bytes) -> None:
    back = vectors.decode(data)
    assert (back.shape, back.dtype.name) == (rows.shape, "float32")
    assert len(data) <= 10 * len(rows)
    # Of what is left a half goes into the codebook, so it must be used well.
    assert len(data) > 9 * len(rows)
    assert error(back, rows) < 0.2
    near = np.argmin(np.square(back[:50, None] - rows[None]).sum(axis=2), axis=1)
    assert (near == np.arange(50)).mean() > 0.9


def test_vectors_are_the_sum_that_the_format_says(rows: Rows, data: bytes) -> None:
    """In whole numbers of Python, without the project's arithmetic."""
    _, stream = read_any_stream(data)
    payload = stream.payload(CODEBOOK)
    assert payload is not None
    book, codes = unpack_codebook(payload), vectors.open(data).codes()
    back = vectors.decode(data)
    for row in (0, 4095, 4096, 4132):
        sums = [
            sum(int(book.tables[s, codes[s, row], c]) for s in range(len(codes)))
            for c in range(len(book.basis))
        ]
        for place in (0, 20, 36):
            product = sum(a * int(b) for a, b in zip(sums, book.basis[:, place], strict=True))
            expected = np.float32(float(product) * book.unit + float(book.mean[place]))
            assert back[row, place] == expected


@pytest.mark.parametrize("size", [4, 7.5, 16])
def test_more_bytes_come_nearer_and_are_never_exceeded(rows: Rows, size: float) -> None:
    data = vectors.encode(rows, bytes_per_vector=size, effort=1)
    assert 0.85 * size < len(data) / len(rows) <= size
    assert error(vectors.decode(data), rows) < 1.1 * 2 ** (-size / 6)


def test_effort_comes_nearer(rows: Rows) -> None:
    errors = [
        error(vectors.decode(vectors.encode(rows, bytes_per_vector=10, effort=e)), rows)
        for e in (1, 3)
    ]
    assert errors[1] < 0.97 * errors[0]


def test_what_the_stream_says_is_what_it_has(rows: Rows, data: bytes) -> None:
    facts = vqcodec.inspect(data).facts
    back = vectors.decode(data).astype(np.float64)
    assert facts["mean_squared_error"] == pytest.approx(np.square(back - rows).sum(1).mean())
    assert facts["relative_error"] == pytest.approx(error(vectors.decode(data), rows), rel=1e-6)
    assert facts["bytes_per_vector"] == len(data) / len(rows)


def test_the_error_of_half_precision_is_that_of_what_is_decoded() -> None:
    """About a mean of 3000 numbers of float16 lie 2 apart: rounding is most of the error."""
    random = np.random.default_rng(4)
    rows = (3000 + random.normal(size=(600, 8))).astype(np.float16)
    data = vectors.encode(rows, bytes_per_vector=16, effort=1)
    back = vectors.decode(data).astype(np.float64)
    expected = np.square(back - rows).sum(axis=1).mean()
    assert vqcodec.inspect(data).facts["mean_squared_error"] == pytest.approx(expected, rel=1e-9)
    _, stream = read_any_stream(data)
    assert CODER.compare(stream, Vectors(rows)) == f"mean squared error {expected:.6g}"
    largest = np.full((300, 4), np.finfo(np.float16).max)
    largest[::2] *= 0.9
    data = vectors.encode(largest, bytes_per_vector=8, effort=1)
    assert np.isfinite(vectors.decode(data)).all()


def test_a_codebook_that_several_files_share(rows: Rows, codebook: bytes, tmp_path: Path) -> None:
    (tmp_path / "words.vqb").write_bytes(codebook)
    parts = [
        vectors.encode(part, bytes_per_vector=6, codebook=codebook, effort=3)
        for part in (rows[:2000], rows[2000:])
    ]
    backs = [vectors.decode(part, codebook=tmp_path / "words.vqb") for part in parts]
    assert error(np.concatenate(backs), rows) < 0.35
    for part, count in zip(parts, (2000, 2133), strict=True):
        assert 5 * count < len(part) <= 6 * count
        with pytest.raises(UnknownModelError, match=r"need the codebook [0-9a-f]{16}: give"):
            vectors.decode(part)
        with pytest.raises(UnknownModelError, match="give its file"):
            vqcodec.decode(part)
    other = vectors.train_codebook(rows[::2], bytes_per_vector=6, effort=1)
    with pytest.raises(UnknownModelError, match=r"need the codebook \w+, not \w+"):
        vectors.open(parts[0], codebook=other)
    # Fewer bytes are fewer of its stages.
    fewer = vectors.encode(rows, bytes_per_vector=3, codebook=codebook, effort=2)
    assert len(fewer) <= 3 * len(rows)
    with pytest.raises(InputError, match="the codebook is of 37 numbers, the vectors of 36"):
        vectors.encode(rows[:, 1:], bytes_per_vector=6, codebook=codebook)


def test_dtypes_byte_orders_and_layouts(rows: Rows) -> None:
    few = rows[:700]
    expected = vectors.encode(few, bytes_per_vector=12, effort=1)
    for same in (few.astype(">f4"), np.asfortranarray(few), np.repeat(few, 2, axis=0)[::2]):
        assert vectors.encode(same, bytes_per_vector=12, effort=1) == expected
    half = vectors.decode(vectors.encode(few.astype(np.float16), bytes_per_vector=12, effort=1))
    assert half.dtype == np.float16
    assert error(half, few) < 0.3


def test_a_file_is_read_as_it_is_needed(rows: Rows, data: bytes, tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", rows)
    assert vectors.encode(tmp_path / "rows.npy", bytes_per_vector=10, effort=3) == data
    (tmp_path / "rows.vqc").write_bytes(data)
    assert np.array_equal(vectors.decode(tmp_path / "rows.vqc"), vectors.decode(io.BytesIO(data)))
    with pytest.raises(LimitError, match="152921 values, more than the limit of 1000"):
        vectors.encode(tmp_path / "rows.npy", bytes_per_vector=10, max_samples=1000)
    with pytest.raises(LimitError, match="more than the limit of 1000"):
        vectors.decode(data, max_samples=1000)


@pytest.mark.parametrize("scale", [1e-30, 1e12])
def test_any_scale_and_offset(rows: Rows, scale: float) -> None:
    few = (rows[:600] + 7) * np.float32(scale)
    back = vectors.decode(vectors.encode(few, bytes_per_vector=16, effort=1))
    assert error(back.astype(np.float64) / scale, few.astype(np.float64) / scale) < 0.25


@pytest.mark.parametrize(
    ("values", "size"),
    [
        (np.ones((300, 5), np.float32), 4),
        (np.zeros((300, 1), np.float32), 4),
        (np.eye(64, dtype=np.float32).repeat(6, axis=0), 32),
    ],
    ids=["equal", "zero", "axes"],
)
def test_vectors_without_much_to_say(values: Rows, size: float) -> None:
    back = vectors.decode(vectors.encode(values, bytes_per_vector=size, effort=2))
    assert np.square(back - values).sum(axis=1).mean() < 0.6
    if values.std() == 0:
        np.testing.assert_allclose(back, values, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.zeros(5, np.float32), r"\(5,\)"),
        (np.zeros((2, 3, 4), np.float32), r"\(2, 3, 4\)"),
        (np.zeros((0, 3), np.float32), r"\(0, 3\)"),
        (np.zeros((3, 0), np.float32), r"\(3, 0\)"),
        (np.zeros((3, 5000), np.float32), r"1 to 4096, got \(3, 5000\)"),
        (np.zeros((30, 4)), r'float64: use .astype\("float32"\)'),
        (np.zeros((30, 4), np.int32), "int32"),
        (np.full((30, 4), np.nan, np.float32), "vector 0 has nan at 0"),
        (np.full((30, 4), 2.0**60, np.float32), r"vector 0 has 1.15292e\+18"),
        ("text", "text: no such file"),
        (None, "no vectors: None"),
    ],
    ids=lambda part: part if isinstance(part, str) else None,
)
def test_what_are_no_vectors(values: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        vectors.encode(values, bytes_per_vector=16)


def test_one_number_that_is_not_finite_is_named(rows: Rows) -> None:
    spoilt = rows.copy()
    spoilt[4100, 9] = -np.inf
    with pytest.raises(InputError, match="vector 4100 has -inf at 9"):
        vectors.encode(spoilt, bytes_per_vector=10)


@pytest.mark.parametrize("size", [0.5, 65, 0, -1, float("nan"), True, "16"])
def test_no_such_size(rows: Rows, size: Any) -> None:
    with pytest.raises(InputError, match="bytes_per_vector must be 1 to 64 bytes, got"):
        vectors.encode(rows, bytes_per_vector=size)
    with pytest.raises(InputError, match="bytes_per_vector must be 1 to 64 bytes, got"):
        vectors.train_codebook(rows, bytes_per_vector=size)


def test_too_few_vectors_for_a_codebook() -> None:
    with pytest.raises(InputError, match="32 bytes for 2 vectors of 9 numbers are too few"):
        vectors.encode(np.ones((2, 9), np.float32), bytes_per_vector=16)


def test_no_size_and_no_effort(rows: Rows) -> None:
    with pytest.raises(InputError, match="there is no default"):
        CODER.encode(Vectors(rows))
    with pytest.raises(InputError, match="effort must be 1 to 9"):
        vectors.encode(rows, bytes_per_vector=10, effort=0)


def test_streams_and_codebooks_of_something_else(data: bytes) -> None:
    array = vqcodec.encode_array(np.arange(9.0), lossless=True)
    with pytest.raises(CorruptError, match="a stream of an array, not of vectors"):
        vectors.decode(array)
    with pytest.raises(CorruptError, match="a stream of a vector, not of an array"):
        vqcodec.decode_array(data)
    with pytest.raises(BadModelError, match="not a codebook"):
        vectors.decode(data, codebook=data)


def test_a_damaged_codebook(codebook: bytes) -> None:
    for place in range(0, len(codebook), max(1, len(codebook) // 97)):
        spoilt = bytearray(codebook)
        spoilt[place] ^= 16
        with pytest.raises(BadModelError, match=r"not a codebook|does not match"):
            read_codebook(bytes(spoilt))
    with pytest.raises(BadModelError, match=r"does not match"):
        read_codebook(codebook[:-1])


def test_progress_is_told_to_the_end(rows: Rows, data: bytes) -> None:
    told: list[tuple[int, int]] = []
    vectors.encode(
        rows[:600], bytes_per_vector=10, effort=2, progress=lambda *step: told.append(step)
    )
    assert [done for done, _ in told] == list(range(1, told[-1][1] + 1))
    told.clear()
    vectors.decode(data, progress=lambda *step: told.append(step))
    assert told == [(1, 2), (2, 2)]


def test_sweeps_never_make_codes_worse() -> None:
    torch.manual_seed(2)
    tables, x = torch.randn(5, 13, 7), torch.randn(101, 7) * 2
    before = _left(x, tables, choose_codes(x, tables, beams=2, sweeps=0))
    after = _left(x, tables, choose_codes(x, tables, beams=2, sweeps=3))
    assert (after <= before + 1e-4).all()
    assert after.mean() < 0.98 * before.mean()


def _left(x: torch.Tensor, tables: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    total = torch.stack([table[codes[:, stage]] for stage, table in enumerate(tables)]).sum(0)
    return (x - total).square().sum(dim=1)
