import numpy as np
from numpy.typing import NDArray

def encode_symbols(
    symbols: NDArray[np.int64], cumulative: NDArray[np.uint32], bits: int
) -> bytes: ...
def decode_symbols(
    payload: bytes, cumulative: NDArray[np.uint32], bits: int, columns: int, rows: int
) -> NDArray[np.int64]: ...
def sample_symbols(
    given: NDArray[np.int64], cumulative: NDArray[np.uint32], bits: int, seed: int
) -> NDArray[np.int64]: ...
def encode_decisions(bits: NDArray[np.uint8], ones: NDArray[np.uint16]) -> bytes: ...
def decode_decisions(payload: bytes, ones: NDArray[np.uint16]) -> NDArray[np.uint8]: ...

# Sizes that vqcodec_kernels.entropy.start has under the same names.
SIZES: dict[str, int]

class MixingStart:
    def __init__(self, codebook_size: int, arrays: dict[str, NDArray[np.generic]]) -> None: ...

def encode_mixing(codes: NDArray[np.int64], start: MixingStart, threads: int) -> bytes: ...
def decode_mixing(
    payload: bytes, shape: tuple[int, ...], start: MixingStart, stages: int
) -> NDArray[np.int64]: ...
def cost_mixing(codes: NDArray[np.int64], start: MixingStart) -> NDArray[np.float32]: ...
def sample_mixing(given: NDArray[np.int64], start: MixingStart, seed: int) -> NDArray[np.int64]: ...
def count_mixing(
    grids: list[NDArray[np.int64]], codebook_size: int, stage: int
) -> NDArray[np.int64]: ...
def learn_mixing(
    grids: list[NDArray[np.int64]], start: MixingStart, stage: int
) -> tuple[float, NDArray[np.int16], NDArray[np.int16]]: ...
def encode_field(
    values: NDArray[np.int64],
    lowest: int,
    highest: int,
    step: int,
    coefficients: NDArray[np.int16] | None,
    interpolated: str,
    tight: bool,
    missing: NDArray[np.uint8] | None,
) -> tuple[bytes, NDArray[np.int64]]: ...
def decode_field(
    payload: bytes,
    shape: tuple[int, ...],
    lowest: int,
    highest: int,
    step: int,
    coefficients: NDArray[np.int16] | None,
    interpolated: str,
    tight: bool,
    missing: NDArray[np.uint8] | None,
) -> NDArray[np.int64]: ...
