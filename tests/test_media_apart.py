"""A medium is one folder and a name in the registry: nobody else knows it."""

import ast
import re

from sources import MODULES, ROOT, imported, named

from vqcodec.media.registry import MEDIA

# What names the media; and the signals that `import vqcodec` offers.
REGISTRY = "vqcodec.media.registry"
OFFERED = {
    *("vqcodec.media.picture.signal", "vqcodec.media.picture.rows"),
    *("vqcodec.media.sound.signal", "vqcodec.media.sound.blocks"),
    *("vqcodec.media.array.signal", "vqcodec.media.array.coder"),
    "vqcodec.media.field.signal",
    *("vqcodec.media.video.signal", "vqcodec.media.video.encoder", "vqcodec.media.video.player"),
}

# Each brings one medium to a host that knows no other.
PLUG_INS = "vqcodec.plugins"

# A medium's words stay in its folder, and so does its name; `make demo` is about pictures.
WORDS = re.compile(r"\b(pixels?|pictures?|images?|bpp|heights?|widths?)\b", re.IGNORECASE)
MOST_FILES_WITH_WORDS = 12
SPEAKS_OF_ONE_MEDIUM = {"vqcodec_cli.demo"}
# People train on arrays; what a model makes of them is a medium of its own.
NAMES_A_RECIPE = "vqcodec.media.field.recipes"

# Tests and tools that every medium brings its own examples to.
FOR_EVERY_MEDIUM = ("golden/making.py", "support/golden.py", "vqcodec/test_golden.py")


def medium_of(name: str) -> str | None:
    """The folder of a medium that a module is in: vqcodec.media.picture."""
    names = name.split(".")
    inside = names[:2] == ["vqcodec", "media"] and len(names) > 2 and names[2] in MEDIA
    return ".".join(names[:3]) if inside else None


def test_a_medium_is_reached_through_the_registry_alone() -> None:
    """Imports and names of modules in texts, which importlib takes, of a medium's own folder."""
    wrong = [
        f"{module.name}:{line} names {name}"
        for module in MODULES
        for name, line in [*imported(module), *named(module)]
        if (medium := medium_of(name)) is not None
        and medium_of(module.name) != medium
        and module.name != REGISTRY
        and module.part != PLUG_INS
        and not (module.name == "vqcodec" and name in OFFERED)
        and not (module.name == "vqcodec.vectors" and ".media.vector" in name)
    ]
    assert wrong == []


def test_the_registry_is_where_a_medium_is_named() -> None:
    """A medium's name, as code has it, stands in its folder and in the registry, nowhere else."""
    wrong = [
        f"{module.name}:{node.lineno} says {node.value!r}"
        for module in MODULES
        if module.name not in {REGISTRY, *SPEAKS_OF_ONE_MEDIUM, NAMES_A_RECIPE}
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant)
        and node.value in MEDIA
        and medium_of(module.name) != f"vqcodec.media.{node.value}"
    ]
    assert wrong == []


def test_the_words_of_a_medium_stay_in_its_folder() -> None:
    """Width of a network and `bpp` of the public face included: there is no need for many more."""
    speaking = [
        str(module.path.relative_to(ROOT))
        for module in MODULES
        if module.name.split(".")[0] == "vqcodec" and module.part not in {"vqcodec.media", PLUG_INS}
        if WORDS.search(module.path.read_text(encoding="utf-8"))
    ]
    assert len(speaking) <= MOST_FILES_WITH_WORDS, "\n".join(speaking)


def test_golden_files_are_made_and_tested_without_a_word_of_one_medium() -> None:
    for name in FOR_EVERY_MEDIUM:
        assert WORDS.findall((ROOT / "tests" / name).read_text(encoding="utf-8")) == [], name
