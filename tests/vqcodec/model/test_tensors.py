"""From tensors in a file to a model that runs, and back; what does not fit is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import tiny_config

from vqcodec.codec import Codec, load
from vqcodec.errors import BadModelError
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.model.file import Tensors, read_model, write_model
from vqcodec.model.network import VQVAE
from vqcodec.model.tensors import (
    network_from_tensors,
    network_tensors,
    prior_tensors,
    priors_from_tensors,
)
from vqcodec.priors import StaticPrior
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.transforms.config import DenseAnalysisConfig, DenseSynthesisConfig


@pytest.fixture
def tensors(tiny_path: Path) -> Tensors:
    return read_model(tiny_path)[1]


def saved(tmp_path: Path, config: ModelConfig, tensors: Tensors) -> Path:
    """Write a file whose fingerprint is right, whatever it holds."""
    path = tmp_path / "odd.safetensors"
    write_model(path, "odd", config, tensors, {})
    return path


def test_network_round_trip_keeps_half_precision(
    small_config: ModelConfig, started_model: VQVAE, tmp_path: Path
) -> None:
    model = started_model
    tensors = network_tensors(model)
    again = network_from_tensors(small_config, tensors, tmp_path)
    for name, tensor in again.state_dict().items():
        wanted = model.state_dict()[name]
        if name.endswith(("basis", "scale", "share", "residual_energy")):
            assert torch.equal(tensor, wanted), name
        elif not name.endswith("sums"):
            assert torch.equal(tensor, wanted.half().float()), name
    for book in again.quantizer.books():
        torch.testing.assert_close(book.sums, book.vectors * book.share[:, None])
    assert network_tensors(again).keys() == tensors.keys()
    for name, array in network_tensors(again).items():
        np.testing.assert_array_equal(array, tensors[name])


@pytest.mark.parametrize("name", ["codebooks", "search.share"])
def test_stages_that_the_configuration_does_not_have(
    small_config: ModelConfig, tensors: Tensors, tmp_path: Path, name: str
) -> None:
    tensors[name] = np.concatenate([tensors[name], tensors[name][-1:]])
    with pytest.raises(BadModelError, match=f"{name} is .*5 stages"):
        network_from_tensors(small_config, tensors, tmp_path)


def test_model_that_was_read_does_not_learn(small_config: ModelConfig, tensors: Tensors) -> None:
    model = network_from_tensors(small_config, tensors, Path())
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_priors_round_trip(small_config: ModelConfig, tensors: Tensors) -> None:
    priors = priors_from_tensors(small_config, tensors, Path())
    assert sorted(priors) == [1, 2]
    for prior in priors.values():
        for name, array in prior_tensors(prior).items():
            np.testing.assert_array_equal(array, tensors[name])


def test_a_model_without_priors_still_codes(
    small_config: ModelConfig, tensors: Tensors, tmp_path: Path, photo: np.ndarray
) -> None:
    bare = {name: tensor for name, tensor in tensors.items() if not name.startswith("prior.")}
    codec = load(saved(tmp_path, small_config, bare), device="cpu")
    wanted = load(saved(tmp_path, small_config, tensors), device="cpu")
    data = codec.encode(photo)
    assert len(data) > len(wanted.encode(photo))
    np.testing.assert_array_equal(codec.decode(data), wanted.decode(wanted.encode(photo)))


NEEDED = [
    "analysis.enter.weight",
    "analysis.scale",
    "synthesis.leave.bias",
    "synthesis.basis",
    "codebooks",
    "search.share",
    "search.residual_energy",
    "search.mu",
]


@pytest.mark.parametrize("name", NEEDED)
def test_missing_tensor(
    small_config: ModelConfig, tensors: Tensors, tmp_path: Path, name: str
) -> None:
    del tensors[name]
    with pytest.raises(BadModelError, match=r"odd\.safetensors: holds no"):
        load(saved(tmp_path, small_config, tensors), device="cpu")


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("change", ["more", "fewer", "another axis", "no axis"])
def test_wrong_shape(
    small_config: ModelConfig, tensors: Tensors, tmp_path: Path, name: str, change: str
) -> None:
    tensor = np.atleast_1d(tensors[name])
    tensors[name] = {
        "more": np.concatenate([tensor, tensor], axis=-1),
        "fewer": tensor[..., :-1],
        "another axis": tensor[None, None],
        "no axis": tensor.flat[0:1].reshape(()) if tensors[name].ndim else tensor,
    }[change]
    with pytest.raises(BadModelError):
        load(saved(tmp_path, small_config, tensors), device="cpu")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("analysis.scale", 0.0),
        ("synthesis.scale", -1.0),
        ("search.share", -0.5),
        ("search.residual_energy", -1e-3),
        ("search.mu", -0.1),
    ],
)
def test_values_that_make_no_sense(
    small_config: ModelConfig, tensors: Tensors, tmp_path: Path, name: str, value: float
) -> None:
    tensors[name] = np.full_like(tensors[name], value)
    with pytest.raises(BadModelError, match=name.split(".")[1]):
        load(saved(tmp_path, small_config, tensors), device="cpu")


ABSURD = {
    "wide": tiny_config(width=4096, latent_dim=192, stages=64, codebook_size=4096),
    "deep": tiny_config(width=4096, depth=256),
    "dense": ModelConfig(
        medium=MediumConfig(kind="picture", channels=4),
        analysis=DenseAnalysisConfig(hidden=4096),
        synthesis=DenseSynthesisConfig(
            extent=(1024, 1024), count=16384, latent_dim=1024, hidden=4096
        ),
        quantizer=QuantizerConfig(stages=64, codebook_size=4096),
        region=(16384,),
    ),
}


@pytest.mark.parametrize("config", ABSURD.values(), ids=ABSURD.keys())
def test_absurd_configuration_is_refused_before_memory_is_taken(
    config: ModelConfig, tensors: Tensors, tmp_path: Path
) -> None:
    """The largest of these would take terabytes."""
    with pytest.raises(BadModelError):
        load(saved(tmp_path, config, tensors), device="cpu")


@pytest.mark.parametrize(("stages", "size"), [(4, 32), (6, 32), (5, 64), (5, 16)])
def test_prior_of_another_quantizer(
    small_config: ModelConfig, tensors: Tensors, tmp_path: Path, stages: int, size: int
) -> None:
    other = StaticPrior.fit([np.zeros((stages, 2, 2), np.int64)], codebook_size=size)
    tensors |= prior_tensors(other)
    with pytest.raises(BadModelError, match="static"):
        load(saved(tmp_path, small_config, tensors), device="cpu")


def test_prior_with_tables_that_contradict_each_other(
    small_config: ModelConfig, tensors: Tensors, tmp_path: Path
) -> None:
    tensors["prior.static.frequencies"] = tensors["prior.static.frequencies"] // 2
    with pytest.raises(BadModelError, match="frequencies"):
        load(saved(tmp_path, small_config, tensors), device="cpu")


def test_what_the_encoder_alone_uses_may_change(
    small_config: ModelConfig, tensors: Tensors, tmp_path: Path, codec: Codec, photo: np.ndarray
) -> None:
    """A better search writes other streams, which old decoders of the same model read."""
    tensors["search.mu"] = np.array(20.0, np.float32)
    other = load(saved(tmp_path, small_config, tensors), device="cpu")
    assert other.card.fingerprint == codec.card.fingerprint
    data = other.encode(photo)
    assert len(data) < len(codec.encode(photo))
    np.testing.assert_array_equal(codec.decode(data), other.decode(data))


@pytest.mark.parametrize("value", [-0.5, 4.5, [0.5, 0.5]])
def test_masking_that_makes_no_sense(
    small_config: ModelConfig, tensors: Tensors, tmp_path: Path, value: float | list[float]
) -> None:
    tensors["search.masking"] = np.array(value, np.float32)
    with pytest.raises(BadModelError, match=r"search\.masking must be 0 to 4"):
        load(saved(tmp_path, small_config, tensors), device="cpu")


def test_masking_is_searched_with(
    small_config: ModelConfig, tensors: Tensors, tmp_path: Path, photo: np.ndarray
) -> None:
    """A file without it is searched as with 0."""
    files = []
    for masking in (None, 0.0, 2.0):
        held = {} if masking is None else {"search.masking": np.array(masking, np.float32)}
        codec = load(saved(tmp_path, small_config, tensors | held), device="cpu")
        files.append(codec.encode(photo))
    assert files[0] == files[1] != files[2]
