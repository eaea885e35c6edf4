"""The golden files of every medium: `tests/golden/NAME/`, as its README says."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

__all__ = ["GOLDEN", "Golden", "named"]

_FOLDER = Path(__file__).parents[1] / "golden"


@dataclass(frozen=True)
class Golden:
    """The golden files of one medium, and what its manifest says of each."""

    folder: Path

    @property
    def model(self) -> Path:
        """The tiny model that wrote the valid streams."""
        return self.folder / "tiny.safetensors"

    @cached_property
    def manifest(self) -> dict[str, Any]:
        manifest: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return manifest

    def stream(self, group: str, name: str) -> bytes:
        """The bytes of a stream of "valid", "damaged" or "built_in"."""
        return (self.folder / group / f"{name}.vqc").read_bytes()

    @property
    def built_in_models(self) -> list[str]:
        """Names of the built-in models that have files here."""
        return sorted({entry["model"] for entry in self.manifest["built_in"].values()})

    def built_in(self, model: str) -> dict[str, dict[str, Any]]:
        """What the manifest says of the files of a built-in model, by their names."""
        entries = self.manifest["built_in"].items()
        return {name: entry for name, entry in entries if entry["model"] == model}


GOLDEN = {path.parent.name: Golden(path.parent) for path in sorted(_FOLDER.glob("*/manifest.json"))}


def named(group: str) -> list[tuple[str, str]]:
    """Every (medium, name of a stream) of a group."""
    return [(medium, name) for medium, golden in GOLDEN.items() for name in golden.manifest[group]]
