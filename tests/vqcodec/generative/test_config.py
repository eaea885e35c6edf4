"""Configurations of learned priors: read without trust, told apart by their kind."""

import json

import pytest

from vqcodec.errors import BadModelError
from vqcodec.generative.config import RecurrentConfig, TransformerConfig, read_generator_config
from vqcodec.parts import as_text

_RECURRENT = {
    "kind": "recurrent",
    "stages": 1,
    "codebook_size": 64,
    "positions": [8],
    "extent": [28, 28],
    "classes": 10,
    "channels": 128,
    "depth": 4,
}
_TRANSFORMER = _RECURRENT | {"kind": "transformer", "heads": 4}


@pytest.mark.parametrize(
    ("sound", "kind"), [(_TRANSFORMER, TransformerConfig), (_RECURRENT, RecurrentConfig)]
)
def test_a_kind_is_read_as_it_was_written(sound: dict[str, object], kind: type) -> None:
    config = read_generator_config(json.dumps(sound))
    assert type(config) is kind
    assert config.length == 8
    assert read_generator_config(as_text(config.as_dict())) == config


@pytest.mark.parametrize("sound", [_TRANSFORMER, _RECURRENT], ids=lambda sound: sound["kind"])
@pytest.mark.parametrize(
    "change", [{"positions": [70, 70]}, {"depth": 0}, {"classes": -1}, {"width": 3}]
)
def test_absurd_configurations_are_refused(
    sound: dict[str, object], change: dict[str, object]
) -> None:
    with pytest.raises(BadModelError):
        read_generator_config(json.dumps(sound | change))


def test_heads_are_of_a_transformer_alone() -> None:
    with pytest.raises(BadModelError, match="4 heads do not divide a channels of 9"):
        read_generator_config(json.dumps(_TRANSFORMER | {"channels": 9}))
    with pytest.raises(BadModelError, match=r"unknown fields: .*heads"):
        read_generator_config(json.dumps(_RECURRENT | {"heads": 4}))
