from typing import Any

import numpy as np
from mixing_start import make_codes, make_start

from vqcodec_kernels.entropy.mixing import count_mixing, encode_mixing, learn_mixing
from vqcodec_kernels.entropy.start import MixingStart


def test_counts_are_how_often_a_bit_follows_a_context() -> None:
    codes = np.array([[[0, 3, 2, 2]]], np.int64)
    counts = count_mixing([codes, codes], codebook_size=4, stage=0)
    # Zero or not, in general and next to the left neighbour: outside, then code + 1.
    np.testing.assert_array_equal(counts[0, 0], [2, 6])
    np.testing.assert_array_equal(counts[1, 0], [2, 0])
    np.testing.assert_array_equal(counts[2, 0], [0, 2])
    # The zeros take no part in the tree.
    np.testing.assert_array_equal(counts[0, 1], [0, 6])
    np.testing.assert_array_equal(counts[0, 3], [4, 2])
    assert counts[:, 0].sum() == 2 * 4 * 6
    assert counts[:, 1].sum() == 2 * 3 * 6


def test_learning_costs_what_encoding_writes() -> None:
    start = make_start(13, 2)
    codes = make_codes((2, 9, 8), 13)
    bits = sum(learn_mixing([codes], start, stage=stage)[0] for stage in range(2))
    assert bits <= 8 * len(encode_mixing(codes, start)) <= bits + 8 + codes.size / 16
    # What was learned on a grid makes that grid cheaper.
    _, by_node, by_class = learn_mixing([codes] * 8, start, stage=0)
    arrays: dict[str, Any] = start.arrays()
    arrays["node_weights"] = np.stack([by_node, by_node])
    arrays["class_weights"] = np.stack([by_class, by_class])
    learned = MixingStart(codebook_size=13, **arrays)
    before = learn_mixing([codes], start, stage=0)[0]
    assert learn_mixing([codes], learned, stage=0)[0] < 0.9 * before
