"""The house as it is meant to stand: who imports whom, what stays light, what is never used."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "vqcodec_kernels": ROOT / "kernels/vqcodec_kernels",
    "vqcodec": ROOT / "vqcodec",
    "vqcodec_cli": ROOT / "cli/vqcodec_cli",
}

# From the ground up. A module imports its own part and lower floors, never its own floor.
FLOORS = [
    {"vqcodec_kernels"},
    {"vqcodec.errors"},
    {
        *("vqcodec.device", "vqcodec.processes", "vqcodec.transforms"),
        *("vqcodec.priors", "vqcodec.bitstream"),
    },
    {"vqcodec.quantizers", "vqcodec.media"},
    {"vqcodec.model"},
    {"vqcodec.payload", "vqcodec.rate"},
    {"vqcodec.tokenizer", "vqcodec.stream_info"},
    {"vqcodec.codec"},
    {"vqcodec"},
    {"vqcodec.training", "vqcodec.evaluation"},
    {"vqcodec_cli"},
]

# Parts take plain numbers; the configuration is for those who put parts together.
CONFIG_READERS = {
    *("vqcodec.model.network", "vqcodec.model.file", "vqcodec.model.tensors", "vqcodec.codec"),
    "vqcodec.tokenizer",
    *("vqcodec.training", "vqcodec"),
}

# What answers before torch has been imported, and stays usable where there is none.
WITHOUT_TORCH = [
    *(
        "vqcodec",
        "vqcodec.errors",
        "vqcodec.model.config",
        "vqcodec.media.picture.metrics",
        "vqcodec.bitstream",
    ),
    *(
        "vqcodec.priors",
        "vqcodec.media.picture.image",
        "vqcodec.model.catalog",
        "vqcodec.model.file",
    ),
    *("vqcodec.evaluation", "vqcodec_cli.main", "vqcodec_kernels.errors"),
]

# Names that run code from a file, or hide what was meant.
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
FORBIDDEN_CALLS = {"torch.load", "torch.save", "eval", "exec", "yaml.load"}
VAGUE_NAMES = {"utils.py", "util.py", "common.py", "misc.py", "helpers.py"}


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


def part_of(name: str) -> str | None:
    names = name.split(".")
    if names[0] not in PACKAGES:
        return None
    return ".".join(names[:2]) if names[0] == "vqcodec" else names[0]


def floor_of(part: str) -> int:
    return next((number for number, floor in enumerate(FLOORS) if part in floor), -1)


def test_every_part_has_a_floor() -> None:
    homeless = {module.part for module in MODULES if floor_of(module.part) < 0}
    assert homeless == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_imports_run_down_only(module: Module) -> None:
    wrong = []
    for name, line in imported(module):
        part = part_of(name)
        if part is None or part == module.part:
            continue
        if not floor_of(part) < floor_of(module.part):
            wrong.append(f"{module.path.name}:{line} imports {name}")
        if part == "vqcodec.model.config" and module.part not in CONFIG_READERS:
            wrong.append(f"{module.path.name}:{line} reads the configuration")
    assert wrong == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_imports_are_absolute_and_of_public_names(module: Module) -> None:
    wrong = []
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            wrong.append(f"line {node.lineno}: relative import")
        other = part_of(node.module or "")
        if other is not None and other != module.part:
            wrong += [
                f"line {node.lineno}: {alias.name} is private to {other}"
                for alias in node.names
                if alias.name.startswith("_") and not alias.name.startswith("__")
            ]
    assert wrong == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_nothing_runs_code_from_files(module: Module) -> None:
    names = {name.split(".")[0] for name, _ in imported(module)}
    assert names & FORBIDDEN_IMPORTS == set()
    calls = {ast.unparse(n.func) for n in ast.walk(module.tree) if isinstance(n, ast.Call)}
    assert calls & FORBIDDEN_CALLS == set()
    pickled = [
        ast.unparse(keyword)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "allow_pickle"
    ]
    assert pickled == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_no_error_is_swallowed_wholesale(module: Module) -> None:
    broad = [
        node.lineno
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        and ast.unparse(node.body[-1]) != "raise"
    ]
    assert broad == []


def test_triton_stays_on_the_ground_floor() -> None:
    users = {m.part for m in MODULES for name, _ in imported(m) if name.split(".")[0] == "triton"}
    assert users <= {"vqcodec_kernels"}


def test_no_file_has_a_vague_name() -> None:
    assert [str(module.path) for module in MODULES if module.path.name in VAGUE_NAMES] == []


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_import_is_light(name: str) -> None:
    code = (
        f"import sys, {name}; "
        "print([m for m in ('torch', 'triton', 'rich', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_coding_a_picture_loads_no_compiler() -> None:
    """Some functions of torch bring its compiler along, half a second that nothing here needs."""
    code = (
        "import sys, numpy, vqcodec; "
        "codec = vqcodec.load('photo', device='cpu'); "
        "data = codec.encode(numpy.zeros((24, 40, 3), numpy.uint8), quality=50); "
        "assert vqcodec.decode(data).shape == (24, 40, 3); "
        "print([m for m in ('torch._dynamo', 'torch._inductor', 'sympy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_sources_name_no_place_of_one_machine() -> None:
    wrong = [
        str(module.path)
        for module in MODULES
        if re.search(r"/(home|root|work|Users)/", module.path.read_text(encoding="utf-8"))
    ]
    assert wrong == []
