"""Searching codes finds what a search of the decoded vectors finds."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec import vectors
from vqcodec.errors import CorruptError, InputError

Rows = NDArray[np.float32]


def scores_of(back: Rows, queries: Rows, metric: str) -> NDArray[np.float64]:
    """By the textbook, in float64; larger is nearer."""
    x, q = back.astype(np.float64), queries.astype(np.float64)
    if metric == "l2":
        squared: NDArray[np.float64] = np.square(q[:, None] - x[None]).sum(axis=2)
        return -squared
    product: NDArray[np.float64] = q @ x.T
    if metric == "cosine":
        product /= np.linalg.norm(q, axis=1)[:, None] * np.linalg.norm(x, axis=1)
    return product


@pytest.mark.parametrize("metric", ["inner_product", "l2", "cosine"])
@pytest.mark.parametrize("k", [1, 10, 4133])
def test_as_a_search_of_all_decoded_vectors(rows: Rows, data: bytes, metric: str, k: int) -> None:
    queries = rows[:7] + np.float32(0.01)
    found = vectors.open(data)
    near = found.search(queries, k, metric=metric)
    assert (near.scores.shape, near.rows.shape) == ((7, k), (7, k))
    assert (near.scores.dtype.name, near.rows.dtype.name) == ("float32", "int64")
    every = scores_of(vectors.decode(data), queries, metric)
    best = -np.sort(-every, axis=1)[:, :k]
    signed = -near.scores if metric == "l2" else near.scores
    np.testing.assert_allclose(signed, best, rtol=1e-3, atol=2e-4)
    # Each row once, and with the score that it has.
    assert all(len(set(row)) == k for row in near.rows)
    own = np.take_along_axis(every, near.rows, axis=1)
    np.testing.assert_allclose(signed, own, rtol=1e-3, atol=2e-4)


def test_in_blocks_as_at_once(rows: Rows, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    found, queries = vectors.open(data), rows[:5]
    whole = found.search(queries, 9, metric="l2")
    monkeypatch.setattr("vqcodec.media.vector.search._SCORES", 5 * 97)
    parts = found.search(queries, 9, metric="l2")
    assert np.array_equal(whole.rows, parts.rows)
    assert np.array_equal(whole.scores, parts.scores)


def test_one_query_and_none(rows: Rows, data: bytes) -> None:
    found = vectors.open(data)
    assert found.search(rows[3], 2).rows.shape == (1, 2)
    assert found.search(np.zeros((0, 37), np.float32), 2).rows.shape == (0, 2)
    assert found.search(np.zeros(37), 2, metric="cosine").scores.tolist() == [[0, 0]]


def test_chosen_rows(data: bytes) -> None:
    found, whole = vectors.open(data), vectors.decode(data)
    assert len(found) == 4133
    assert found.dim == 37
    for chosen in ([4132, 0, 4096, 0], np.array([-1, -4133]), 5, np.arange(4133)[::-1]):
        wanted = whole[np.atleast_1d(chosen)]
        assert np.array_equal(found.rebuild(chosen), wanted)
    assert found.rebuild([]).shape == (0, 37)


def test_rows_of_one_block_leave_the_others_alone(data: bytes) -> None:
    """The codes of the second block are spoilt behind the first one's back."""
    found = vectors.open(data)
    object.__setattr__(found._stream, "codes", (found._stream.codes[0], b"\xff" * 9))
    assert found.rebuild([17]).shape == (1, 37)
    with pytest.raises(CorruptError):
        found.rebuild([4100])


@pytest.mark.parametrize(
    ("queries", "options", "why"),
    [
        (np.zeros((2, 36), np.float32), {}, r"queries are floats \(Q, 37\), got float32 \(2, 36\)"),
        (np.zeros((1, 2, 37)), {}, r"\(1, 2, 37\)"),
        (np.full(37, "x"), {}, "queries are floats"),
        (np.full((3, 37), np.nan), {}, "query 0 is not finite"),
        (np.zeros(37), {"k": 0}, "k must be 1 to 4133"),
        (np.zeros(37), {"k": 4134}, "k must be 1 to 4133"),
        (np.zeros(37), {"metric": "hamming"}, "one of inner_product, l2, cosine, got 'hamming'"),
    ],
    ids=str,
)
def test_what_is_no_search(data: bytes, queries: Any, options: Any, why: str) -> None:
    with pytest.raises(InputError, match=why):
        vectors.open(data).search(queries, **options)


@pytest.mark.parametrize("chosen", [[4133], [-4134], [0.5], [[1, 2]], "x", [True]])
def test_what_are_no_rows(data: bytes, chosen: Any) -> None:
    with pytest.raises(InputError, match=r"rows are whole numbers|no number"):
        vectors.open(data).rebuild(chosen)
