"""Codes drawn from priors: as likely as they are said to be, the same for a seed everywhere."""

import numpy as np
import pytest
from mixing_start import make_codes, make_start
from numpy.typing import NDArray

from vqcodec.priors import MixingPrior, Prior, RawPrior, StaticPrior
from vqcodec_kernels.entropy.mixing import sample_mixing
from vqcodec_kernels.entropy.plain.random_bits import RandomBits
from vqcodec_kernels.errors import InvalidInputError

CLASSES: tuple[type[Prior], ...] = (RawPrior, StaticPrior, MixingPrior)
Codes = NDArray[np.int64]


def wavy(seed: int, shape: tuple[int, int, int], size: int) -> Codes:
    """Codes that are like those around them."""
    random = np.random.default_rng(seed)
    stages, height, width = shape
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 5 + random.uniform(0, 6)) + np.cos(y / 4) for _ in range(stages)]
    return np.clip((np.stack(waves) + 2) / 4 * size, 0, size - 1).astype(np.int64)


def fitted(kind: type[Prior], size: int = 20) -> Prior:
    return kind.fit([wavy(seed, (2, 12, 15), size) for seed in range(6)], codebook_size=size)


def test_the_source_of_chance_is_splitmix64() -> None:
    # Of the reference implementation, for the seed 1234567: the first numbers that it gives.
    wanted = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    random = RandomBits(1234567)
    assert [random.draw(32) for _ in wanted] == [number >> 32 for number in wanted]


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("shape", [(2, 5, 7), (1, 0, 3), (2, 9), (1, 2, 3, 4), (2, 2, 2, 2, 3)])
def test_twin_draws_the_same(kind: type[Prior], shape: tuple[int, ...]) -> None:
    prior = fitted(kind)
    drawn = prior.sample(shape, seed=5)
    assert drawn.dtype == np.int64
    assert drawn.shape == shape
    np.testing.assert_array_equal(drawn, prior.sample(shape, seed=5, backend="numpy"))
    np.testing.assert_array_equal(drawn, prior.decode(prior.encode(drawn), shape))


@pytest.mark.parametrize("size", [1, 2, 11, 256])
@pytest.mark.parametrize("shape", [(3, 23), (3, 5, 7), (2, 2, 3, 5)])
def test_twin_draws_around_given_codes(size: int, shape: tuple[int, ...]) -> None:
    start = make_start(size, 3, 4, (6, 5))
    given = make_codes(shape, size)
    given[np.random.default_rng(0).random(shape) < 0.6] = -1
    drawn = sample_mixing(given, start, seed=2**64 - 1)
    np.testing.assert_array_equal(drawn[given >= 0], given[given >= 0])
    assert 0 <= drawn.min() <= drawn.max() < size
    twin = sample_mixing(given, start, seed=2**64 - 1, backend="numpy")
    np.testing.assert_array_equal(drawn, twin)


def test_golden_samples() -> None:
    """Drawn once; a seed means these codes for ever."""
    drawn = sample_mixing(np.full((2, 3, 4), -1), make_start(11, 3), seed=7)
    assert drawn.tolist() == GOLDEN
    frequencies = np.array([[40000, 20000, 5536]], np.uint16)
    drawn = StaticPrior(frequencies).sample((1, 12), seed=7)
    assert drawn.tolist() == [GOLDEN_STATIC]


GOLDEN = [
    [[8, 0, 10, 10], [0, 0, 0, 0], [0, 0, 1, 10]],
    [[0, 0, 9, 0], [10, 0, 0, 6], [0, 10, 0, 0]],
]
GOLDEN_STATIC = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2]


@pytest.mark.parametrize("kind", CLASSES)
def test_given_codes_stay_and_count_for_what_follows(kind: type[Prior]) -> None:
    prior = fitted(kind)
    codes = wavy(8, (2, 9, 11), 20)
    given = codes.copy()
    given[:, 4:, 5:] = -1
    drawn = prior.sample(codes.shape, seed=3, given=given)
    np.testing.assert_array_equal(drawn[given >= 0], codes[given >= 0])
    assert len({prior.sample(codes.shape, seed=s, given=given).tobytes() for s in range(9)}) == 9
    np.testing.assert_array_equal(prior.sample(codes.shape, seed=3, given=codes), codes)


def test_draws_follow_the_frequencies() -> None:
    """Chi-squared of a static prior: chance alone exceeds the bound once in ten thousand times."""
    frequencies = np.array([[1, 65535 - 9000 - 500, 9000, 500], [16384] * 4], np.uint16)
    drawn = StaticPrior(frequencies).sample((2, 100_000), seed=11)
    for row, wanted in zip(drawn, frequencies / 65536 * 100_000, strict=True):
        found = np.bincount(row, minlength=4)
        # Three degrees of freedom.
        assert (np.square(found - wanted) / wanted).sum() < 21.1


def test_draws_of_a_raw_prior_are_even() -> None:
    drawn = RawPrior(codebook_size=5, stages=1).sample((1, 20_000), seed=1)
    found = np.bincount(drawn[0], minlength=5)
    # Four degrees of freedom.
    assert (np.square(found - 4000) / 4000).sum() < 23.6


@pytest.mark.parametrize("kind", CLASSES)
def test_what_is_drawn_takes_the_bits_that_the_prior_expects(kind: type[Prior]) -> None:
    """Where codes are drawn from what they are coded by, they take its entropy on average.

    What the prior expects is estimated from other draws: the mean of so many is within a few
    deviations of theirs.
    """
    prior = fitted(kind, size=16)
    sizes = [
        [8 * len(prior.encode(prior.sample((2, 24, 25), seed=s))) for s in seeds]
        for seeds in (range(40), range(100, 140))
    ]
    spread = np.std(sizes[0]) * np.sqrt(2 / 40) + 1
    assert abs(np.mean(sizes[0]) - np.mean(sizes[1])) < 5 * spread
    if kind is StaticPrior:
        bits = prior.code_bits().astype(np.float64)  # type: ignore[attr-defined]
        entropy = (2**-bits * bits).sum() * 24 * 25
        assert abs(np.mean(sizes[0]) - entropy) < 5 * spread + 8
    if kind is RawPrior:
        assert sizes[0] == [2 * 24 * 25 * 4] * 40


def test_a_mixing_prior_draws_what_it_has_seen() -> None:
    """Codes like their neighbours: drawn ones are, too, far more than those of a static prior."""
    grids = [wavy(seed, (1, 24, 30), 12) for seed in range(20)]

    def likeness(codes: Codes) -> float:
        return float((np.abs(np.diff(codes, axis=2)) <= 1).mean())

    shape = (1, 40, 40)
    of = {
        kind: likeness(kind.fit(grids, codebook_size=12).sample(shape, seed=1))
        for kind in (StaticPrior, MixingPrior)
    }
    assert np.mean([likeness(grid) for grid in grids]) > 0.9
    assert of[MixingPrior] > 0.7 > 0.5 > of[StaticPrior]


@pytest.mark.parametrize("kind", CLASSES)
def test_bad_input_is_refused_by_name(kind: type[Prior]) -> None:
    prior = fitted(kind)
    with pytest.raises(InvalidInputError, match=r"seed must be .* got -1"):
        prior.sample((1, 4), seed=-1)
    with pytest.raises(InvalidInputError, match="seed"):
        prior.sample((1, 4), seed=2**64)
    with pytest.raises(InvalidInputError, match=r"\(3, 4\)"):
        prior.sample((3, 4), seed=0)
    with pytest.raises(InvalidInputError, match="got int64"):
        prior.sample((1, 4), seed=0, given=np.zeros((1, 5), np.int64))
    with pytest.raises(InvalidInputError, match="float64"):
        prior.sample((1, 4), seed=0, given=np.zeros((1, 4)))  # type: ignore[arg-type]
    for wrong in (-2, 20):
        with pytest.raises(InvalidInputError, match=str(wrong)):
            prior.sample((1, 4), seed=0, given=np.full((1, 4), wrong))
