"""The examples in docstrings: each says what happens, and the contracts and the face have one."""

import doctest
import importlib
import inspect
from pathlib import Path

import pytest
from sources import Module, public_modules

import vqcodec
import vqcodec_kernels

# Messages of errors are compared too: they are part of what an example shows.
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

# What others keep to when they add a medium, a workshop for it, a transform or a prior.
CONTRACTS = [
    ("vqcodec.media.base", "Medium"),
    ("vqcodec.media.workshop", "Workshop"),
    ("vqcodec.transforms.base", "Transform"),
    ("vqcodec.priors.base", "Prior"),
    ("vqcodec.bitstream.container", "Stream"),
]


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and no models but the built-in ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VQCODEC_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def with_examples() -> list[Module]:
    return [m for m in public_modules() if ">>> " in m.path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("module", with_examples(), ids=lambda module: module.name)
def test_examples_say_what_happens(module: Module) -> None:
    found = doctest.DocTestFinder().find(importlib.import_module(module.name), module.name)
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    said: list[str] = []
    for example in found:
        runner.run(example, out=said.append)
    assert runner.summarize(verbose=False).attempted > 0
    assert not said, "".join(said)


def face() -> list[tuple[str, str]]:
    """What the two packages offer by name, errors left out, which say it all by theirs."""
    return [
        (package.__name__, name)
        for package in (vqcodec, vqcodec_kernels)
        for name in package.__all__
        if not name.endswith("Error")
    ]


@pytest.mark.parametrize(("module", "name"), [*CONTRACTS, *face()])
def test_contracts_and_the_public_face_have_examples(module: str, name: str) -> None:
    documentation = inspect.getdoc(getattr(importlib.import_module(module), name)) or ""
    assert ">>> " in documentation
