"""The product's own source files, as names, paths and syntax trees, for tests that read them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["KNOWN", "MODULES", "ROOT", "Module", "imported", "named", "part_of", "public_modules"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "vqcodec_kernels": ROOT / "kernels/vqcodec_kernels",
    "vqcodec": ROOT / "vqcodec",
    "vqcodec_cli": ROOT / "cli/vqcodec_cli",
}


@dataclass(frozen=True)
class Module:
    """A source file: its dotted name, path and syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def part(self) -> str:
        """The unit that floors are made of: vqcodec.media, or a whole other package."""
        names = self.name.split(".")
        return ".".join(names[:2]) if names[0] == "vqcodec" else names[0]


def read_modules() -> list[Module]:
    modules = []
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = [package, *path.relative_to(folder).with_suffix("").parts]
            name = ".".join(parts).removesuffix(".__init__")
            modules.append(Module(name, path, ast.parse(path.read_text(encoding="utf-8"))))
    return modules


MODULES = read_modules()
KNOWN = {module.name for module in MODULES}


def public_modules() -> list[Module]:
    """The library's modules whose names are public; kernels in Triton have their own tests."""
    return [
        module
        for module in MODULES
        if not module.name.startswith("vqcodec_cli")
        and not any(part.startswith(("_", "triton")) for part in module.name.split("."))
    ]


def imported(module: Module) -> Iterator[tuple[str, int]]:
    """Every imported module with its line; relative imports resolved."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert node.module is not None
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole if whole in KNOWN else node.module), node.lineno


def named(module: Module) -> Iterator[tuple[str, int]]:
    """Every text in a module that is the name of one, or of a package, with its line."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and node.value in KNOWN:
            yield node.value, node.lineno


def part_of(name: str) -> str | None:
    names = name.split(".")
    if names[0] not in PACKAGES:
        return None
    return ".".join(names[:2]) if names[0] == "vqcodec" else names[0]
