"""Where and with what something was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["circumstances", "processor", "source_commit", "version_of"]

PACKAGES = ("vqcodec", "torch", "numpy")


def circumstances(packages: Iterable[str] = ()) -> dict[str, object]:
    """Machine, versions, source commit and date, as JSON can hold them.

    packages: whose versions matter besides those of vqcodec, torch and numpy.
    """
    import torch

    return {
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "torch_threads": torch.get_num_threads(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "versions": {name: version_of(name) for name in (*PACKAGES, *packages)},
        "commit": source_commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def version_of(name: str) -> str | None:
    """The version of an installed package, None where there is none.

    >>> version_of("a-package-that-nobody-has") is None
    True
    """
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """What the processor calls itself.

    >>> len(processor()) > 0
    True
    """
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def source_commit() -> str | None:
    """The commit of the sources, with a + if they have changed since; None outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return commit and commit + ("+" if changed else "")


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
