"""What a log shows of a batch."""

import numpy as np
import torch

from vqcodec.media.picture.preview import preview


def test_originals_stand_above_what_was_decoded_of_them() -> None:
    original = torch.rand(6, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    decoded = (1.5 - 2 * original).bfloat16()
    shown = preview(original, decoded)
    assert shown.dtype == np.uint8
    assert shown.shape == (10, 28, 3)
    for top, batch in ((0, original), (5, decoded.float())):
        for place in range(4):
            part = shown[top : top + 5, 7 * place : 7 * place + 7]
            wanted = batch[place].clamp(0, 1).movedim(0, -1).numpy() * 255
            assert np.abs(part - wanted).max() <= 0.5


def test_fewer_pictures_of_one_channel() -> None:
    assert preview(torch.zeros(1, 1, 4, 6), torch.ones(1, 1, 4, 6)).tolist() == (
        [[[0]] * 6] * 4 + [[[255]] * 6] * 4
    )
