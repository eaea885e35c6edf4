"""Many signals through one codec: order, bounds, errors, and the same bytes as one by one."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vqcodec.codec import Codec
from vqcodec.errors import BadMagicError, InputError, VqcodecError

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def signals(photo: Pixels) -> list[Pixels]:
    """Eleven pictures of odd sizes."""
    return [np.ascontiguousarray(photo[5 * n : 5 * n + 9 + 7 * n, : 60 - 3 * n]) for n in range(11)]


@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_many_are_what_each_is(codec: Codec, signals: list[Pixels], threads: int | None) -> None:
    before = torch.get_num_threads()
    streams = list(codec.encode_many(signals, threads=threads, quality=30))
    assert streams == [codec.encode(signal, quality=30) for signal in signals]
    decoded = list(codec.decode_many(streams, threads=threads))
    for samples, stream in zip(decoded, streams, strict=True):
        np.testing.assert_array_equal(samples, codec.decode(stream))
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("threads", [1, 3])
def test_no_more_are_drawn_than_are_worked_on(codec: Codec, photo: Pixels, threads: int) -> None:
    drawn = 0

    def endless() -> Iterator[Pixels]:
        nonlocal drawn
        while True:
            drawn += 1
            yield photo[:9, :7]

    for taken, _ in enumerate(codec.encode_many(endless(), threads=threads), 1):
        assert drawn - taken <= (2 * threads if threads > 1 else 0)
        if taken == 20:
            break


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_refused_ends_it_or_is_given_in_its_place(
    codec: Codec, photo: Pixels, threads: int
) -> None:
    signals: list[Any] = [photo[:9, :9], np.zeros((0, 4), np.uint8), photo[:8, :8], "missing.png"]
    found = list(codec.encode_many(signals, threads=threads, errors="return"))
    assert [type(item) for item in found] == [bytes, InputError, bytes, InputError]
    assert "missing.png" in str(found[3])
    many = codec.encode_many(signals, threads=threads)
    assert next(many) == found[0]
    with pytest.raises(InputError):
        next(many)
    streams = [found[0], b"no stream", found[2]]
    decoded = list(codec.decode_many(streams, threads=threads, errors="return"))
    assert [isinstance(item, VqcodecError) for item in decoded] == [False, True, False]
    assert isinstance(decoded[1], BadMagicError)


@pytest.mark.parametrize(
    "options", [{"threads": 0}, {"threads": 1.5}, {"errors": "ignore"}, {"errors": None}]
)
def test_wrong_options_are_refused_at_once(codec: Codec, options: dict[str, Any]) -> None:
    for many in (codec.encode_many, codec.decode_many):
        with pytest.raises(InputError, match=next(iter(options))):
            many([], **options)


def test_a_mistake_of_the_caller_is_no_error_of_a_signal(codec: Codec, photo: Pixels) -> None:
    with pytest.raises(TypeError, match="qualty"):
        list(codec.encode_many([photo], qualty=3, errors="return"))
