"""What bench/arrays.py rests on: its arrays, and that a broken bound is seen."""

import math
from typing import Any

import numpy as np
import pytest

from bench.array_fields import ocean, vorticity
from bench.array_report import against, broken, size_cell
from bench.array_trial import keeps, largest_error, measure, psnr

LOSSY_ON_FLOATS = {"SZ3", "SPERR"}


def test_made_arrays_are_repeatable_and_finite_where_said() -> None:
    field = vorticity(size=32, snapshots=2, steps=3)
    assert field.shape == (2, 32, 32)
    assert field.dtype == np.float64
    assert np.isfinite(field).all()
    assert np.array_equal(field, vorticity(size=32, snapshots=2, steps=3))
    # Decaying: viscosity takes what nothing gives back.
    assert field[1].std() < field[0].std()
    sea = ocean(24, 36, 3)
    assert sea.shape == (3, 24, 36)
    assert sea.dtype == np.float32
    land = np.isnan(sea)
    assert 0 < land[0].sum() < land[2].sum() < land[2].size


def test_an_error_above_the_bound_is_seen() -> None:
    values = np.array([0.0, 1.0, np.nan])
    assert keeps(values, np.array([0.5, 1.0, np.nan]), 0.5)
    assert not keeps(values, np.array([0.50001, 1.0, np.nan]), 0.5)
    assert not keeps(values, np.array([0.0, np.nan, np.nan]), 0.5)
    assert not keeps(values, np.array([0.0, 1.0, 7.0]), 0.5)
    assert not keeps(values, np.array([-0.0, 1.0, np.nan]), 0.0)
    assert not keeps(values, values.astype(np.float32), 0.5)
    assert largest_error(values[:2], np.array([0.25, 1.0])) == 0.25
    assert largest_error(values, np.array([0.0, 1.0, 7.0])) == math.inf


def test_psnr_is_over_the_range_of_the_finite_values() -> None:
    found = psnr(np.array([0.0, 1.0, np.nan]), np.array([0.1, 0.9, np.nan]))
    assert found == pytest.approx(20.0)
    assert psnr(np.ones(3), np.ones(3)) is None


def test_a_table_counts_only_what_keeps_the_bound() -> None:
    def row(coder: str, *settings: tuple[int, bool, bool, float]) -> dict[str, Any]:
        keys = ("bytes", "kept", "default", "error")
        rows = [dict(zip(keys, s, strict=True)) for s in settings]
        return {"coder": coder, "array": "a", "bound": "1 %", "max_error": 0.5, "rows": rows}

    own = row("vqcodec", (50, True, True, 0.5))
    peer = row("SZ3", (80, False, True, 0.6), (100, True, False, 0.5))
    assert size_cell(peer, 100) == "8 (6.4 !)"
    assert against({"vqcodec": own, "SZ3": peer}) == "-50 %"
    assert broken({"rows": [own, peer]}) == [
        "- vqcodec: 0 of 1",
        "- SZ3: by default 1 of 1; at worst 0.6 of 0.5 (a, 1 %)",
    ]


@pytest.mark.parametrize(
    "coder", ["vqcodec", "zfp", "SZ3", "SPERR", "LERC", "JPEG-LS", "JPEG XL", "pcodec", "zstd"]
)
@pytest.mark.parametrize("bound", [0.0, 2.0])
def test_every_coder_gives_an_array_back_by_some_setting(coder: str, bound: float) -> None:
    """Bands last, as of satellites, and missing values: what layouts and masks have to undo."""
    for name in ("imagecodecs", "zfpy", "pysz", "pcodec"):
        pytest.importorskip(name)
    from bench.array_peers import CODERS

    rng = np.random.default_rng(0)
    bands = rng.integers(0, 200, (2, 24, 33, 4)).astype(np.uint8)
    sea = (100 * ocean(24, 33, 3)).astype(np.float32)
    for values in (bands, sea):
        found = [measure(s, values, bound) for s in CODERS[coder](values, bound)]
        if bound or values is bands or coder not in LOSSY_ON_FLOATS:
            assert any(f["kept"] for f in found)
