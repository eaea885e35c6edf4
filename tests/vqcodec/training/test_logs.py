"""What a run leaves for TensorBoard, read back with TensorBoard."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vqcodec.training.logs import LogWriter, Preview
from vqcodec.training.progress import Progress

PREVIEW = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def report(steps: int) -> Progress:
    return Progress(
        steps=steps,
        seconds=1.0,
        share=0.5,
        loss=0.25,
        decibels=30.5,
        bits_per_sample=0.75,
        restarts=3,
        usage=[(200, 150.0), (256, 250.0)],
        batch=(torch.zeros(2, 1, 9), torch.ones(2, 1, 9)),
    )


def show(original: Tensor, decoded: Tensor) -> NDArray[np.uint8]:
    assert not bool(original.any())
    assert bool(decoded.all())
    return PREVIEW


def show_nothing(original: Tensor, decoded: Tensor) -> None:
    return None


@pytest.mark.parametrize("preview", [show, show_nothing])
def test_numbers_of_every_report_and_a_picture_now_and_then(
    tmp_path: Path, preview: Preview
) -> None:
    from tensorboard.backend.event_processing import event_accumulator  # type: ignore[import-untyped]

    with LogWriter(tmp_path, preview) as log:
        for steps in (980, 1000):
            log.write(report(steps))
    events = event_accumulator.EventAccumulator(str(tmp_path)).Reload()
    found = {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }
    values = {
        "loss": 0.25,
        "decibels": 30.5,
        "bits_per_sample": 0.75,
        "restarts": 3,
        "codes_alive/stage_0": 200,
        "codes_alive/stage_1": 256,
        "perplexity/stage_0": 150,
        "perplexity/stage_1": 250,
    }
    assert found == {name: [(980, value), (1000, value)] for name, value in values.items()}
    pictures = [image for name in events.Tags()["images"] for image in events.Images(name)]
    assert [image.step for image in pictures] == ([1000] if preview is show else [])
    for image in pictures:
        pixels = np.asarray(Image.open(io.BytesIO(image.encoded_image_string)))
        np.testing.assert_array_equal(pixels, PREVIEW)
