"""Which codes the mixing model looks at: offsets from a code, by the number of axes.

The twin of kernels/csrc/entropy/neighbours.hpp. Offsets are along the axes of positions, the last
one being that along which codes follow each other.
"""

__all__ = ["BEFORE", "PLACES", "SAME"]

Offsets = tuple[tuple[int, ...], ...]

# W, N, NW, NE, WW, NN: of the same stage, coded before.
SAME: dict[int, Offsets] = {
    1: ((-1,), (-2,), (-3,), (-4,), (-5,), (-6,)),
    2: ((0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0)),
    3: ((0, 0, -1), (-1, 0, 0), (0, -1, 0), (0, -1, 1), (0, -1, -1), (-1, 0, 1)),
}

# P, PE, PS, PW, PN: of the stage before.
BEFORE: dict[int, Offsets] = {
    1: ((0,), (1,), (2,), (-1,), (-2,)),
    2: ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0)),
    3: ((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 0, -1), (0, -1, 0)),
}

# Where the network looks, in the order of its inputs.
PLACES: dict[int, Offsets] = {
    1: ((-4,), (-3,), (-2,), (-1,), (0,), (1,), (2,), (3,), (4,)),
    2: ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0), (0, 1), (1, -1), (1, 0), (1, 1)),
    3: (
        *((-1, 0, 0), (-1, 0, 1), (-1, 1, 0)),
        *((0, -1, 0), (0, 0, -1), (0, 0, 0), (0, 0, 1), (0, 1, 0)),
        (1, 0, 0),
    ),
}
