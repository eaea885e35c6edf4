"""What the packages offer by name: complete, sorted, documented, and really there."""

import ast
import functools
import importlib
import inspect
import re

import pytest
from sources import ROOT, Module, public_modules

import vqcodec
from vqcodec import errors

FOLDERS = ("vqcodec", "kernels/vqcodec_kernels", "cli/vqcodec_cli")

# The face of `import vqcodec` besides its errors; a name is added or removed here on purpose.
FACE = {
    *("Codec", "Picture", "PictureRows", "StreamInfo", "decode", "decode_file", "inspect", "load"),
    *("Sound", "SoundBlocks", "SoundDecoder", "SoundEncoder"),
    *("Array", "decode_array", "encode_array"),
    "Field",
    "vectors",
    *("Video", "VideoEncoder", "open_video"),
    *("add_model", "find_model", "list_models", "remove_model"),
}


def test_face_offers_what_it_promises() -> None:
    kinds = {name for name in errors.__all__ if inspect.isclass(getattr(errors, name))}
    assert set(vqcodec.__all__) == FACE | kinds
    assert list(vqcodec.__all__) == sorted(vqcodec.__all__)
    for name in vqcodec.__all__:
        assert getattr(vqcodec, name) is not None


def test_what_is_offered_is_listed_before_it_is_loaded() -> None:
    assert set(vqcodec.__all__) <= set(dir(vqcodec))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = vqcodec.no_such_name


# An empty `__init__.py` offers nothing.
SPEAKING = [module for module in public_modules() if module.tree.body]


@pytest.mark.parametrize("module", SPEAKING, ids=lambda module: module.name)
def test_names_of_a_module_are_there_and_documented(module: Module) -> None:
    loaded = importlib.import_module(module.name)
    assert loaded.__doc__, "a module says what it is"
    assert len(set(loaded.__all__)) == len(loaded.__all__)
    for public in loaded.__all__:
        value = getattr(loaded, public)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert inspect.getdoc(value), f"{module.name}.{public} has no docstring"


@pytest.mark.parametrize("module", SPEAKING, ids=lambda module: module.name)
def test_public_name_is_offered_or_shared_within_its_part(module: Module) -> None:
    kinds = (ast.FunctionDef, ast.ClassDef)
    public = {n.name for n in module.tree.body if isinstance(n, kinds) and n.name[0] != "_"}
    offered = set(importlib.import_module(module.name).__all__)
    hidden = {word for word in public - offered if not used_elsewhere(word, module)}
    assert hidden == set(), "underscore it, or put it into __all__"


def used_elsewhere(word: str, module: Module) -> bool:
    """Whether any file but the module's own says this word."""
    pattern = re.compile(rf"\b{word}\b")
    own = module.path.read_text(encoding="utf-8")
    return any(pattern.search(text) for text in source_texts() if text != own)


@functools.cache
def source_texts() -> list[str]:
    paths = [p for folder in (*FOLDERS, "tests", "bench") for p in (ROOT / folder).rglob("*.py")]
    return [path.read_text(encoding="utf-8") for path in paths]


@pytest.mark.parametrize("folder", FOLDERS)
def test_functions_stay_readable(folder: str) -> None:
    """Twice what is aimed at, so that the exception is possible and the rule is kept."""
    wrong = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        # A Triton kernel cannot be cut into functions as freely.
        limit = 120 if path.parent.name == "triton" else 60
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                # What a docstring explains at length is no burden.
                first = node.body[1 if ast.get_docstring(node) and node.body[1:] else 0]
                length = (node.end_lineno or 0) - first.lineno + 1
                if length > limit:
                    wrong.append(f"{path.name}: {node.name} has {length} lines")
    assert wrong == []
