"""The configuration in a file of weights: read back equal, refused when it is absurd."""

import dataclasses
import json
from typing import Any

import pytest

from vqcodec.errors import BadModelError
from vqcodec.model.config import ModelConfig, QuantizerConfig, TransformConfig

DENSE = TransformConfig(kind="dense", stride=1, height=28, width=28, positions=8)

CONFIGS = {
    "default": ModelConfig(),
    "dense": ModelConfig(transform=DENSE, quantizer=QuantizerConfig(stages=1)),
    "smallest": ModelConfig(
        transform=TransformConfig(
            channels=1,
            latent_dim=1,
            analysis_width=1,
            synthesis_width=1,
            analysis_depth=0,
            synthesis_depth=0,
            stride=1,
        ),
        quantizer=QuantizerConfig(stages=1, codebook_size=1),
    ),
}


def changed(part: str, **fields: Any) -> str:
    """The default configuration as JSON, with some fields of a part replaced."""
    data = dataclasses.asdict(ModelConfig())
    data[part].update(fields)
    return json.dumps(data)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_json_round_trip(config: ModelConfig) -> None:
    assert ModelConfig.from_json(config.to_json()) == config


def test_json_is_canonical() -> None:
    text = ModelConfig().to_json()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    shuffled = dict(reversed(json.loads(text).items()))
    assert ModelConfig.from_json(json.dumps(shuffled)).to_json() == text


def test_missing_fields_have_their_defaults() -> None:
    text = json.dumps({"transform": {"latent_dim": 5}, "quantizer": {}})
    wanted = ModelConfig(transform=TransformConfig(latent_dim=5))
    assert ModelConfig.from_json(text) == wanted


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_a_later_field_is_written_only_where_it_is_used(
    config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of today's fields stand in for fields that a later version adds."""
    whole = json.loads(config.to_json())
    monkeypatch.setattr("vqcodec.model.config._LATER", ("positions", "stages"))
    written = json.loads(config.to_json())
    assert ModelConfig.from_json(config.to_json()) == config
    for part, name, default in [("transform", "positions", 0), ("quantizer", "stages", 10)]:
        value = whole[part].pop(name)
        assert written[part].pop(name, default) == value
        assert (name in config.to_json()) == (value != default)
    assert written == whole


NO_CONFIG = {
    "empty": "",
    "no JSON": "{",
    "deep": "[" * 100_000,
    "long number": '{"transform": ' + "1" * 5000 + ', "quantizer": 1}',
    "list": "[]",
    "null": "null",
    "string": '"transform"',
    "lacks quantizer": json.dumps({"transform": dataclasses.asdict(TransformConfig())}),
    "one more": json.dumps({**dataclasses.asdict(ModelConfig()), "prior": {}}),
    "part is a list": json.dumps({"transform": [], "quantizer": []}),
    "unknown field": json.dumps({"transform": {"dilation": 2}, "quantizer": {}}),
    "deep field": '{"transform": {"x": ' + "[" * 900 + "]" * 900 + '}, "quantizer": {}}',
}


@pytest.mark.parametrize("text", NO_CONFIG.values(), ids=NO_CONFIG.keys())
def test_what_is_no_configuration(text: str) -> None:
    with pytest.raises(BadModelError, match="configuration"):
        ModelConfig.from_json(text)


@pytest.mark.parametrize("value", [-1, 2**63, 1.0, 1e400, "8", None, True, [8], {}])
@pytest.mark.parametrize("name", ["channels", "stride", "latent_dim", "analysis_width", "height"])
def test_field_of_a_wrong_kind_or_size(name: str, value: object) -> None:
    with pytest.raises(BadModelError, match=name):
        ModelConfig.from_json(changed("transform", **{name: value}))


@pytest.mark.parametrize(
    "name", ["channels", "stride", "latent_dim", "analysis_width", "synthesis_width"]
)
def test_nothing_of_what_a_network_is_made_of(name: str) -> None:
    with pytest.raises(BadModelError, match=name):
        ModelConfig.from_json(changed("transform", **{name: 0}))


@pytest.mark.parametrize("name", ["stages", "codebook_size"])
def test_nothing_of_what_a_quantizer_is_made_of(name: str) -> None:
    with pytest.raises(BadModelError, match=name):
        ModelConfig.from_json(changed("quantizer", **{name: 0}))


@pytest.mark.parametrize("name", ["height", "width", "positions"])
def test_dense_network_without_a_size(name: str) -> None:
    data = {
        "transform": {**dataclasses.asdict(DENSE), name: 0},
        "quantizer": dataclasses.asdict(QuantizerConfig()),
    }
    with pytest.raises(BadModelError, match=name):
        ModelConfig.from_json(json.dumps(data))


def test_more_latent_dimensions_than_a_patch_has_samples() -> None:
    with pytest.raises(BadModelError, match="latent_dim"):
        ModelConfig.from_json(changed("transform", latent_dim=193))
    assert ModelConfig.from_json(changed("transform", latent_dim=192)).transform.latent_dim == 192


@pytest.mark.parametrize("kind", ["convolutionel", "", None, 0, ["dense"]])
def test_unknown_kind(kind: object) -> None:
    with pytest.raises(BadModelError, match="kind"):
        ModelConfig.from_json(changed("transform", kind=kind))


def test_message_does_not_repeat_a_huge_value() -> None:
    with pytest.raises(BadModelError) as caught:
        ModelConfig.from_json(changed("transform", stride="8" * 100_000))
    assert len(str(caught.value)) < 500
