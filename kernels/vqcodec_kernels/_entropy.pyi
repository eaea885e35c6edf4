import numpy as np
from numpy.typing import NDArray

def encode_symbols(
    symbols: NDArray[np.int64], cumulative: NDArray[np.uint32], bits: int
) -> bytes: ...
def decode_symbols(
    payload: bytes, cumulative: NDArray[np.uint32], bits: int, columns: int
) -> NDArray[np.int64]: ...
def encode_decisions(bits: NDArray[np.uint8], ones: NDArray[np.uint16]) -> bytes: ...
def decode_decisions(payload: bytes, ones: NDArray[np.uint16]) -> NDArray[np.uint8]: ...

class Tables:
    def __init__(
        self,
        codebook_size: int,
        counters: NDArray[np.uint16],
        node_weights: NDArray[np.int16],
        class_weights: NDArray[np.int16],
        embeddings: NDArray[np.int16],
        first_weights: NDArray[np.int16],
        first_biases: NDArray[np.int32],
        second_weights: NDArray[np.int16],
        second_biases: NDArray[np.int32],
        output_weights: NDArray[np.int16],
        output_biases: NDArray[np.int32],
        shifts: NDArray[np.int32],
    ) -> None: ...

def encode_mixing(codes: NDArray[np.int64], tables: Tables, threads: int) -> bytes: ...
def decode_mixing(
    payload: bytes, stages: int, height: int, width: int, tables: Tables
) -> NDArray[np.int64]: ...
def count_mixing(
    grids: list[NDArray[np.int64]], codebook_size: int, stage: int
) -> NDArray[np.int64]: ...
def learn_mixing(
    grids: list[NDArray[np.int64]], tables: Tables, stage: int
) -> tuple[float, NDArray[np.int16], NDArray[np.int16]]: ...
