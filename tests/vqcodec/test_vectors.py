"""The codebooks of a codec, and the vectors that codes stand for."""

import pytest
import torch
from torch import Tensor

from vqcodec.codec import Codec
from vqcodec.errors import InputError


@pytest.fixture
def codes(codec: Codec) -> Tensor:
    return codec.quantize(torch.rand(2, 3, 21, 35))


@pytest.mark.parametrize("stages", [1, 3, 5])
def test_vectors_are_sums_over_the_stages(codec: Codec, codes: Tensor, stages: int) -> None:
    books = codec.codebooks
    assert (books.shape, books.dtype) == ((5, 32, 16), torch.float32)
    expected = torch.zeros(2, 3, 5, 16)
    for stage in range(stages):
        expected += books[stage][codes[:, stage]]
    assert torch.equal(codec.vectors(codes[:, :stages]), expected.movedim(-1, 1))


def test_vectors_of_codes_come_near_to_the_latent(codec: Codec) -> None:
    samples = torch.rand(1, 3, 21, 35)
    latent = codec.analyse(samples)
    codes = codec.quantize(samples)
    left = [float((codec.vectors(codes[:, :n]) - latent).square().mean()) for n in range(1, 6)]
    assert left == sorted(left, reverse=True)
    assert left[-1] < float(latent.square().mean())


def test_codebooks_are_a_copy(codec: Codec, codes: Tensor) -> None:
    before = codec.vectors(codes)
    with torch.inference_mode():
        books = codec.codebooks
    assert not books.is_inference()
    books.zero_()
    assert torch.equal(codec.vectors(codes), before)


def test_any_number_of_positions(codec: Codec) -> None:
    assert codec.vectors(torch.zeros(3, 2, 7, dtype=torch.int64)).shape == (3, 16, 7)
    assert codec.vectors(torch.zeros(0, 2, 7, dtype=torch.int64)).shape == (0, 16, 7)


@pytest.mark.parametrize(
    ("codes", "shown"),
    [
        (torch.zeros(1, 2, 3), "float32"),
        (torch.zeros(4, dtype=torch.int64), r"\(4,\)"),
        (torch.zeros(1, 6, 3, 3, dtype=torch.int64), r"\(1, 6, 3, 3\)"),
        (torch.zeros(1, 0, 3, 3, dtype=torch.int64), r"\(1, 0, 3, 3\)"),
        (torch.full((1, 2, 3, 3), 32), "got 32 to 32"),
        (torch.full((1, 2, 3, 3), -1), "got -1 to -1"),
    ],
)
def test_what_is_no_code_is_refused(codec: Codec, codes: Tensor, shown: str) -> None:
    with pytest.raises(InputError, match=shown):
        codec.vectors(codes)
