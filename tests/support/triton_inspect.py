# mypy: disable-error-code="import-untyped"
"""Compile a kernel for a GPU that is not here, and read what the assembler made of it."""

import os
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

__all__ = ["ALU", "MATRIX", "Inspection", "inspect_kernel"]

# Instructions of the pipe that computes minima, comparisons and selections, half the rate of
# multiply-adds, by the names in the disassembly.
ALU = frozenset(
    [
        "FMNMX",
        "FMNMX3",
        "FSETP",
        "FSEL",
        "SEL",
        "LOP3",
        "VIMNMX",
        "VIMNMX3",
        "IMNMX",
        "ISETP",
        "PRMT",
        "SHF",
        "IADD3",
        "LEA",
        "VIADD",
    ]
)
MATRIX = frozenset(("HMMA", "HGMMA", "UTCHMMA"))

_TOOLS = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
_POINTERS = {
    "row_halves_ptr": "*fp16",
    "halves_ptr": "*fp16",
    "stats_ptr": "*i32",
    "list_ptr": "*i32",
    "counters_ptr": "*i32",
    "codes_ptr": "*i64",
    "counts_ptr": "*i64",
    "order_ptr": "*i64",
    "owners_ptr": "*i64",
    "starts_ptr": "*i64",
    "first_pieces_ptr": "*i64",
}


class Inspection(NamedTuple):
    """Registers and stack of a thread, shared memory of a program (bytes), and instructions.

    loops: the instructions of each backward branch's body, shortest first.
    """

    registers: int
    stack: int
    shared: int
    instructions: dict[str, int]
    loops: list[dict[str, int]]


def inspect_kernel(
    kernel: Any, capability: int, constants: dict[str, Any], **options: Any
) -> Inspection:
    """Compile for compute capability `capability` (90 for 9.0); no GPU is needed.

    Pointers are float32 unless the name says otherwise, aligned to 16 bytes; numbers are int32.
    """
    signature: dict[str, str] = {}
    alignment = {}
    for place, name in enumerate(kernel.arg_names):
        if name in constants:
            signature[name] = "constexpr"
        elif name.endswith("_ptr"):
            signature[name] = _POINTERS.get(name, "*fp32")
            alignment[(place,)] = [["tt.divisibility", 16]]
        else:
            signature[name] = "i32"
    values = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
    compiled = triton.compile(
        ASTSource(kernel, signature, values, alignment),
        target=GPUTarget("cuda", capability, 32),
        options=options,
    )
    return _dissect(compiled.asm["cubin"], compiled.metadata.shared)


def _dissect(cubin: bytes, shared: int) -> Inspection:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "kernel.cubin")
        Path(path).write_bytes(cubin)
        usage = _run("cuobjdump", "--dump-resource-usage", path)
        lines = _run("nvdisasm", "-c", path).splitlines()
    found = re.search(r"REG:(\d+) STACK:(\d+)", usage)
    assert found, usage
    return Inspection(int(found[1]), int(found[2]), shared, dict(_count(lines)), _find_loops(lines))


def _run(tool: str, *arguments: str) -> str:
    done = subprocess.run([_TOOLS / tool, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def _count(lines: list[str]) -> Counter[str]:
    pattern = re.compile(r"\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9_]*)")
    return Counter(found[1] for line in lines if (found := pattern.search(line)))


def _find_loops(lines: list[str]) -> list[dict[str, int]]:
    labels = {
        found[1]: place
        for place, line in enumerate(lines)
        if (found := re.match(r"\s*(\.L_\w+):", line))
    }
    loops = []
    for place, line in enumerate(lines):
        branch = re.search(r"BRA.*`\((\.L_\w+)\)", line)
        if branch and labels.get(branch[1], place) < place:
            loops.append(dict(_count(lines[labels[branch[1]] : place + 1])))
    return sorted(loops, key=lambda loop: sum(loop.values()))
