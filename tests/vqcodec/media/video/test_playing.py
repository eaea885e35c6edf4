"""What a frame is made of."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch

from vqcodec import VideoEncoder, open_video
from vqcodec.media.video.model import VideoModel, load_video_model
from vqcodec.media.video.playing import Playing

HEIGHT, WIDTH = 64, 88


@pytest.fixture(scope="module")
def model() -> VideoModel:
    return load_video_model("video", device="cpu")


def test_what_moves_by_nothing_returns_to_the_key_frame(model: VideoModel) -> None:
    playing = Playing(model.pictures, HEIGHT, WIDTH)
    generator = torch.Generator().manual_seed(3)
    key = torch.randn(model.pictures.dim, *playing.grid, generator=generator)
    playing.begin(key)
    playing.take(key + 1, np.ones(playing.blocks, bool))
    moving = np.zeros(playing.blocks, np.uint8)
    motion = np.zeros((*playing.blocks, 2), np.int8)
    assert playing.predict(moving, motion) is playing.latent
    moving[1, 2] = 1
    returned = key + 1
    returned[:, 2:4, 4:6] -= 1
    torch.testing.assert_close(playing.predict(moving, motion), returned)
    moving[3, 4], motion[3, 4] = 1, (2, -3)
    both = playing.predict(moving, motion)
    assert bool((both[:, 6:8, 8:10] != key[:, 6:8, 8:10] + 1).any())
    both[:, 6:8, 8:10] = key[:, 6:8, 8:10] + 1
    torch.testing.assert_close(both, returned)


def test_what_lay_behind_something_comes_back_from_the_key_frame(model: VideoModel) -> None:
    rng = np.random.default_rng(8)
    room = np.kron(rng.integers(20, 230, (10, 13, 3)), np.ones((7, 7, 1)))[:HEIGHT, :WIDTH]
    buffer = io.BytesIO()
    with VideoEncoder(buffer, height=HEIGHT, width=WIDTH, rate=10, model=model) as encoder:
        for number in range(10):
            frame = room.astype(np.uint8)
            frame[20:50, 16 * number - 60 : max(16 * number - 20, 0)] = (240, 30, 30)
            encoder.add(frame)
    with open_video(buffer.getvalue(), model=model) as video:
        changes = video.codes(0).changes
    returned = [(c.moving > 0) & ~c.motion.any(-1) for c in changes]
    assert sum(int(blocks.sum()) for blocks in returned) > 3
