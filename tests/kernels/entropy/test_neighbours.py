import numpy as np
import pytest
from mixing_start import make_codes

from vqcodec_kernels.entropy.mixing import count_mixing
from vqcodec_kernels.entropy.plain.neighbours import BEFORE, PLACES, SAME
from vqcodec_kernels.entropy.start import PLACES as NUM_PLACES

AXES = (1, 2, 3)
SHAPES = {1: (3, 23), 2: (3, 5, 7), 3: (3, 3, 4, 5)}
SIZE = 5


@pytest.mark.parametrize("axes", AXES)
def test_tables_are_sound(axes: int) -> None:
    origin = (0,) * axes
    assert (len(SAME[axes]), len(BEFORE[axes]), len(PLACES[axes])) == (6, 5, NUM_PLACES)
    for table in (SAME, BEFORE, PLACES):
        assert len(set(table[axes])) == len(table[axes])
        assert {len(offset) for offset in table[axes]} == {axes}
    assert all(offset < origin for offset in SAME[axes])
    assert BEFORE[axes][0] == origin
    assert list(PLACES[axes]) == sorted(PLACES[axes])
    assert origin in PLACES[axes]


def look(codes: np.ndarray, offset: tuple[int, ...]) -> np.ndarray:
    """The codes that lie so far from each code, -1 outside the grid."""
    width = 6
    padded = np.pad(codes, width, constant_values=-1)
    start = [width + o for o in offset]
    return padded[tuple(slice(a, a + n) for a, n in zip(start, codes.shape, strict=True))]


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("stage", [0, 2])
def test_extension_looks_where_the_tables_say(axes: int, stage: int) -> None:
    """Its counts of "is this code another one than 0" by W, N, P, P2 and by the number of zeros."""
    codes = make_codes(SHAPES[axes], SIZE)
    counts = count_mixing([codes], codebook_size=SIZE, stage=stage)[:, 0]
    origin = (0,) * axes
    outside = np.full(codes.shape[1:], -1)
    earlier = [codes[stage - back] if stage >= back else outside for back in (1, 2)]
    values = [look(codes[stage], SAME[axes][0]), look(codes[stage], SAME[axes][1])]
    values += [look(grid, origin) for grid in earlier]
    same = sum((look(codes[stage], offset) == 0).astype(int) for offset in SAME[axes])
    before = sum((look(earlier[0], offset) == 0).astype(int) for offset in BEFORE[axes])
    first = 1
    for value, number in [*((v + 1, 33) for v in values), (6 * same + before, 42)]:
        expected = np.zeros((number, 2), np.int64)
        np.add.at(expected, (value, (codes[stage] != 0).astype(int)), 1)
        np.testing.assert_array_equal(counts[first : first + number], expected)
        first += number
