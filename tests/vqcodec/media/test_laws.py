"""Every medium, a made-up one of one axis among them, keeps the laws of tests/support/laws.py."""

from collections.abc import Callable
from typing import Any

import pytest
from laws import EXAMPLES, LAWS
from tiny import write_tiny

from vqcodec.codec import Codec, load
from vqcodec.errors import BadModelError, UnsupportedVersionError
from vqcodec.media.registry import (
    MEDIA,
    OWN_CODER,
    RECIPES,
    find_medium,
    list_media,
    medium_of_number,
)

REGISTERED = tuple(MEDIA)


@pytest.fixture(autouse=True)
def _sawtooth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the made-up medium: its folder, and a name."""
    monkeypatch.setitem(MEDIA, "sawtooth", "sawtooth")


@pytest.fixture(scope="module")
def codecs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Codec]:
    folder = tmp_path_factory.mktemp("models")
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MEDIA, "sawtooth", "sawtooth")
        for name, example in EXAMPLES.items():
            samples = example.samples()
            path = folder / f"{name}.safetensors"
            write_tiny(path, example.config, samples, list(samples), name=name)
            made[name] = load(path, device="cpu")
    return made


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(name: str, law: Callable[[Codec, Any], None], codecs: dict[str, Codec]) -> None:
    for signal in EXAMPLES[name].signals():
        law(codecs[name], signal)


def test_every_registered_medium_has_examples() -> None:
    assert set(REGISTERED) - OWN_CODER <= set(EXAMPLES)


def test_media_are_told_apart() -> None:
    media = list_media()
    assert [medium.name for medium in media] == list(MEDIA)
    assert len({medium.number for medium in media}) == len(media)
    # The others are told by a recipe, or by the model that is to encode them.
    told = {*RECIPES.values(), "field"}
    assert all(medium.axes and medium.formats for medium in media)
    assert all(bool(medium.suffixes) != (medium.name in told) for medium in media)
    suffixes = [suffix for medium in media for suffix in medium.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    for medium in media:
        assert find_medium(medium.name) is medium
        assert medium_of_number(medium.number) is medium


def test_a_medium_that_is_not_registered_is_refused(
    codecs: dict[str, Codec], monkeypatch: pytest.MonkeyPatch
) -> None:
    codec, signal = codecs["sawtooth"], EXAMPLES["sawtooth"].signals()[0]
    data = codec.encode(signal)
    monkeypatch.delitem(MEDIA, "sawtooth")
    with pytest.raises(UnsupportedVersionError, match="medium 9 needs a newer vqcodec"):
        codec.decode(data)
    with pytest.raises(BadModelError, match="no medium 'sawtooth'; there are picture"):
        load(codec.card.path, device="cpu")
