"""What is installed on this machine and whether it works: what a report of a defect needs."""

import os
import platform
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import vqcodec
from vqcodec.errors import BackendError, BadModelError
from vqcodec.model.catalog import model_folders
from vqcodec.model.file import read_card

# Extras for those who work on vqcodec itself.
_NOT_FOR_USERS = ("test", "check", "docs")


def examine(environment: Iterable[str]) -> dict[str, Any]:
    """Everything by name, as JSON can hold it; `problems` are sentences on what does not work.

    environment: names of the variables that matter.
    """
    from vqcodec.evaluation.machine import processor, source_commit

    problems: list[str] = []
    return {
        "vqcodec": vqcodec.__version__,
        "commit": source_commit(),
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "usable_cores": _usable_cores(),
        **_kernels(problems),
        **_torch(problems),
        "models": _models(problems),
        "folders": _folders(problems),
        "packages": _packages(_requirements()),
        "environment": {name: os.environ[name] for name in environment if name in os.environ},
        "problems": problems,
    }


def _usable_cores() -> int | None:
    """Cores that this process may use, where the system says that."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _kernels(problems: list[str]) -> dict[str, Any]:
    """Instruction sets that the search in C++ has here, best first, and the one that is used."""
    try:
        import vqcodec_kernels.entropy.symbols  # noqa: F401, the other half of what is built
        from vqcodec_kernels.errors import BackendError as KernelsError
        from vqcodec_kernels.search.level import LEVELS, level_name
    except ImportError as error:
        problems.append(f"the kernels are not built: {error}")
        return {"cpu_levels": [], "cpu_level": None}
    try:
        level = level_name(None) or "best for the size"
    except KernelsError as error:
        problems.append(f"$VQCODEC_CPU_LEVEL: {error}")
        level = None
    return {"cpu_levels": list(LEVELS), "cpu_level": level}


def _torch(problems: list[str]) -> dict[str, Any]:
    """Torch's version, its threads, and the GPUs that it sees."""
    try:
        import torch

        from vqcodec.device import find_device
    except ImportError as error:
        problems.append(f"torch cannot be imported: {error}")
        return {"torch": None, "torch_threads": None, "cuda": None, "gpus": []}
    gpus = []
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        gpus.append(
            {
                "name": facts.name,
                "memory_bytes": facts.total_memory,
                "capability": f"{facts.major}.{facts.minor}",
            }
        )
        try:
            torch.zeros(1, device=find_device(f"cuda:{number}")).item()
        except (RuntimeError, BackendError) as error:
            problems.append(f"GPU {number} does not work: {str(error).splitlines()[0]}")
    return {
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
        "cuda": torch.version.cuda,
        "gpus": gpus,
    }


def _models(problems: list[str]) -> list[dict[str, Any]]:
    """Every model that is found, and a word on every file of weights that cannot be read."""
    found = []
    for folder in model_folders():
        for path in sorted(folder.glob("*.safetensors")):
            try:
                card = read_card(path)
            except (BadModelError, OSError) as error:
                problems.append(f"no model can be read here: {error}")
                continue
            found.append(
                {
                    "name": card.label,
                    "fingerprint": card.fingerprint,
                    "medium": card.config.medium.kind,
                    "path": _short(path),
                }
            )
    if not any(Path(model["path"]).parent.name == "built_in" for model in found):
        problems.append("the built-in models are missing: install vqcodec anew")
    return found


def _folders(problems: list[str]) -> list[dict[str, Any]]:
    """Folders that are written to: whether they are there, and take a file."""
    wanted = {"temporary files": Path(tempfile.gettempdir()), "here": Path.cwd()}
    # Models are added to the first that is no part of the package.
    wanted |= {"added models": model_folders()[1]}
    rows = []
    for what, folder in wanted.items():
        nearest = folder
        while not nearest.exists() and nearest != nearest.parent:
            nearest = nearest.parent
        writable = _takes_files(nearest)
        if not writable and what != "here":
            problems.append(f"the folder for {what}, {_short(folder)}, cannot be written")
        rows.append(
            {
                "for": what,
                "path": _short(folder),
                "exists": folder.exists(),
                "writable": writable,
            }
        )
    return rows


def _takes_files(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _requirements() -> list[str]:
    """What the distribution needs, as its metadata say, or in a checkout its pyproject.toml."""
    try:
        return requires("vqcodec") or []
    except PackageNotFoundError:
        path = Path(vqcodec.__file__).parents[1] / "pyproject.toml"
        if not path.is_file():
            return []
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].items()
    optional = [f"{need}; extra == '{extra}'" for extra, needs in extras for need in needs]
    return [*project["dependencies"], *optional]


def _packages(needs: Iterable[str]) -> dict[str, dict[str, str | None]]:
    """Versions of what is needed always, under "", and for each extra; None is not installed."""
    from vqcodec.evaluation.machine import version_of

    found: dict[str, dict[str, str | None]] = {}
    for need in needs:
        name, extra = re.split(r"[^\w.-]", need)[0], re.search(r"extra == ['\"]([\w-]+)", need)
        group = extra[1] if extra else ""
        if name != "vqcodec" and group not in _NOT_FOR_USERS:
            found.setdefault(group, {})[name] = version_of(name)
    return found


def _short(path: Path) -> str:
    """A path with ~ for the home of its user, whose name is nobody's business."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)


def as_text(report: Mapping[str, Any]) -> str:
    """What `examine` found, for people."""
    level = report["cpu_level"] or "unknown"
    gpus = [f"{gpu['name']}, {gpu['memory_bytes'] / 2**30:.0f} GiB" for gpu in report["gpus"]]
    commit = f" ({report['commit']})" if report["commit"] else ""
    threads = "" if report["torch"] is None else f", {report['torch_threads']} threads"
    rows = [
        ("vqcodec", f"{report['vqcodec']}{commit}"),
        ("python", f"{report['python']}, {sys.implementation.name}"),
        ("system", report["system"]),
        ("processor", report["processor"]),
        ("cores", f"{report['usable_cores']} of {report['cores']}"),
        ("kernels", f"{', '.join(report['cpu_levels']) or 'not built'}; used: {level}"),
        ("torch", f"{report['torch'] or 'missing'}{threads}, CUDA {report['cuda'] or 'none'}"),
        ("GPU", "; ".join(gpus) or "none"),
        *(("model", f"{m['name']:<14} {m['fingerprint']}  {m['path']}") for m in report["models"]),
        *(("folder", _folder_text(folder)) for folder in report["folders"]),
        *((f"[{extra}]" if extra else "needed", _versions(packages))
          for extra, packages in report["packages"].items()),
        *(("setting", f"{name}={value}") for name, value in report["environment"].items()),
    ]  # fmt: skip
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _folder_text(folder: Mapping[str, Any]) -> str:
    state = "writable" if folder["writable"] else "not writable"
    made = "" if folder["exists"] else ", made when needed"
    return f"{folder['path']} ({folder['for']}): {state}{made}"


def _versions(packages: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {version or 'missing'}" for name, version in packages.items())
