# mypy: disable-error-code="import-untyped"
"""A tool of the tests: compile a kernel for a GPU that is not here, and read what came of it."""

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

_ALIGNMENT = ["tt.divisibility", 16]
_TOOLS = Path(triton.__file__).parent / "backends" / "nvidia" / "bin"
# What the pointers of the kernels point to, by parameter or field; float32 where it is not said.
_POINTERS = {
    "halves": "*fp16",
    "stats": "*i32",
    "rows": "*i32",
    "counters": "*i32",
    "slots": "*i32",
    "table": "*i32",
    "codes": "*i64",
    "counts": "*i64",
    "order": "*i64",
    "owners": "*i64",
    "starts": "*i64",
    "first_pieces": "*i64",
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
    kernel: Any, capability: int, arguments: dict[str, Any], **options: Any
) -> Inspection:
    """Compile for compute capability `capability` (90 for 9.0); no GPU is needed.

    arguments: the kernel's constants, and for a bundle of pointers its NamedTuple class. Of the
    others those that are called `_ptr` are pointers and the rest int32. Pointers are aligned to 16
    bytes.
    """
    signature: dict[str, Any] = {}
    constants: dict[tuple[int, ...], Any] = {}
    aligned: list[tuple[int, ...]] = []
    for place, name in enumerate(kernel.arg_names):
        argument = arguments.get(name)
        if isinstance(argument, type):
            fields: tuple[str, ...] = argument._fields  # type: ignore[attr-defined]
            signature[name] = argument(*(_POINTERS.get(field, "*fp32") for field in fields))
            aligned += [(place, field) for field in range(len(fields))]
        elif name in arguments:
            signature[name] = "constexpr"
            constants[place,] = argument
        elif name.endswith("_ptr"):
            signature[name] = _POINTERS.get(name.removesuffix("_ptr"), "*fp32")
            aligned.append((place,))
        else:
            signature[name] = "i32"
    compiled = triton.compile(
        ASTSource(kernel, signature, constants, {path: [_ALIGNMENT] for path in aligned}),
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
