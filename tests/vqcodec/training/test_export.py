"""From a trained network to a file: sorted codebooks are the same codebooks."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vqcodec.model.file import read_model
from vqcodec.model.tensors import network_from_tensors
from vqcodec.training.export import sort_codebooks


def test_sorting_codebooks_changes_no_reconstruction(
    tiny_path: Path, photo: NDArray[np.uint8]
) -> None:
    card, tensors = read_model(tiny_path)
    model = network_from_tensors(card.config, tensors, tiny_path).eval()
    generator = torch.Generator().manual_seed(1)
    for book in model.quantizer.books():
        shuffle = torch.cat(
            [torch.zeros(1, dtype=torch.int64), 1 + torch.randperm(31, generator=generator)]
        )
        for buffer in (book.vectors, book.share, book.sums):
            buffer.copy_(buffer[shuffle])
    samples = torch.from_numpy(photo[:144, :200]).permute(2, 0, 1)[None].float() / 255
    shuffled = model(samples)
    vectors = [book.vectors.clone() for book in model.quantizer.books()]
    sort_codebooks(model)
    ordered = model(samples)
    assert not torch.equal(shuffled.quantized.codes, ordered.quantized.codes)
    assert torch.equal(shuffled.samples, ordered.samples)
    torch.testing.assert_close(shuffled.quantized.bits, ordered.quantized.bits)
    for book, before in zip(model.quantizer.books(), vectors, strict=True):
        assert not bool(book.vectors[0].any())
        assert sorted(map(tuple, book.vectors.tolist())) == sorted(map(tuple, before.tolist()))
