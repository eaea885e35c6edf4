import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vqcodec.priors import MixingPrior, Prior, RawPrior, StaticPrior, prior_class
from vqcodec_kernels.errors import CorruptPayloadError, InvalidInputError

CLASSES: tuple[type[Prior], ...] = (RawPrior, StaticPrior, MixingPrior)
SHAPES = [(2,), (2, 5), (1, 1, 1), (3, 4, 7), (2, 3, 2, 5), (2, 0, 4)]


def draw_grid(seed: int, shape: tuple[int, ...], size: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    codes = np.minimum(rng.integers(0, size, shape), rng.integers(0, size, shape))
    codes[rng.random(shape) < 0.3] = 0
    return codes


def smooth_grid(seed: int, stages: int, height: int, width: int, size: int) -> NDArray[np.int64]:
    """Codes that follow slow waves: predictable from their neighbours, never from nothing."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [
        np.sin(x / 5 + rng.uniform(0, 6)) + np.cos(y / 4 + rng.uniform(0, 6)) for _ in range(stages)
    ]
    scaled = np.clip((np.stack(waves) + 2) / 4 * size, 0, size - 1)
    return scaled.astype(np.int64)


@pytest.mark.parametrize("prior", CLASSES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1, 2, 11, 256, 4096])
def test_round_trip(prior: type[Prior], shape: tuple[int, ...], size: int) -> None:
    grids = [draw_grid(seed, shape, size) for seed in range(3)]
    fitted = prior.fit(grids, codebook_size=size)
    again = prior.from_tensors(fitted.tensors())
    assert (again.codebook_size, again.stages) == (size, shape[0])
    other = draw_grid(9, shape, size)
    payload = fitted.encode(other)
    assert again.encode(other) == payload
    read = again.decode(payload, shape)
    assert read.dtype == np.int64
    np.testing.assert_array_equal(read, other)


@pytest.mark.parametrize("prior", CLASSES)
def test_twin_reads_the_same(prior: type[Prior]) -> None:
    codes = smooth_grid(0, 2, 6, 5, 20)
    fitted = prior.fit([codes], codebook_size=20)
    read = fitted.decode(fitted.encode(codes), codes.shape, backend="numpy")
    np.testing.assert_array_equal(read, codes)


@pytest.mark.parametrize("prior", CLASSES)
def test_fewer_stages_than_fitted(prior: type[Prior]) -> None:
    codes = smooth_grid(0, 4, 6, 5, 20)
    fitted = prior.fit([codes], codebook_size=20)
    for stages in (1, 3):
        payload = fitted.encode(codes[:stages])
        read = fitted.decode(payload, (stages, 6, 5))
        np.testing.assert_array_equal(read, codes[:stages])
    with pytest.raises(InvalidInputError, match=r"\(5, 6, 5\)"):
        fitted.decode(b"", (5, 6, 5))


@pytest.mark.parametrize("prior", CLASSES)
@pytest.mark.parametrize("shape", [(4, 7), (4, 6, 5), (4, 2, 3, 2)])
@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_first_stages_alone(prior: type[Prior], shape: tuple[int, ...], backend: str) -> None:
    """A network that knows how many stages there are guesses from that, read or not."""
    codes = draw_grid(5, shape, 20)
    vectors = np.random.default_rng(0).normal(size=(4, 20, 3))
    fitted = prior.fit([codes, codes[:2]], codebook_size=20, vectors=vectors)
    payload = fitted.encode(codes)
    for stages in range(5):
        read = fitted.decode(payload, shape, stages=stages, backend=backend)
        assert read.dtype == np.int64
        np.testing.assert_array_equal(read, codes[:stages])
    for stages in (-1, 5):
        with pytest.raises(InvalidInputError, match=f"must be 0 to 4, got {stages}"):
            fitted.decode(payload, shape, stages=stages, backend=backend)


@pytest.mark.parametrize("prior", CLASSES[1:])
@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_what_follows_the_first_stages_is_not_read(prior: type[Prior], backend: str) -> None:
    codes = draw_grid(5, (3, 6, 5), 20)
    fitted = prior.fit([codes], codebook_size=20)
    payload = fitted.encode(codes)
    spoilt = payload[:-4] + bytes(byte ^ 255 for byte in payload[-4:]) + b"more"
    read = fitted.decode(spoilt, codes.shape, stages=1, backend=backend)
    np.testing.assert_array_equal(read, codes[:1])
    with pytest.raises(CorruptPayloadError):
        fitted.decode(spoilt, codes.shape, stages=3, backend=backend)


@pytest.mark.parametrize("prior", CLASSES)
@pytest.mark.parametrize("size", [2, 37, 256])
def test_stage_bits_add_up_to_the_payload(prior: type[Prior], size: int) -> None:
    codes = smooth_grid(1, 3, 20, 30, size)
    fitted = prior.fit([smooth_grid(0, 3, 20, 30, size)], codebook_size=size)
    bits = fitted.stage_bits(codes)
    assert bits.shape == (3,)
    assert abs(8 * len(fitted.encode(codes)) - bits.sum()) <= 8 + 0.002 * bits.sum()


@pytest.mark.parametrize("prior", CLASSES)
@pytest.mark.parametrize("size", [1, 2, 37, 256])
def test_bits_of_codes_add_up_to_those_of_their_stage(prior: type[Prior], size: int) -> None:
    codes = smooth_grid(1, 3, 9, 13, size)
    fitted = prior.fit([smooth_grid(0, 3, 9, 13, size)], codebook_size=size)
    bits = fitted.bits(codes)
    assert bits.shape == codes.shape
    assert bits.dtype == np.float32
    assert (bits >= 0).all()
    sums = bits.reshape(3, -1).sum(axis=1, dtype=np.float64)
    np.testing.assert_allclose(sums, fitted.stage_bits(codes), rtol=1e-5, atol=1e-3)


def test_bits_are_those_of_each_code() -> None:
    """What a code costs is what the payload gains by it, however many decisions it takes."""
    codes = draw_grid(5, (1, 1, 40), 37)
    fitted = MixingPrior.fit([draw_grid(4, (1, 9, 40), 37)], codebook_size=37)
    bits = fitted.bits(codes)
    # Codes before a place do not know of those behind it.
    for columns in (1, 17, 39):
        part = fitted.bits(np.ascontiguousarray(codes[:, :, :columns]))
        np.testing.assert_array_equal(part, bits[:, :, :columns])


@pytest.mark.parametrize("prior", CLASSES)
def test_damage_never_gives_a_code_outside_the_codebook(prior: type[Prior]) -> None:
    codes = draw_grid(3, (2, 6, 5), 11)
    fitted = prior.fit([codes], codebook_size=11)
    payload = fitted.encode(codes)
    damaged = [payload[:n] for n in range(len(payload))] + [payload + b"\0", payload + b"\x7f"]
    for i in range(len(payload)):
        damaged += [payload[:i] + bytes([payload[i] ^ 1 << b]) + payload[i + 1 :] for b in range(8)]
    for data in damaged:
        try:
            read = fitted.decode(data, codes.shape)
        except CorruptPayloadError:
            continue
        assert 0 <= read.min() <= read.max() < 11
        assert fitted.encode(read) == data
        assert not np.array_equal(read, codes)


@pytest.mark.parametrize("prior", CLASSES)
def test_huge_shapes_are_refused_before_memory_is_taken(prior: type[Prior]) -> None:
    fitted = prior.fit([draw_grid(0, (2, 3, 3), 11)], codebook_size=11)
    with pytest.raises(CorruptPayloadError):
        fitted.decode(bytes(20), (2, 1 << 30, 1 << 30))


@pytest.mark.parametrize("prior", CLASSES)
@pytest.mark.parametrize("bad", [-1, 11, 2**40])
def test_codes_outside_the_codebook_are_refused(prior: type[Prior], bad: int) -> None:
    fitted = prior.fit([draw_grid(0, (2, 3, 3), 11)], codebook_size=11)
    with pytest.raises(InvalidInputError, match=str(bad)):
        fitted.encode(np.full((1, 2, 2), bad, np.int64))
    with pytest.raises(InvalidInputError, match=str(bad)):
        prior.fit([np.full((1, 2, 2), bad, np.int64)], codebook_size=11)


@pytest.mark.parametrize("prior", CLASSES)
def test_wrong_tensors_are_refused(prior: type[Prior]) -> None:
    tensors = prior.fit([draw_grid(0, (2, 3, 3), 11)], codebook_size=11).tensors()
    for name, tensor in tensors.items():
        lacking = {key: value for key, value in tensors.items() if key != name}
        with pytest.raises(InvalidInputError):
            prior.from_tensors(lacking)
        for wrong in (tensor.astype(np.float32), tensor[..., None], tensor[:0]):
            with pytest.raises(InvalidInputError):
                prior.from_tensors({**tensors, name: wrong})


def test_raw_bytes_by_hand() -> None:
    fitted = RawPrior.fit([np.array([[4, 1, 0]])], codebook_size=5)
    # 100 001 000, then seven zero bits.
    assert fitted.encode(np.array([[4, 1, 0]])) == bytes([0b10000100, 0])
    with pytest.raises(CorruptPayloadError, match="code 7 >= codebook size 5"):
        fitted.decode(bytes([0b11100100, 0]), (1, 3))
    with pytest.raises(CorruptPayloadError, match="after the last code"):
        fitted.decode(bytes([0b10000100, 1]), (1, 3))
    with pytest.raises(CorruptPayloadError, match="take 2 bytes, got 3"):
        fitted.decode(bytes(3), (1, 3))


@settings(deadline=None, max_examples=60)
@given(counts=st.lists(st.integers(0, 10**6), min_size=1, max_size=300))
def test_static_tables_follow_the_counts(counts: list[int]) -> None:
    codes = np.repeat(np.arange(len(counts)), np.array(counts) // 1000)[None]
    fitted = StaticPrior.fit([codes], codebook_size=len(counts))
    bits = fitted.code_bits()
    assert bits.shape == (1, len(counts))
    assert bits.dtype == np.float32
    probability = 2.0 ** -bits[0].astype(np.float64)
    np.testing.assert_allclose(probability.sum(), 1, atol=1e-6)
    smooth = np.bincount(codes[0], minlength=len(counts)) + 0.2
    # Every code keeps one unit, and rounding moves another.
    slack = (len(counts) + 2) / 65536
    np.testing.assert_allclose(probability, smooth / smooth.sum(), atol=slack)


def test_static_payload_costs_what_code_bits_say() -> None:
    train, codes = draw_grid(0, (3, 30, 30), 200), draw_grid(1, (3, 30, 30), 200)
    fitted = StaticPrior.fit([train], codebook_size=200)
    bits = fitted.code_bits()
    cost = sum(float(bits[s][codes[s]].sum()) for s in range(3))
    assert cost <= 8 * len(fitted.encode(codes)) <= cost + 8 + codes.size / 1000


def test_static_tables_must_be_probabilities() -> None:
    for row in ([65535, 0], [32768, 32767], [1, 1]):
        with pytest.raises(InvalidInputError, match="sum"):
            StaticPrior(np.array([row], np.uint16))


def test_each_stage_learns_from_the_grids_that_have_it() -> None:
    grids = [draw_grid(seed, (stages, 9, 11), 16) for seed, stages in enumerate((1, 3, 2, 3, 1))]
    fitted = StaticPrior.fit(grids, codebook_size=16)
    assert fitted.stages == 3
    for stage in range(3):
        alone = [codes[stage : stage + 1] for codes in grids if len(codes) > stage]
        bits = StaticPrior.fit(alone, codebook_size=16).code_bits()
        np.testing.assert_array_equal(fitted.code_bits()[stage], bits[0])


@pytest.mark.parametrize("prior", CLASSES)
def test_grids_of_many_rates(prior: type[Prior]) -> None:
    grids = [draw_grid(seed, (1 + seed % 4, 7, 6), 16) for seed in range(9)]
    vectors = np.random.default_rng(0).normal(size=(4, 16, 3))
    fitted = prior.fit(grids, codebook_size=16, vectors=vectors)
    for codes in grids:
        np.testing.assert_array_equal(fitted.decode(fitted.encode(codes), codes.shape), codes)
    with pytest.raises(InvalidInputError, match="at least one stage"):
        prior.fit([], codebook_size=16)


def test_mixing_learns_from_neighbours_and_from_training() -> None:
    train = [smooth_grid(seed, 3, 24, 24, 64) for seed in range(6)]
    codes = smooth_grid(77, 3, 24, 24, 64)
    static = len(StaticPrior.fit(train, codebook_size=64).encode(codes))
    untrained = len(MixingPrior.untrained(64, 3).encode(codes))
    trained = len(MixingPrior.fit(train, codebook_size=64).encode(codes))
    assert untrained < 0.8 * static
    assert trained < 0.85 * untrained


def test_mixing_costs_little_where_there_is_nothing_to_learn() -> None:
    rng = np.random.default_rng(0)
    train = [rng.integers(0, 256, (2, 40, 40)) for _ in range(4)]
    codes = rng.integers(0, 256, (2, 40, 40))
    payload = MixingPrior.fit(train, codebook_size=256).encode(codes)
    assert codes.size <= len(payload) < 1.03 * codes.size


def test_mixing_of_constant_codes_is_almost_free() -> None:
    codes = np.zeros((3, 40, 40), np.int64)
    payload = MixingPrior.fit([codes] * 4, codebook_size=256).encode(codes)
    assert len(payload) < 60


@pytest.mark.parametrize("prior", CLASSES)
def test_one_position_has_no_overhead_to_speak_of(prior: type[Prior]) -> None:
    train = [draw_grid(seed, (2, 8, 8), 256) for seed in range(4)]
    fitted = prior.fit(train, codebook_size=256)
    codes = np.zeros((2, 1, 1), np.int64)
    assert 8 * len(fitted.encode(codes)) <= fitted.stage_bits(codes).sum() + 8.1


def test_modes_are_those_of_the_stream() -> None:
    assert [prior_class(mode).name for mode in range(3)] == ["raw", "static", "mixing"]
    with pytest.raises(ValueError, match="mode 3"):
        prior_class(3)


@pytest.mark.parametrize("size", [0, 4097])
def test_codebook_sizes_are_limited(size: int) -> None:
    with pytest.raises(InvalidInputError):
        RawPrior(size, 1)
    with pytest.raises(InvalidInputError):
        MixingPrior.untrained(size, 1)
