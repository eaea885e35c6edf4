"""The configuration in a file of weights: read back equal, refused when it is absurd."""

import dataclasses
import json
from typing import Any, ClassVar

import pytest
from tiny import tiny_config

from vqcodec.errors import BadModelError, InputError
from vqcodec.model import config as module
from vqcodec.model.config import MediumConfig, ModelConfig
from vqcodec.model.file import read_model
from vqcodec.parts import whole
from vqcodec.quantizers.config import QuantizerConfig
from vqcodec.transforms.config import (
    ConvolutionalAnalysisConfig,
    ConvolutionalSynthesisConfig,
    DenseAnalysisConfig,
    DenseSynthesisConfig,
)

PLANE = tiny_config()
DENSE = ModelConfig(
    medium=MediumConfig(kind="picture", channels=1),
    analysis=DenseAnalysisConfig(hidden=256),
    synthesis=DenseSynthesisConfig(extent=(28, 28), count=8, latent_dim=16, hidden=256),
    quantizer=QuantizerConfig(stages=1, codebook_size=64),
    region=(8,),
)
SOUND = dataclasses.replace(
    tiny_config(medium="sound", channels=1, stride=(320,), latent_dim=64, region=375),
    medium=MediumConfig(kind="sound", channels=1, numbers={"rate": 24000}),
)
CONFIGS = {
    "plane": PLANE,
    "dense": DENSE,
    "one axis": SOUND,
    "three axes": tiny_config(stride=(2, 4, 4), region=32),
    "smallest": tiny_config(
        channels=1, stride=(1,), latent_dim=1, width=1, depth=0, stages=1, codebook_size=1, region=1
    ),
}


def changed(part: str, **fields: Any) -> str:
    """The configuration of the plane as JSON, with some fields of a part replaced."""
    data = json.loads(PLANE.to_text())
    data[part].update(fields)
    return json.dumps(data)


def read(text: str, analysis: str = PLANE.analysis_text()) -> ModelConfig:
    return ModelConfig.from_text(text, analysis)


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_text_round_trip(config: ModelConfig) -> None:
    assert ModelConfig.from_text(config.to_text(), config.analysis_text()) == config


def test_the_text_is_as_documented() -> None:
    assert SOUND.to_text() == (
        '{"medium":{"channels":1,"kind":"sound","rate":24000},'
        '"quantizer":{"codebook_size":32,"kind":"residual","stages":5},"region":[375],'
        '"synthesis":{"depth":1,"kind":"convolutional","latent_dim":64,"stride":[320],"width":12}}'
    )
    assert SOUND.analysis_text() == '{"depth":1,"kind":"convolutional","width":12}'


NO_CONFIG = {
    "empty": "",
    "no JSON": "{",
    "deep": "[" * 100_000,
    "list": "[]",
    "lacks the quantizer": json.dumps({"medium": {}, "synthesis": {}, "region": []}),
    "one more": json.dumps(json.loads(PLANE.to_text()) | {"prior": {}}),
}


@pytest.mark.parametrize("text", NO_CONFIG.values(), ids=NO_CONFIG.keys())
def test_what_is_no_configuration(text: str) -> None:
    with pytest.raises(BadModelError, match="configuration"):
        read(text)


@pytest.mark.parametrize("text", ["", "[]", '{"kind":"convolutional"}', '{"width":8,"depth":1}'])
def test_what_is_no_analysis(text: str) -> None:
    with pytest.raises(BadModelError, match="analysis"):
        read(PLANE.to_text(), text)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": 5}, "a kind"),
        ({"channels": 0}, "channels"),
        ({"channels": 257}, "channels"),
        ({"channels": None}, "channels"),
        ({"rate": -1}, "rate"),
        ({"rate": 2**32}, "rate"),
        ({"rate": 1.5}, "rate"),
        ({"rate": True}, "rate"),
    ],
)
def test_what_is_no_medium(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(BadModelError, match=f"medium.*{says}"):
        read(changed("medium", **fields))


@pytest.mark.parametrize("region", [[], [0, 1], [1, 65537], [1.0, 1], 128, None, [128], [1] * 3])
def test_what_is_no_region(region: object) -> None:
    data = json.loads(PLANE.to_text()) | {"region": region}
    with pytest.raises(BadModelError, match="region"):
        read(json.dumps(data))


def test_a_region_is_laid_out_at_once_and_therefore_bounded() -> None:
    assert read(json.dumps(json.loads(PLANE.to_text()) | {"region": [1024, 1024]}))
    data = json.loads(PLANE.to_text()) | {"region": [1024, 1025]}
    with pytest.raises(BadModelError, match="at most 1048576 positions"):
        read(json.dumps(data))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"extent": [65536] * 4}, "samples"),
        ({"count": 65536, "latent_dim": 1024}, "latent numbers"),
    ],
)
def test_a_dense_model_is_for_small_signals(fields: dict[str, Any], says: str) -> None:
    data = json.loads(DENSE.to_text())
    data["synthesis"] |= fields
    with pytest.raises(BadModelError, match=f"at most 16777216 {says}"):
        ModelConfig.from_text(json.dumps(data), DENSE.analysis_text())


def test_more_latent_dimensions_than_a_patch_has_samples() -> None:
    with pytest.raises(BadModelError, match="latent_dim 193 is more than the 192 samples"):
        read(changed("synthesis", latent_dim=193))
    assert read(changed("synthesis", latent_dim=192)).synthesis.latent_dim == 192


def test_a_patch_is_not_huge() -> None:
    with pytest.raises(BadModelError, match="a patch has at most 65536 samples, is 3000000"):
        read(changed("synthesis", stride=[1000, 1000]))


def test_a_convolution_has_at_most_three_axes() -> None:
    data = json.loads(changed("synthesis", stride=[2, 2, 2, 2])) | {"region": [8] * 4}
    with pytest.raises(BadModelError, match="1 to 3 axes"):
        read(json.dumps(data))


def test_parts_of_two_kinds_do_not_go_together() -> None:
    with pytest.raises(BadModelError, match=r"'dense' does not go with .*'convolutional'"):
        read(PLANE.to_text(), DENSE.analysis_text())


def test_positions_and_regions() -> None:
    assert PLANE.positions((1100, 2047)) == (138, 256)
    assert len(PLANE.regions((1100, 2047))) == 4
    assert SOUND.positions((24001,)) == (76,)
    assert DENSE.positions((28, 28)) == (8,)
    assert DENSE.regions((28, 28)) == [(slice(0, 8),)]
    for config, extent in [(PLANE, (5,)), (PLANE, (0, 5)), (DENSE, (28, 27)), (SOUND, (5, 5))]:
        with pytest.raises(InputError, match="the model is for signals"):
            config.positions(extent)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LaterSynthesisConfig(ConvolutionalSynthesisConfig):
    """As a later version has it: with one more field, whose default means "as before"."""

    kind: ClassVar[str] = "convolutional"
    dilation: int = whole(1, 8, default=1)


def test_a_later_field_leaves_every_older_file_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    from vqcodec.model.catalog import list_models

    before = [card for card in list_models() if card.name in ("photo", "photo-psnr")]
    assert len(before) >= 2
    monkeypatch.setattr(module, "SYNTHESES", [LaterSynthesisConfig])
    for old in before:
        card, _ = read_model(old.path)
        assert card.fingerprint == old.fingerprint
        assert isinstance(card.config.synthesis, LaterSynthesisConfig)
        assert card.config.synthesis.dilation == 1


def test_a_deeper_analysis_alone_is_no_other_configuration() -> None:
    deeper = dataclasses.replace(PLANE, analysis=ConvolutionalAnalysisConfig(width=64, depth=9))
    assert deeper != PLANE
    assert deeper.to_text() == PLANE.to_text()
