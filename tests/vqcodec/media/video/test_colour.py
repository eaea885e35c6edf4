"""4:2:0 and RGB against matrices and weights written anew in float64."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.video.chroma import gather, spread
from vqcodec.media.video.colour import from_rgb, matrix_of, to_rgb
from vqcodec.media.video.signal import Facts, Frame

BASE = Fraction(1, 25)
SIZES = [(1, 1), (1, 6), (7, 1), (2, 2), (5, 7), (8, 6), (13, 10)]
ALL = [(matrix, full) for matrix in (1, 4, 5, 6, 7, 9) for full in (False, True)]

# Rows of R'G'B' = M (Y', Cb, Cr), as BT.601, BT.709 and BT.2020 print them, to the digits there.
PRINTED = {
    6: ((0, 1.402), (-0.344136, -0.714136), (1.772, 0)),
    1: ((0, 1.5748), (-0.187324, -0.468124), (1.8556, 0)),
    9: ((0, 1.4746), (-0.164553, -0.571353), (1.8814, 0)),
}


def facts(matrix: int, full: bool, siting: int = 0) -> Facts:
    return Facts(time_base=BASE, matrix=matrix, full_range=full, siting=siting)


def weights(length: int, phase: int) -> NDArray[np.float64]:
    """Linear interpolation from chroma to luma along an axis, as a matrix (length, halves)."""
    halves = (length + 1) // 2
    places = 2 * np.arange(halves) + phase / 2
    out = np.zeros((length, halves))
    for row in range(length):
        out[row] = [np.interp(row, places, np.eye(halves)[k]) for k in range(halves)]
    return out


def phases(siting: int) -> tuple[int, int]:
    """How far chroma lies from the first of two samples of luma, in halves: down, across."""
    return (1, 1, 0, 0, 2, 2)[siting], siting % 2


def float_rgb(frame: Frame, matrix: int, full: bool, siting: int) -> NDArray[np.float64]:
    down, across = phases(siting)
    height, width = frame.extent
    u, v = (
        weights(height, down) @ (plane.astype(float) - 128) @ weights(width, across).T
        for plane in (frame.u, frame.v)
    )
    y = frame.y.astype(float)
    if not full:
        y, u, v = (y - 16) / 219 * 255, u / 224 * 255, v / 224 * 255
    return np.stack([y + a * u + b * v for a, b in PRINTED[matrix]])


def random_frame(height: int, width: int, seed: int) -> Frame:
    draw = np.random.default_rng(seed)
    half = ((height + 1) // 2, (width + 1) // 2)
    y, u, v = (draw.integers(0, 256, size, np.uint8) for size in ((height, width), half, half))
    return Frame(y, u, v, Fraction(0))


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("siting", range(6))
@pytest.mark.parametrize("matrix", PRINTED)
@pytest.mark.parametrize("full", [False, True])
def test_rgb_is_the_nearest_to_that_of_real_numbers(
    height: int, width: int, siting: int, matrix: int, full: bool
) -> None:
    frame = random_frame(height, width, seed=height * 100 + siting)
    found = to_rgb(frame, facts(matrix, full, siting))
    wanted = float_rgb(frame, matrix, full, siting).clip(0, 255)
    # Half a step of rounding, and what 16 bits of a coefficient leave open.
    assert np.abs(found - wanted).max() <= 0.51


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("siting", range(6))
@pytest.mark.parametrize("full", [False, True])
def test_planes_are_the_nearest_to_those_of_real_numbers(
    height: int, width: int, siting: int, full: bool
) -> None:
    rgb = np.random.default_rng(height).integers(0, 256, (3, height, width), np.uint8)
    frame = from_rgb(rgb, facts(6, full, siting), Fraction(0))
    red, green, blue = rgb.astype(float)
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    u, v = (blue - y) / 1.772, (red - y) / 1.402
    if not full:
        y, u, v = y * 219 / 255 + 16, u * 224 / 255, v * 224 / 255
    assert np.abs(frame.y - y).max() <= 0.51
    down, across = phases(siting)
    for plane, wanted in ((frame.u, u), (frame.v, v)):
        halved = halves(halves(wanted, down).T, across).T + 128
        assert np.abs(plane - halved.clip(0, 255)).max() <= 0.51


def halves(rows: NDArray[np.float64], phase: int) -> NDArray[np.float64]:
    """Weights around every first or second row, or between the two; borders go on."""
    sited = {-2: -1 / 8, -1: 2 / 8, 0: 6 / 8, 1: 2 / 8, 2: -1 / 8}
    between = {-1: -1 / 4, 0: 3 / 4, 1: 3 / 4, 2: -1 / 4}
    taps = {0: sited, 1: between, 2: {place + 1: tap for place, tap in sited.items()}}[phase]
    last = len(rows) - 1
    return np.stack(
        [
            sum(tap * rows[min(max(2 * k + place, 0), last)] for place, tap in taps.items())
            for k in range((len(rows) + 1) // 2)
        ]
    )


@pytest.mark.parametrize("siting", range(6))
def test_what_is_gathered_is_what_was_spread(siting: int) -> None:
    plane = np.random.default_rng(siting).integers(0, 256, (6, 9), np.uint8)
    back = gather(spread(plane, (12, 18), siting), siting)
    assert np.array_equal(back, 64 * 16 * (plane.astype(int) - 128))


@pytest.mark.parametrize(("matrix", "full"), ALL)
def test_grey_stays_grey(matrix: int, full: bool) -> None:
    levels = np.arange(256, dtype=np.uint8)
    rgb = np.broadcast_to(levels[None, None], (3, 2, 256)).copy()
    frame = from_rgb(rgb, facts(matrix, full), Fraction(0))
    assert (frame.u == 128).all()
    assert (frame.v == 128).all()
    back = to_rgb(frame, facts(matrix, full))
    assert (back == back[:1]).all()
    assert np.abs(back.astype(int) - rgb).max() <= (0 if full else 1)


@pytest.mark.parametrize("siting", [0, 1, 2])
@pytest.mark.parametrize("matrix", [1, 6])
@pytest.mark.parametrize("full", [False, True])
def test_smooth_frames_come_back(siting: int, matrix: int, full: bool) -> None:
    rows, columns = np.mgrid[0:91, 0:161]
    y = 120 + 60 * np.sin(rows / 9) * np.cos(columns / 7)
    u, v = 128 + 30 * np.sin(columns / 40), 128 + 30 * np.cos(rows / 30)
    frame = Frame(
        y.round().astype(np.uint8),
        u[::2, ::2].round().astype(np.uint8),
        v[::2, ::2].round().astype(np.uint8),
        Fraction(3, 25),
    )
    back = from_rgb(
        to_rgb(frame, facts(matrix, full, siting)), facts(matrix, full, siting), frame.time
    )
    for name in "yuv":
        error = getattr(back, name).astype(int) - getattr(frame, name)
        assert np.abs(error).max() <= 1
    assert back.time == frame.time


def test_what_is_not_said_goes_by_the_size() -> None:
    unsaid = Facts(time_base=BASE)
    assert [matrix_of(unsaid, *size) for size in ((576, 720), (577, 720), (576, 1280))] == [6, 1, 1]
    assert matrix_of(facts(9, full=False), 4000, 4000) == 9


@pytest.mark.parametrize("matrix", [0, 3, 8, 14])
def test_matrices_that_are_no_sum_are_refused(matrix: int) -> None:
    frame = random_frame(4, 4, seed=1)
    with pytest.raises(InputError, match=f"colour matrix {matrix} of H.273 is not supported"):
        to_rgb(frame, facts(matrix, full=False))


@pytest.mark.parametrize(
    "rgb",
    [np.zeros((3, 4, 4), np.int8), np.zeros((4, 4, 3), np.uint8), np.zeros((3, 0, 4), np.uint8)],
)
def test_other_colours_are_refused(rgb: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match=re.escape(f"got {rgb.dtype} {rgb.shape}")):
        from_rgb(rgb, facts(1, full=False), Fraction(0))
