import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mixing_start
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mixing_start import make_codes, make_start

from vqcodec_kernels.entropy.mixing import decode_mixing, encode_mixing
from vqcodec_kernels.entropy.plain.logistic import MAX_LOGIT, logistic_tables
from vqcodec_kernels.entropy.start import MixingStart
from vqcodec_kernels.errors import CorruptPayloadError, InvalidInputError


def test_golden_payloads() -> None:
    # Written once; a change here is a change of the format.
    small = encode_mixing(make_codes((2, 5, 7), 11), make_start(11, 3))
    assert (
        small.hex() == "ef04830ebd915fa1bafd908c7411502d9edcb108fcec76c13c577f9e71f9313f16a665f7b2"
    )
    large = encode_mixing(make_codes((3, 20, 31), 256), make_start(256, 3, 32, (40, 24)))
    assert (
        hashlib.sha256(large).hexdigest()
        == "8f72c001bc5c2fbfd57dd8b4a8a8093c43628d000df3950a77f318bb2e07af8f"
    )


@pytest.mark.parametrize(
    ("shape", "digest"),
    [
        ((3, 620), "1ada99ee5f4083758bc253facd836495d7367b704dbc1dc1f55215c4f7ea8310"),
        ((3, 4, 5, 31), "0193b453479b13cd071f366ba23014608bd3c9de1a7b876c492db40897bb9aa8"),
    ],
)
def test_golden_payloads_of_one_and_three_axes(shape: tuple[int, ...], digest: str) -> None:
    # As above: these bytes stay.
    payload = encode_mixing(make_codes(shape, 256), make_start(256, 3, 32, (40, 24)))
    assert hashlib.sha256(payload).hexdigest() == digest


def test_network_matters_to_every_decision() -> None:
    """The golden start must not leave the network at zero, or its arithmetic goes untested."""
    codes = make_codes((2, 5, 7), 11)
    start = make_start(11, 3)
    arrays: dict[str, Any] = start.arrays()
    payloads = {encode_mixing(codes, start)}
    for name in ("embeddings", "first_biases", "second_weights", "second_biases", "output_weights"):
        other = MixingStart(codebook_size=11, **arrays | {name: np.roll(arrays[name], 1, axis=-1)})
        payloads.add(encode_mixing(codes, other))
    assert len(payloads) == 6


@pytest.mark.parametrize("threads", [2, 3, 50])
def test_any_number_of_threads_writes_the_same_bytes(threads: int) -> None:
    codes, start = make_codes((7, 9, 13), 70), make_start(70, 8)
    alone = encode_mixing(codes, start)
    assert encode_mixing(codes, start, threads=threads) == alone
    np.testing.assert_array_equal(decode_mixing(alone, codes.shape, start), codes)


def test_threads_must_be_positive() -> None:
    with pytest.raises(InvalidInputError, match="threads must be at least 1, got 0"):
        encode_mixing(make_codes((1, 2, 2), 11), make_start(11, 1), threads=0)


@pytest.mark.parametrize("level", ["portable", "sse2", "avx2", "avx512"])
@pytest.mark.parametrize("widths", [(6, 5), (63, 65), (128, 64), (800, 131)])
def test_instruction_sets_write_the_same_bytes(level: str, widths: tuple[int, int]) -> None:
    start = make_start(70, 2, 5, widths)
    codes = make_codes((2, 6, 9), 70)
    here = encode_mixing(codes, start)
    np.testing.assert_array_equal(decode_mixing(here, codes.shape, start, backend="numpy"), codes)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from mixing_start import make_codes, make_start\n"
        "from vqcodec_kernels.entropy.mixing import encode_mixing\n"
        f"start = make_start(70, 2, 5, {widths})\n"
        "print(encode_mixing(make_codes((2, 6, 9), 70), start).hex())"
    )
    there = subprocess.run(
        [sys.executable, "-c", script, str(Path(mixing_start.__file__).parent)],
        env={**os.environ, "VQCODEC_CPU_LEVEL": level},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == here.hex()


def test_logistic_tables_are_the_functions() -> None:
    tables = logistic_tables()
    logits = np.arange(-MAX_LOGIT, MAX_LOGIT + 1) / 256
    np.testing.assert_allclose(tables.squash, 65536 / (1 + np.exp(-logits)), rtol=0, atol=1)
    np.testing.assert_array_equal(tables.squash + tables.squash[::-1], 65536)
    assert tables.squash.min() >= 1
    middles = (np.arange(4096) + 0.5) / 4096
    # A cell's logit is the first that reaches its middle: up to one unit of logit above, and
    # where the function is flat, as many more as a probability of 2^-16 spans.
    span = 1 + 256 / 65536 / (middles * (1 - middles))
    assert (np.abs(tables.stretch - 256 * np.log(middles / (1 - middles))) <= span).all()
    np.testing.assert_array_equal(tables.stretch, -tables.stretch[::-1])
    drops = np.exp(-np.arange(MAX_LOGIT + 1) / 256)
    np.testing.assert_allclose(tables.decay, 65536 * drops, rtol=0, atol=1.01)


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([1, 2, 3, 5, 8, 13, 100, 256, 257, 1000, 4096]),
    stages=st.integers(1, 3),
    positions=st.one_of(
        st.tuples(st.integers(0, 21)),
        st.tuples(st.integers(0, 4), st.integers(0, 5)),
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 4)),
    ),
    skew=st.sampled_from([0, 1, 8]),
)
def test_round_trip_and_twin(
    seed: int,
    size: int,
    stages: int,
    positions: tuple[int, ...],
    skew: int,
) -> None:
    rng = np.random.default_rng(seed)
    step = 2 * (seed % 5000) + 1
    start = make_start(size, stages + 1, step=step)
    codes = rng.integers(0, size, (stages, *positions))
    codes[rng.random(codes.shape) < skew / 9] = 0
    payload = encode_mixing(codes, start)
    for backend in ("native", "numpy"):
        again = decode_mixing(payload, codes.shape, start, backend=backend)
        np.testing.assert_array_equal(again, codes)


@pytest.mark.parametrize("positions", [(1, 131), (2, 65), (64, 1), (129,), (2, 1, 67), (1, 65, 1)])
def test_rows_longer_than_a_stretch(positions: tuple[int, ...]) -> None:
    """The network adds up its first layer for 64 positions of a row at a time."""
    codes, start = make_codes((2, *positions), 5), make_start(5, 2)
    payload = encode_mixing(codes, start)
    read = decode_mixing(payload, codes.shape, start, backend="numpy")
    np.testing.assert_array_equal(read, codes)


@pytest.mark.parametrize("positions", [(35,), (5, 7), (3, 3, 4)])
def test_damage_is_refused_or_gives_other_codes(positions: tuple[int, ...]) -> None:
    start = make_start(11, 2)
    codes = make_codes((2, *positions), 11)
    payload = encode_mixing(codes, start)
    damaged = [payload[:n] for n in range(len(payload))] + [payload + b"\0", payload + b"\x90"]
    for i in range(len(payload)):
        for bit in (0, 3, 7):
            damaged.append(payload[:i] + bytes([payload[i] ^ 1 << bit]) + payload[i + 1 :])
    refused = 0
    for data in damaged:
        try:
            read = decode_mixing(data, codes.shape, start)
        except CorruptPayloadError:
            refused += 1
            continue
        assert 0 <= read.min() <= read.max() < 11
        assert encode_mixing(read, start) == data
        assert not np.array_equal(read, codes)
    assert refused > 0.5 * len(damaged)


@pytest.mark.parametrize("positions", [(6,), (2, 3), (2, 1, 3)])
def test_twin_refuses_what_the_extension_refuses(positions: tuple[int, ...]) -> None:
    start = make_start(11, 1)
    codes = make_codes((1, *positions), 11)
    payload = encode_mixing(codes, start)
    for data in (b"", payload[:-1], payload + b"\0", b"\xff" * 8):
        answers = []
        for backend in ("native", "numpy"):
            try:
                read = decode_mixing(data, codes.shape, start, backend=backend)
                answers.append(str(read.tolist()))
            except CorruptPayloadError as error:
                answers.append(str(error))
        assert answers[0] == answers[1]


def test_huge_shape_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(CorruptPayloadError, match="cannot hold"):
        decode_mixing(bytes(9), (1, 1 << 30, 1 << 30), make_start(2, 1))


def test_threads_decode_side_by_side() -> None:
    start = make_start(256, 2, 8, (8, 7))
    all_codes = [make_codes((2, 12, 9 + i), 256) for i in range(4)]
    payloads = [encode_mixing(codes, start) for codes in all_codes]
    with ThreadPoolExecutor(4) as pool:
        read = pool.map(
            lambda pair: decode_mixing(pair[0], pair[1].shape, start),
            list(zip(payloads, all_codes, strict=True)) * 3,
        )
        for again, codes in zip(read, all_codes * 3, strict=True):
            np.testing.assert_array_equal(again, codes)
