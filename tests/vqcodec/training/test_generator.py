"""A learned prior of digits: what it draws is told apart by who knows real ones."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vqcodec.codec import load
from vqcodec.errors import BadModelError, InputError
from vqcodec.generative.generator import Generator
from vqcodec.training import train, train_generator

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def labels() -> NDArray[np.uint8]:
    from sklearn.datasets import load_digits

    return np.asarray(load_digits().target, np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["transformer", "recurrent"])
def test_digits_of_a_class(
    digits: Pixels,
    labels: NDArray[np.uint8],
    save_digits: Callable[[int], Path],
    tmp_path: Path,
    network: str,
) -> None:
    source, classes = save_digits(1797), tmp_path / "classes.idx"
    classes.write_bytes(struct.pack(">II", 0x801, 1797) + labels.tobytes())
    model, output = tmp_path / "digits.safetensors", tmp_path / "drawn.safetensors"
    train(source, model, steps=200, recipe="digits", device="cpu")
    told: list[float] = []
    card = train_generator(
        source,
        output,
        model=model,
        labels=classes,
        network=network,
        steps=150,
        device="cpu",
        report=lambda now: told.append(now.held_out_bits),
    )
    assert told[-1] < told[0]
    facts = card.metadata
    assert facts["bits_per_code"] < facts["bits_per_code_static"]
    assert facts["copies"] == 150 * 64 // 1617
    codec = load(model, device="cpu")
    from sklearn.neighbors import KNeighborsClassifier

    judge = KNeighborsClassifier(3).fit(digits.reshape(len(digits), -1), labels)
    right = []
    for label in range(10):
        drawn = codec.sample(generator=output, label=label, count=20, seed=label)
        right.append((judge.predict(np.stack(drawn).reshape(20, -1)) == label).mean())
    # By chance a tenth; longer training does better, see docs/benchmarks.md.
    assert np.mean(right) > 0.15
    generator = Generator(output, codec.card)
    held = codec.quantize(torch.from_numpy(digits[::10][:, None]).float() / 255).numpy()
    bits = [generator.bits(held[n : n + 1], label=int(c)) for n, c in enumerate(labels[::10])]
    assert bits[0].shape == (1, 1, 8)
    assert np.mean(bits) == pytest.approx(facts["bits_per_code"], abs=0.01)
    assert np.mean(bits) < generator.bits(held).mean() < 6
    for bad, message in (
        (held[:, 0], "must be int64"),
        (held.astype(np.int32), "must be int64"),
        (held + 64, "codes must be 0 to 63, got 64 to"),
    ):
        with pytest.raises(InputError, match=message):
            generator.bits(bad)  # type: ignore[arg-type]
    same = codec.sample(generator=output, label=3, count=2, seed=5)
    np.testing.assert_array_equal(same[0], codec.sample(generator=output, label=3, seed=5)[0])
    with pytest.raises(InputError, match="there are 10 classes, from 0, got 10"):
        codec.sample(generator=output, label=10)
    with pytest.raises(InputError, match="top_p"):
        codec.sample(generator=output, top_p=0)
    with pytest.raises(BadModelError, match="is for the model"):
        load("photo").sample(generator=output)
    damaged = bytearray(output.read_bytes())
    damaged[-5] ^= 1
    output.write_bytes(damaged)
    with pytest.raises(BadModelError, match="checksum"):
        Generator(output, codec.card)


def test_bad_data(save_digits: Callable[[int], Path], tmp_path: Path) -> None:
    model = tmp_path / "digits.safetensors"
    train(save_digits(40), model, steps=1, recipe="digits", device="cpu")
    output = tmp_path / "drawn.safetensors"
    with pytest.raises(InputError, match="5 signals are too few"):
        train_generator(save_digits(5), output, model=model)
    classes = tmp_path / "classes.idx"
    classes.write_bytes(struct.pack(">II", 0x801, 3) + bytes(3))
    with pytest.raises(InputError, match="has 3 labels for 40 pictures"):
        train_generator(save_digits(40), output, model=model, labels=classes)
    with pytest.raises(InputError, match="IDX file of labels"):
        train_generator(save_digits(40), output, model=model, labels=save_digits(40))
    with pytest.raises(InputError, match="one of transformer, recurrent, got 'oracle'"):
        train_generator(save_digits(40), output, model=model, network="oracle")
    with pytest.raises(InputError, match="from pictures alone"):
        train_generator(tmp_path, output, model="speech")


@pytest.mark.parametrize("network", ["transformer", "recurrent"])
def test_parts_of_a_folder(
    photos: list[Pixels], tiny_path: Path, tmp_path: Path, network: str
) -> None:
    from PIL import Image

    for name, pixels in zip(("china", "flower"), photos, strict=True):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.fromarray(pixels).save(tmp_path / "photos" / name / "0.png")
    card = train_generator(
        tmp_path / "photos",
        tmp_path / "textures.safetensors",
        model=tiny_path,
        extent=(32, 32),
        stages=2,
        network=network,
        steps=3,
    )
    assert json.loads(card.config)["kind"] == network
    assert (card.metadata["signals"], card.metadata["copies"]) == (2 * 13 * 20, 1)
    (drawn,) = load(tiny_path).sample(generator=card.path, label=1, seed=1)
    assert drawn.shape == (32, 32, 3)
