"""The house as it is meant to stand: who imports whom, what stays light, what is never used."""

import ast
import re
import subprocess
import sys

import pytest
from sources import MODULES, ROOT, Module, imported, part_of

from vqcodec.media.registry import MEDIA, WITHOUT_MODEL
from vqcodec_cli.main import COMMANDS

# From the ground up. A module imports its own part and lower floors, never its own floor.
FLOORS = [
    {"vqcodec_kernels"},
    {"vqcodec.errors"},
    {"vqcodec.remote"},
    {
        *("vqcodec.content", "vqcodec.files", "vqcodec.grid", "vqcodec.parts", "vqcodec.bitstream"),
        *("vqcodec.choices", "vqcodec.device", "vqcodec.processes"),
    },
    {"vqcodec.transforms", "vqcodec.quantizers", "vqcodec.priors", "vqcodec.workers"},
    {"vqcodec.model", "vqcodec.rate"},
    {"vqcodec.pieces", "vqcodec.scale", "vqcodec.generative"},
    {"vqcodec.media", "vqcodec.tokenizer", "vqcodec.payload"},
    {"vqcodec.decoding", "vqcodec.many", "vqcodec.signal_tokenizer"},
    {"vqcodec.encoding"},
    {"vqcodec.sampling"},
    {"vqcodec.codec", "vqcodec.stream_info", "vqcodec.vectors"},
    {"vqcodec.recent", "vqcodec.stream_places"},
    {"vqcodec.batch", "vqcodec.dataset", "vqcodec.decoded_file", "vqcodec.live"},
    {"vqcodec.plugins", "vqcodec.ray"},
    {"vqcodec"},
    {"vqcodec.training", "vqcodec.evaluation"},
    {"vqcodec.report"},
    {"vqcodec_cli"},
]

# Parts take plain numbers; configurations are for those who put parts together.
CONFIG_READERS = {"vqcodec.generative", "vqcodec.model", "vqcodec.media", "vqcodec.training"}

# What help, `info`, `verify` and most refusals need: it is there before NumPy could be.
AT_ONCE = [
    *("vqcodec", "vqcodec.errors", "vqcodec.files", "vqcodec.grid", "vqcodec.parts"),
    *("vqcodec.bitstream", "vqcodec.stream_info", "vqcodec.model.config", "vqcodec_kernels"),
    *("vqcodec.transforms.config", "vqcodec.quantizers.config", "vqcodec.rate.target"),
    *("vqcodec.media.registry", "vqcodec.media.base", "vqcodec.media.workshop"),
    *(f"{package}.medium" for package in MEDIA.values()),
    *("vqcodec_cli.main", *(f"vqcodec_cli.commands.{name.replace('-', '_')}" for name in COMMANDS)),
]

# What answers before torch has been imported, and stays usable where there is none.
WITHOUT_TORCH = [
    *("vqcodec.model.file", "vqcodec.model.catalog", "vqcodec.priors", "vqcodec.payload"),
    *("vqcodec_kernels.entropy", "vqcodec.evaluation", "vqcodec.plugins.pillow"),
    *("vqcodec.plugins.zarr", "vqcodec.plugins.numcodecs"),
    *(f"{package}.workshop" for name, package in MEDIA.items() if name not in WITHOUT_MODEL),
]

LONGEST_FILE = 300

# Names that run code from a file, or hide what was meant.
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
FORBIDDEN_CALLS = {"torch.load", "torch.save", "eval", "exec", "yaml.load"}
VAGUE_NAMES = {"utils.py", "util.py", "common.py", "misc.py", "helpers.py"}


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
    assert wrong == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_configurations_are_read_by_those_who_put_parts_together(module: Module) -> None:
    readers = [name for name, _ in imported(module) if name.endswith(".config")]
    assert module.part in CONFIG_READERS or readers == []


def test_the_format_depends_on_nothing_but_its_errors() -> None:
    own = [module for module in MODULES if module.part == "vqcodec.bitstream"]
    others = {part_of(name) for module in own for name, _ in imported(module)}
    assert others - {None, "vqcodec.bitstream"} == {"vqcodec.errors"}


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


def test_triton_stays_in_its_folder() -> None:
    users = {m.name for m in MODULES for name, _ in imported(m) if name.split(".")[0] == "triton"}
    assert users
    assert [name for name in users if not name.startswith("vqcodec_kernels.search.triton.")] == []


def test_no_file_has_a_vague_name() -> None:
    assert [str(module.path) for module in MODULES if module.path.name in VAGUE_NAMES] == []


def test_no_file_of_the_product_is_long() -> None:
    """Half as much again as is aimed at, so that the exception is possible and the rule is kept."""
    sources = [
        p for p in (ROOT / "kernels/csrc").rglob("*") if p.suffix in {".cpp", ".hpp", ".inl"}
    ]
    assert sources
    lines = {p: p.read_text("utf-8").count("\n") for p in [*sources, *(m.path for m in MODULES)]}
    assert {str(path): count for path, count in lines.items() if count > LONGEST_FILE} == {}


@pytest.mark.parametrize("name", [*AT_ONCE, *WITHOUT_TORCH])
def test_import_is_light(name: str) -> None:
    slow = ("torch", "triton", "rich", "matplotlib", *(["numpy", "PIL"] if name in AT_ONCE else []))
    code = f"import sys, {name}; print([m for m in {slow} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


QUICK = {"vqcodec": 50, "vqcodec_kernels": 50, "vqcodec_cli.main": 150}


@pytest.mark.parametrize(("name", "most"), QUICK.items())
def test_import_is_quick(name: str, most: int) -> None:
    """In milliseconds of the processor, the best of several: of a busy machine, too."""
    code = f"import time; t = time.process_time(); import {name}; print(time.process_time() - t)"
    best = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(7)
    )
    assert 1000 * best < most


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
