"""The kernels are a package of their own, and say the same of themselves as the whole does."""

import re
import sys
import tomllib
from typing import Any

import pytest
from sources import MODULES, ROOT, Module, imported

KERNELS = [module for module in MODULES if module.name.split(".")[0] == "vqcodec_kernels"]
INTEGRATIONS = "vqcodec_kernels.integrations."


def read(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))


WHOLE, PART = read("pyproject.toml"), read("kernels/pyproject.toml")


@pytest.mark.parametrize("key", ["version", "requires-python", "license", "license-files"])
def test_facts_agree(key: str) -> None:
    assert PART["project"][key] == WHOLE["project"][key]


def test_both_are_built_alike() -> None:
    assert PART["build-system"] == WHOLE["build-system"]
    for key in ("minimum-version", "cmake.build-type"):
        names = key.split(".")
        one, other = PART["tool"]["scikit-build"], WHOLE["tool"]["scikit-build"]
        for name in names:
            one, other = one[name], other[name]
        assert one == other


def test_dependencies_agree() -> None:
    needed = PART["project"]["dependencies"]
    assert {re.split(r"\W", need)[0] for need in needed} == {"numpy", "torch"}
    assert set(needed) <= set(WHOLE["project"]["dependencies"])
    for name, extra in PART["project"]["optional-dependencies"].items():
        assert WHOLE["project"]["optional-dependencies"][name] == extra


def test_both_wheels_hold_the_package() -> None:
    assert PART["tool"]["scikit-build"]["wheel"]["packages"] == ["vqcodec_kernels"]
    assert "kernels/vqcodec_kernels" in WHOLE["tool"]["scikit-build"]["wheel"]["packages"]
    assert (ROOT / "kernels/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    # A link out of the folder leads nowhere in a source distribution.
    assert not (ROOT / "kernels/LICENSE").is_symlink()


@pytest.mark.parametrize("module", KERNELS, ids=lambda module: module.name)
def test_imports_nothing_but_numpy_torch_and_triton(module: Module) -> None:
    allowed = {"vqcodec_kernels", "numpy", "torch", "triton", *sys.stdlib_module_names}
    if module.name.startswith(INTEGRATIONS):
        allowed.add(module.name.removeprefix(INTEGRATIONS))
    assert {name.split(".")[0] for name, _ in imported(module)} - allowed == set()


def test_only_an_integration_imports_integrations() -> None:
    wrong = [
        module.name
        for module in MODULES
        for name, _ in imported(module)
        if name.startswith(INTEGRATIONS) and not module.name.startswith(INTEGRATIONS)
    ]
    assert wrong == []
