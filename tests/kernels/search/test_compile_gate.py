"""What the assembler makes of the Triton kernels, for three generations of GPU that are not here.

Kernels cannot be interpreted and compiled in one process, so this file is also a script: the tests
run it once for each generation, in processes without TRITON_INTERPRET, and read what it prints.
"""

import importlib.util
import json
import os
import subprocess
import sys
from typing import Any

import pytest

# Shared memory that one program may take, in bytes, by compute capability.
SHARED = {80: 166912, 90: 232448, 100: 232448}

# ALU instructions per distance in the loop over the codes, by capability, D and K, a little above
# what was counted with triton 3.7.1. Plain argmin takes 4.3 on capability 9.0, and no second best.
CEILINGS = {
    (80, 8, 256): 3.3,
    (80, 8, 1024): 2.7,
    (80, 64, 1024): 3.1,
    (80, 64, 8192): 2.4,
    (80, 256, 1024): 3.6,
    (90, 8, 256): 3.1,
    (90, 8, 1024): 2.4,
    (90, 64, 1024): 2.8,
    (90, 64, 8192): 2.2,
    (90, 256, 1024): 3.6,
    (100, 8, 256): 2.2,
    (100, 8, 1024): 1.6,
    (100, 64, 1024): 2.5,
    (100, 64, 8192): 2.1,
    (100, 256, 1024): 2.8,
}
FILTERS = sorted({(dim, size) for _, dim, size in CEILINGS})
SEARCHES = (*(f"filter {dim} {size}" for dim, size in FILTERS), "settle 64", "residual 48")


def _inspect_all(capability: int) -> dict[str, Any]:
    from triton_inspect import inspect_kernel

    from vqcodec_kernels.search.triton.codebook import round_kernel
    from vqcodec_kernels.search.triton.copies import Twins
    from vqcodec_kernels.search.triton.filter import merge_kernel
    from vqcodec_kernels.search.triton.quantize import gather_kernel
    from vqcodec_kernels.search.triton.statistics import sum_pieces_kernel
    from vqcodec_kernels.search.triton.tiles import Device

    device = Device(132, SHARED[capability], capability // 10)
    found = {
        f"filter {dim} {size}": _filter(capability, device, dim, size) for dim, size in FILTERS
    }
    found["settle 64"] = _settle(capability, device, 64)
    found["residual 48"] = _residual(capability, device, 48)
    if capability == 90:
        found["filter 1024"] = _filter(capability, device, 1024, 1024)
        found["settle 1024"] = _settle(capability, device, 1024)
        shared = _search(64)
        block = {**shared, "BLOCK_M": 128, "D": 64, "EXACT": True}
        found["merge"] = inspect_kernel(merge_kernel, capability, block)
        block = {**shared, "twins": Twins, "CODES": 32, "BLOCK_D": 64}
        found["round"] = inspect_kernel(round_kernel, capability, block)
        block = {"BLOCK_M": 32, "BLOCK_D": 64}
        found["gather"] = inspect_kernel(gather_kernel, capability, block)
        block = {"PIECE": 256, "ROWS": 16, "BLOCK_D": 64}
        found["sum"] = inspect_kernel(sum_pieces_kernel, capability, block)
    return {name: inspection._asdict() for name, inspection in found.items()}


def _search(dim: int) -> dict[str, Any]:
    """What the kernels of a search share; a kernel takes what it knows by name."""
    from vqcodec_kernels.search.triton.certificate import Doubtful
    from vqcodec_kernels.search.triton.codebook import Codebooks, PreparedCodebook
    from vqcodec_kernels.search.triton.rows import RoundedRows
    from vqcodec_kernels.search.triton.tiles import pad_width

    widths = pad_width(dim)
    return {
        "codebooks": Codebooks,
        "prepared": PreparedCodebook,
        "rounded": RoundedRows if widths.rounded_before else None,
        "doubtful": Doubtful,
        "widths": widths,
    }


def _filter(capability: int, device: Any, dim: int, size: int) -> Any:
    from triton_inspect import inspect_kernel

    from vqcodec_kernels.search.triton.filter import filter_kernel
    from vqcodec_kernels.search.triton.tiles import choose_tile

    tile = choose_tile(dim, size, device)
    arguments = {**_search(dim), "tile": tile, "partial_ptr": None, "EXACT": True}
    options = {"num_warps": tile.warps, "num_stages": tile.stages, "maxnreg": tile.registers}
    return inspect_kernel(filter_kernel, capability, arguments, **options)


def _settle(capability: int, device: Any, dim: int) -> Any:
    from triton_inspect import inspect_kernel

    from vqcodec_kernels.search.triton.settle import settle_kernel
    from vqcodec_kernels.search.triton.tiles import settle_tile

    tile = settle_tile(device)
    arguments = {**_search(dim), "tile": tile}
    options = {"num_warps": tile.warps, "maxnreg": tile.registers, "enable_fp_fusion": False}
    return inspect_kernel(settle_kernel, capability, arguments, **options)


def _residual(capability: int, device: Any, dim: int) -> Any:
    from triton_inspect import inspect_kernel

    from vqcodec_kernels.search.triton.residual import residual_kernel
    from vqcodec_kernels.search.triton.tiles import residual_tile

    tile = residual_tile(device)
    arguments = {**_search(dim), "tile": tile}
    options = {
        "num_warps": tile.warps,
        "num_stages": tile.stages,
        "maxnreg": tile.registers,
        "enable_fp_fusion": False,
    }
    return inspect_kernel(residual_kernel, capability, arguments, **options)


@pytest.fixture(scope="module")
def inspections(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    if importlib.util.find_spec("triton") is None:
        pytest.skip("triton is not installed: there is nothing to compile")
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    # A cache of its own: what is inspected was compiled now, by this triton.
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    environment["TRITON_CACHE_DIR"] = str(tmp_path_factory.mktemp("triton"))
    running = {
        capability: subprocess.Popen(
            [sys.executable, __file__, str(capability)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for capability in SHARED
    }
    outputs = {capability: process.communicate() for capability, process in running.items()}
    for capability, process in running.items():
        assert process.returncode == 0, outputs[capability][1]
    return {capability: json.loads(output) for capability, (output, _) in outputs.items()}


@pytest.mark.parametrize("capability", SHARED)
def test_no_kernel_spills(inspections: dict[int, dict[str, Any]], capability: int) -> None:
    spilled = {
        name: (found["stack"], found["registers"])
        for name, found in inspections[capability].items()
        if found["stack"] or "STL" in found["instructions"]
    }
    assert not spilled


@pytest.mark.parametrize("capability", SHARED)
def test_shared_memory_fits(inspections: dict[int, dict[str, Any]], capability: int) -> None:
    for name, found in inspections[capability].items():
        assert found["shared"] <= SHARED[capability], name


@pytest.mark.parametrize("capability", SHARED)
@pytest.mark.parametrize("name", SEARCHES)
def test_products_run_on_tensor_cores(
    inspections: dict[int, dict[str, Any]], capability: int, name: str
) -> None:
    found = inspections[capability][name]["instructions"]
    expected = {80: "HMMA", 90: "HGMMA", 100: "UTCHMMA"}[capability]
    assert found.get(expected, 0) > 0


@pytest.mark.parametrize(("capability", "dim", "size"), CEILINGS)
def test_few_instructions_per_distance(
    inspections: dict[int, dict[str, Any]], capability: int, dim: int, size: int
) -> None:
    from triton_inspect import ALU

    from vqcodec_kernels.search.triton.tiles import Device, choose_tile

    tile = choose_tile(dim, size, Device(132, SHARED[capability], capability // 10))
    distances = tile.rows * tile.codes / (32 * tile.warps)
    # The loop over the codes is the shortest that takes a minimum for each distance.
    loop = next(
        loop
        for loop in inspections[capability][f"filter {dim} {size}"]["loops"]
        if loop.get("FMNMX", 0) + 2 * loop.get("FMNMX3", 0) >= distances
    )
    spent = sum(count for name, count in loop.items() if name in ALU) / distances
    print(
        f"{capability} D {dim} K {size}: {spent:.2f} ALU, {sum(loop.values()) / distances:.2f} all"
    )
    assert 1.0 < spent <= CEILINGS[capability, dim, size]


@pytest.mark.parametrize("capability", SHARED)
def test_float64_settlement_is_not_fused(
    inspections: dict[int, dict[str, Any]], capability: int
) -> None:
    for name in ("settle 64", "residual 48"):
        found = inspections[capability][name]["instructions"]
        assert found.get("DFMA", 0) == 0, name
        assert found.get("DMUL", 0) > 0, name


if __name__ == "__main__":
    print(json.dumps(_inspect_all(int(sys.argv[1]))))
