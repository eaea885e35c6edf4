from typing import Any

import numpy as np
import pytest
from mixing_tables import KINDS, make_any, make_codes, make_tables

from vqcodec_kernels.entropy.mixing import count_mixing, encode_mixing, learn_mixing
from vqcodec_kernels.entropy.tables import (
    CLASS_SETS,
    INPUTS,
    TRAINED_NODES,
    TRAINED_VALUES,
    MixingTables,
)


def test_counts_are_how_often_a_bit_follows_a_context() -> None:
    codes = np.array([[[0, 3, 2, 2]]], np.int64)
    counts = count_mixing([codes, codes], codebook_size=4, stage=0)
    # No context: the first bit is 0 once and 1 three times in each map.
    np.testing.assert_array_equal(counts[0, 1], [2, 6])
    np.testing.assert_array_equal(counts[0, 3], [4, 2])
    # The left neighbour, from row 1: outside, then code + 1.
    np.testing.assert_array_equal(counts[1, 1], [2, 0])
    np.testing.assert_array_equal(counts[2, 1], [0, 2])
    np.testing.assert_array_equal(counts[4, 1], [0, 2])
    assert counts[:, 1].sum() == 2 * 4 * 6


def test_counts_with_the_zero_code_first() -> None:
    codes = np.array([[[0, 3, 2, 2]]], np.int64)
    counts = count_mixing([codes, codes], codebook_size=4, stage=0, zero_first=True)
    # Zero or not, in general and next to the left neighbour: outside, then code + 1.
    np.testing.assert_array_equal(counts[0, 0], [2, 6])
    np.testing.assert_array_equal(counts[1, 0], [2, 0])
    np.testing.assert_array_equal(counts[2, 0], [0, 2])
    # The zeros take no part in the tree.
    np.testing.assert_array_equal(counts[0, 1], [0, 6])
    np.testing.assert_array_equal(counts[0, 3], [4, 2])
    assert counts[:, 0].sum() == 2 * 4 * 6
    assert counts[:, 1].sum() == 2 * 3 * 6


def test_zeros_are_cheaper_first() -> None:
    """One decision learns what eight have to learn."""
    rng = np.random.default_rng(5)
    codes = np.where(rng.random((2, 40, 40)) < 0.9, 0, rng.integers(1, 256, (2, 40, 40)))
    blank = {
        "counters": np.full((2, TRAINED_VALUES, TRAINED_NODES), 2048 << 4, np.uint16),
        "node_weights": np.full((2, TRAINED_NODES, INPUTS), 200, np.int16),
        "class_weights": np.full((2, CLASS_SETS, INPUTS), 200, np.int16),
    }
    arrays: dict[str, Any] = make_tables(256, 2).arrays() | blank
    sizes = [
        len(encode_mixing(codes, MixingTables(codebook_size=256, zero_first=first, **arrays)))
        for first in (False, True)
    ]
    entropy = (0.9 * -np.log2(0.9) + 0.1 * -np.log2(0.1 / 255)) * codes.size / 8
    assert entropy < sizes[1] < sizes[0]


@pytest.mark.parametrize("kind", KINDS)
def test_learning_costs_what_encoding_writes(kind: str) -> None:
    tables = make_any(kind, 13, 2)
    codes = make_codes((2, 9, 8), 13)
    bits = sum(learn_mixing([codes], tables, stage=stage)[0] for stage in range(2))
    assert bits <= 8 * len(encode_mixing(codes, tables)) <= bits + 8 + codes.size / 16
    # What was learned on a map makes that map cheaper.
    _, by_node, by_class = learn_mixing([codes] * 8, tables, stage=0)
    arrays: dict[str, Any] = tables.arrays()
    arrays["node_weights"] = np.stack([by_node, by_node])
    arrays["class_weights"] = np.stack([by_class, by_class])
    if kind != "deep":
        arrays["zero_first"] = kind == "zero first"
    learned = type(tables)(codebook_size=13, **arrays)
    before = learn_mixing([codes], tables, stage=0)[0]
    assert learn_mixing([codes], learned, stage=0)[0] < 0.9 * before
