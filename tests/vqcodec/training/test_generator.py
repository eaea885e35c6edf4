"""A learned prior of digits: what it draws is told apart by who knows real ones."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vqcodec.codec import load
from vqcodec.errors import BadModelError, InputError
from vqcodec.generative.config import TransformerConfig
from vqcodec.generative.generator import Generator, from_row, to_row
from vqcodec.generative.transformer import CodeTransformer, _pick
from vqcodec.training import train, train_generator

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def labels() -> NDArray[np.uint8]:
    from sklearn.datasets import load_digits

    return np.asarray(load_digits().target, np.uint8)


@pytest.mark.slow
def test_digits_of_a_class(
    digits: Pixels,
    labels: NDArray[np.uint8],
    save_digits: Callable[[int], Path],
    tmp_path: Path,
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
        steps=150,
        device="cpu",
        report=lambda now: told.append(now.held_out_bits),
    )
    assert told[-1] < told[0]
    facts = card.metadata
    assert facts["bits_per_code"] < facts["bits_per_code_static"]
    codec = load(model, device="cpu")
    from sklearn.neighbors import KNeighborsClassifier

    judge = KNeighborsClassifier(3).fit(digits.reshape(len(digits), -1), labels)
    right = []
    for label in range(10):
        drawn = codec.sample(generator=output, label=label, count=20, seed=label)
        right.append((judge.predict(np.stack(drawn).reshape(20, -1)) == label).mean())
    # By chance a tenth; longer training does better, see docs/benchmarks.md.
    assert np.mean(right) > 0.15
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


def test_rows_and_grids() -> None:
    config = TransformerConfig(
        stages=2,
        codebook_size=9,
        positions=(2, 3),
        extent=(16, 24),
        classes=0,
        channels=8,
        depth=1,
        heads=2,
    )
    codes = torch.randint(9, (4, 2, 2, 3))
    row = to_row(codes)
    assert row.shape == (4, config.length)
    assert row[1, :4].tolist() == [int(codes[1, s, 0, x]) for x in (0, 1) for s in (0, 1)]
    assert torch.equal(from_row(row, config), codes)


def test_no_code_looks_ahead() -> None:
    network = CodeTransformer(
        stages=2, codebook_size=9, length=6, classes=3, channels=16, depth=2, heads=2
    ).eval()
    row, classes = torch.randint(9, (3, 6)), torch.tensor([0, 1, 3])
    before = network(row, classes)
    changed = row.clone()
    changed[:, 3] = (row[:, 3] + 1) % 9
    after = network(changed, classes)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_draws_follow_the_network() -> None:
    """The first code of many rows, against what the network says of it."""
    network = CodeTransformer(
        stages=1, codebook_size=5, length=2, classes=0, channels=16, depth=1, heads=2
    ).eval()
    chance = (torch.arange(5000) + 0.5)[:, None].div(5000).repeat(1, 2)
    nobody = torch.zeros(5000, dtype=torch.int64)
    drawn = network.draw(chance, nobody)
    share = torch.bincount(drawn[:, 0], minlength=5) / 5000
    wanted = network(drawn[:1], nobody[:1])[0, 0].softmax(-1)
    assert torch.allclose(share, wanted, atol=1e-3)
    colder = torch.bincount(network.draw(chance, nobody, temperature=0.1)[:, 0], minlength=5)
    assert colder.argmax() == wanted.argmax()
    assert colder.max() / 5000 > wanted.max()


def test_top_p_leaves_out_what_is_unlikely() -> None:
    shares = torch.tensor([[0.2, 0.5, 0.3]])
    drawn = {
        top_p: {int(_pick(shares, torch.tensor([c]), top_p)) for c in (0.0, 0.3, 0.6, 0.9, 0.999)}
        for top_p in (1.0, 0.8, 0.5, 1e-6)
    }
    assert drawn == {1.0: {0, 1, 2}, 0.8: {1, 2}, 0.5: {1}, 1e-6: {1}}


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
    with pytest.raises(InputError, match="from pictures alone"):
        train_generator(tmp_path, output, model="speech")


def test_parts_of_a_folder(photos: list[Pixels], tiny_path: Path, tmp_path: Path) -> None:
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
        steps=3,
    )
    assert card.metadata["signals"] == 2 * 13 * 20
    (drawn,) = load(tiny_path).sample(generator=card.path, label=1, seed=1)
    assert drawn.shape == (32, 32, 3)


@pytest.mark.parametrize("change", [{"channels": 9}, {"positions": [70, 70]}, {"depth": 0}])
def test_absurd_configurations_are_refused(change: dict[str, object]) -> None:
    import json

    sound = {
        "kind": "transformer",
        "stages": 1,
        "codebook_size": 64,
        "positions": [8],
        "extent": [28, 28],
        "classes": 10,
        "channels": 128,
        "depth": 4,
        "heads": 4,
    }
    assert TransformerConfig.from_text(json.dumps(sound)).length == 8
    with pytest.raises(BadModelError):
        TransformerConfig.from_text(json.dumps(sound | change))
