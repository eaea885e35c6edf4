"""Whether an ARM and a big-endian processor write and read the same bytes of arrays, by emulation.

    python -m bench.other_processors

Needs QEMU and cross compilers: on Debian `qemu-user g++-aarch64-linux-gnu g++-s390x-linux-gnu`. The
C++ that codes fields of integers is compiled for this machine, an ARM (aarch64, little-endian) and
an S/390 (big-endian), each family of predictions codes made fields of odd lengths, and all must
print the same payload and the same decoded values as the extension of this machine.
"""

from __future__ import annotations

import itertools
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.media.array.fitting import fit_coefficients
from vqcodec_kernels.entropy.fields import encode_field

SOURCE = Path(__file__).resolve().parent / "other_processors.cpp"
# The compiler, and what runs its programs.
MACHINES = {
    platform.machine(): ("g++", []),
    "aarch64": ("aarch64-linux-gnu-g++", ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]),
    "s390x": ("s390x-linux-gnu-g++", ["qemu-s390x", "-L", "/usr/s390x-linux-gnu"]),
}
FAMILIES = ("median", "linear", "slices", "boxes")


def field(shape: tuple[int, ...], spread: int, seed: int) -> NDArray[np.int64]:
    """A smooth field with noise, from 0 to spread."""
    random = np.random.default_rng(seed)
    waves = sum(
        np.sin(np.arange(length) / (3 + axis)).reshape((-1,) + (1,) * (3 - axis))
        for axis, length in enumerate(shape)
    )
    values = np.asarray(waves) + 0.1 * random.standard_normal(shape)
    values = (values - values.min()) / np.ptp(values)
    found: NDArray[np.int64] = np.rint(values * spread).astype(np.int64)
    return found


def case(values: NDArray[np.int64], family: str, step: int, tight: bool) -> tuple[str, str]:
    """What a program is given, and what it must print."""
    plan: dict[str, Any] = {"lowest": 0, "highest": int(values.max()), "step": step}
    coefficients = fit_coefficients(values, step) if family == "linear" else None
    interpolated = family if family in ("slices", "boxes") else ""
    payload, decoded = encode_field(
        values, **plan, coefficients=coefficients, interpolated=interpolated, tight=tight
    )
    numbers = [*values.shape, 0, int(values.max()), step, FAMILIES.index(family), int(tight)]
    if coefficients is not None:
        numbers += coefficients.ravel().tolist()
    given = " ".join(map(str, [*numbers, *values.ravel().tolist()]))
    return given, "\n".join([payload.hex(), *map(str, decoded.ravel().tolist())]) + "\n"


def main() -> None:
    """Compile for every machine that has its tools, and compare."""
    shapes = ((1, 1, 37, 53), (2, 3, 17, 19), (1, 5, 1, 41))
    cases = [
        case(field(shape, spread, number), family, step, tight and step > 1)
        for number, (shape, spread) in enumerate(itertools.product(shapes, (3, 5_000, 10**7)))
        for family in FAMILIES
        for step, tight in ((1, False), (max(1, spread // 500), family in ("slices", "boxes")))
    ]
    for machine, (compiler, runner) in MACHINES.items():
        tools = [compiler, *runner[:1]]
        missing = [tool for tool in tools if shutil.which(tool) is None]
        if missing:
            raise SystemExit(f"{machine}: no {' and no '.join(missing)}")
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "program"
            subprocess.run([compiler, "-O2", "-std=c++17", SOURCE, "-o", program], check=True)
            for number, (given, wanted) in enumerate(cases):
                command = [*runner, str(program)]
                found = subprocess.run(command, input=given, text=True, stdout=subprocess.PIPE)
                if found.returncode or found.stdout != wanted:
                    raise SystemExit(f"{machine}: case {number} differs ({found.returncode})")
        print(f"{machine}: {len(cases)} fields, the same bytes and values")


if __name__ == "__main__":
    main()
