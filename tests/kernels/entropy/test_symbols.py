import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vqcodec_kernels.entropy.symbols import (
    decode_decisions,
    decode_symbols,
    encode_decisions,
    encode_symbols,
)
from vqcodec_kernels.errors import BackendError, CorruptPayloadError, InvalidInputError

BACKENDS = ("native", "numpy")
BITS = np.array([1, 0, 0, 1, 1, 1, 0, 1], np.uint8)
ONES = np.array([32768, 1, 65535, 40000, 65535, 3, 60000, 20000], np.uint16)
TABLES = np.array([[0, 1, 128, 256], [0, 250, 255, 256]], np.uint32)
SYMBOLS = np.array([[0, 1, 2, 2, 1], [0, 0, 0, 1, 2]], np.int64)


def draw_tables(rng: np.random.Generator, rows: int, size: int, bits: int) -> NDArray[np.uint32]:
    cuts = [rng.choice(np.arange(1, 1 << bits), size - 1, replace=False) for _ in range(rows)]
    tables = np.zeros((rows, size + 1), np.uint32)
    tables[:, 1:-1] = np.sort(np.array(cuts, np.uint32).reshape(rows, size - 1), axis=1)
    tables[:, -1] = 1 << bits
    return tables


def draw_symbols(
    rng: np.random.Generator, tables: NDArray[np.uint32], columns: int
) -> NDArray[np.int64]:
    places = rng.integers(0, tables[0, -1], (len(tables), columns))
    rows = [np.searchsorted(t, p, side="right") - 1 for t, p in zip(tables, places, strict=True)]
    return np.array(rows, np.int64).reshape(len(tables), columns)


def information(tables: NDArray[np.uint32], symbols: NDArray[np.int64]) -> float:
    widths = np.take_along_axis(np.diff(tables.astype(np.float64), axis=1), symbols, axis=1)
    return float(np.log2(tables[0, -1] / widths).sum())


def test_golden_words() -> None:
    assert list(encode_decisions(BITS, ONES)) == [127, 255, 127, 255, 215]
    assert list(encode_symbols(SYMBOLS, TABLES, bits=8)) == [0, 110, 252, 31]


def test_first_decision_by_hand() -> None:
    # Bit 1 of probability 1/2 leaves [0, 1/2), which holds 0: no digit is needed. Bit 0 leaves
    # [1/2, 1), and one digit is.
    half = np.array([32768], np.uint16)
    assert encode_decisions(np.array([1], np.uint8), half) == b""
    assert encode_decisions(np.array([0], np.uint8), half) == b"\x80"


@pytest.mark.parametrize("backend", BACKENDS)
def test_golden_words_are_read(backend: str) -> None:
    bits = decode_decisions(bytes([127, 255, 127, 255, 215]), ONES, backend=backend)
    np.testing.assert_array_equal(bits, BITS)
    payload = bytes([0, 110, 252, 31])
    symbols = decode_symbols(payload, TABLES, bits=8, columns=5, backend=backend)
    np.testing.assert_array_equal(symbols, SYMBOLS)


def test_carry_runs_through_settled_digits() -> None:
    # Bit 0 of probability 65535/65536 keeps the top of the interval: its digits are 255, 255, ...
    # and a last number above all of them can only be reached by a carry.
    ones = np.full(40, 65535, np.uint16)
    bits = np.zeros(40, np.uint8)
    payload = encode_decisions(bits, ones)
    assert payload.count(255) > 70
    for backend in BACKENDS:
        np.testing.assert_array_equal(decode_decisions(payload, ones, backend=backend), bits)


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 5),
    columns=st.integers(0, 40),
    bits=st.integers(1, 16),
    data=st.data(),
)
def test_symbols_round_trip_near_their_information(
    seed: int, rows: int, columns: int, bits: int, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, min(1 << bits, 300)))
    rng = np.random.default_rng(seed)
    tables = draw_tables(rng, rows, size, bits)
    symbols = draw_symbols(rng, tables, columns)
    payload = encode_symbols(symbols, tables, bits=bits)
    for backend in BACKENDS:
        again = decode_symbols(payload, tables, bits=bits, columns=columns, backend=backend)
        np.testing.assert_array_equal(again, symbols)
    # A byte to close, and 2^-7 of a bit for rounding each interval down.
    assert 8 * len(payload) <= information(tables, symbols) + 8 + symbols.size / 128


@settings(deadline=None, max_examples=150)
@given(
    pairs=st.lists(
        st.tuples(st.booleans(), st.integers(1, 65535) | st.sampled_from([1, 65535])), max_size=200
    )
)
def test_decisions_round_trip(pairs: list[tuple[bool, int]]) -> None:
    bits = np.array([bit for bit, _ in pairs], np.uint8)
    ones = np.array([one for _, one in pairs], np.uint16)
    payload = encode_decisions(bits, ones)
    for backend in BACKENDS:
        np.testing.assert_array_equal(decode_decisions(payload, ones, backend=backend), bits)


def outcome(payload: bytes, tables: NDArray[np.uint32], columns: int, backend: str) -> str:
    try:
        symbols = decode_symbols(payload, tables, bits=12, columns=columns, backend=backend)
    except CorruptPayloadError as error:
        return str(error)
    assert symbols.min() >= 0
    assert symbols.max() < tables.shape[1] - 1
    # A payload has one reading: whatever is accepted is what an encoder writes for it.
    assert encode_symbols(symbols, tables, bits=12) == payload
    return str(symbols.tolist())


def test_damage_is_refused_or_gives_other_symbols() -> None:
    rng = np.random.default_rng(5)
    tables = draw_tables(rng, 2, 11, 12)
    symbols = draw_symbols(rng, tables, 23)
    payload = encode_symbols(symbols, tables, bits=12)
    damaged = [payload[:n] for n in range(len(payload))]
    damaged += [payload + extra for extra in (b"\0", b"\1", b"\xff", bytes(5))]
    for i in range(len(payload)):
        for value in {0, 255, payload[i] ^ 1, payload[i] ^ 128} - {payload[i]}:
            damaged.append(payload[:i] + bytes([value]) + payload[i + 1 :])
    refused = 0
    for data in damaged:
        native = outcome(data, tables, 23, "native")
        assert native == outcome(data, tables, 23, "numpy")
        assert native != str(symbols.tolist())
        refused += not native.startswith("[")
    # Most; the shorter a payload, the more of its neighbours are payloads as well.
    assert refused > 0.5 * len(damaged)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("extra", [b"\0", b"\x80", b"\xff\xff\xff\xff\xff"])
def test_bytes_after_the_end_are_refused(backend: str, extra: bytes) -> None:
    payload = encode_symbols(SYMBOLS, TABLES, bits=8)
    with pytest.raises(CorruptPayloadError, match="bytes left"):
        decode_symbols(payload + extra, TABLES, bits=8, columns=5, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_empty_payload_holds_no_costly_symbols(backend: str) -> None:
    with pytest.raises(CorruptPayloadError, match="before its last code"):
        decode_symbols(b"", TABLES[1:, [0, 1, 3]], bits=8, columns=2000, backend=backend)


def test_huge_shape_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(CorruptPayloadError, match="cannot hold"):
        decode_symbols(bytes(10), TABLES, bits=8, columns=1 << 50)


@pytest.mark.parametrize(
    ("tables", "bits"),
    [
        (TABLES, 9),
        (TABLES, 0),
        (TABLES, 17),
        (TABLES.astype(np.int64), 8),
        (TABLES[:, 1:], 8),
        (TABLES[0], 8),
        (TABLES[:, :1], 8),
        (TABLES[:, ::-1], 8),
        (TABLES[:, [0, 1, 1, 3]].copy(), 8),
    ],
)
def test_bad_tables_are_refused(tables: NDArray[np.uint32], bits: int) -> None:
    with pytest.raises(InvalidInputError):
        encode_symbols(SYMBOLS, tables, bits=bits)
    with pytest.raises(InvalidInputError):
        decode_symbols(b"", tables, bits=bits, columns=1)


@pytest.mark.parametrize("symbol", [-1, 3, 2**40])
def test_symbols_outside_their_table_are_refused(symbol: int) -> None:
    symbols = SYMBOLS.copy()
    symbols[1, 2] = symbol
    with pytest.raises(InvalidInputError, match=str(symbol)):
        encode_symbols(symbols, TABLES, bits=8)


def test_bad_decisions_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="probability of 0"):
        encode_decisions(BITS, np.zeros(8, np.uint16))
    with pytest.raises(InvalidInputError):
        encode_decisions(BITS[:3], ONES)
    with pytest.raises(InvalidInputError):
        encode_decisions(BITS * 2, ONES)


def test_unknown_backend_is_an_error() -> None:
    with pytest.raises(BackendError, match="'cuda'"):
        decode_symbols(b"", TABLES, bits=8, columns=0, backend="cuda")


def test_missing_extension_is_an_error_unless_the_twin_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payload = encode_symbols(SYMBOLS, TABLES, bits=8)
    monkeypatch.delattr("vqcodec_kernels._entropy", raising=False)
    monkeypatch.setitem(sys.modules, "vqcodec_kernels._entropy", None)
    with pytest.raises(BackendError, match="numpy"):
        decode_symbols(payload, TABLES, bits=8, columns=5)
    symbols = decode_symbols(payload, TABLES, bits=8, columns=5, backend="numpy")
    np.testing.assert_array_equal(symbols, SYMBOLS)


def test_threads_decode_side_by_side() -> None:
    rng = np.random.default_rng(2)
    tables = draw_tables(rng, 3, 200, 16)
    all_symbols = [draw_symbols(rng, tables, 20_000) for _ in range(4)]
    payloads = [encode_symbols(symbols, tables, bits=16) for symbols in all_symbols]
    with ThreadPoolExecutor(4) as pool:
        read = pool.map(lambda p: decode_symbols(p, tables, bits=16, columns=20_000), payloads * 5)
        for again, symbols in zip(read, all_symbols * 5, strict=True):
            np.testing.assert_array_equal(again, symbols)
