"""Writes the golden files of arrays: streams, what they decode to, and what they say.

    python tests/golden/array/make_golden.py

They are made once and never again: what they hold decodes the same for ever.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec import decode_array, encode_array, inspect

FOLDER = Path(__file__).parent


def field(*shape: int) -> NDArray[np.float64]:
    """Waves and a little noise of arithmetic progressions: the same everywhere."""
    places = np.indices(shape).reshape(len(shape), -1).T
    waves = (places * np.arange(3, 3 + 4 * len(shape), 4) % 97 - 48.0) ** 2
    noise = (np.arange(len(places)) * 7919 % 31) / 64
    made: NDArray[np.float64] = (waves.sum(axis=1) / 256 + noise).reshape(shape)
    return made


def examples() -> dict[str, tuple[NDArray[Any], dict[str, Any]]]:
    holes = field(19, 23).astype(np.float32)
    holes[4:7, 3:] = np.nan
    holes[0, 0], holes[1, 1] = np.inf, -np.inf
    z, y, x = np.indices((17, 18, 33)) - 8.0
    bowl = (z**2 + y * z + x * y * z / 16) / 8
    words = np.arange(57, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return {
        "lattice": (field(21, 35).astype(np.float32), {"max_error": 0.01}),
        "lattice-coarse": (field(3, 33, 35).astype(np.float64), {"max_error": "2%"}),
        "boxes": (bowl, {"max_error": 0.05}),
        "holes": (holes, {"max_error": 0.1}),
        "missing": (
            np.where(field(20, 20) > 9, -9999.0, field(20, 20)),
            {
                "max_error": 0.05,
                "missing": -9999,
            },
        ),
        "relative": (field(25, 30).astype(np.float32) - 3, {"max_relative_error": 0.01}),
        "relative-double": (field(600) ** 9 - 1, {"max_relative_error": 1e-4}),
        "ranks": (np.rint(field(40, 50)).astype(np.float32) / 8, {"lossless": True}),
        "low-bits": (field(77), {"lossless": True}),
        "wide-integers": (words, {"lossless": True}),
        "bytes": (np.rint(field(31, 37)).astype(np.uint8), {"lossless": True}),
        "bytes-lossy": (np.rint(field(2, 3, 31, 37)).astype(np.uint8), {"max_error": 2}),
        "bool": (field(29, 31) > 9, {"lossless": True}),
        "half": (field(29, 31).astype(np.float16), {"max_error": 0.3}),
        "complex": (field(29, 31) * (1 + 2j), {"max_error": 0.3}),
        "big-endian": (np.rint(field(29, 31)).astype(">i2"), {"max_error": 1}),
        "chunks": (field(29, 31).astype(np.float32), {"max_error": 0.1, "chunk": (10, 16)}),
        "mean": (field(29, 31).astype(np.float32), {"psnr": 50}),
        "patches": (np.float32(2**24) + np.arange(60, dtype=np.float32), {"max_error": 1.2}),
        "no-axes": (np.array(3.5), {"max_error": 1}),
        "empty": (np.zeros((3, 0, 2), np.int32), {"lossless": True}),
        "five-axes": (field(2, 3, 2, 5, 7).astype(np.float32), {"max_error": 0.2}),
    }


def main() -> None:
    if (FOLDER / "arrays.json").exists():
        sys.exit("the golden files are there, and are never made again")
    (FOLDER / "valid").mkdir(exist_ok=True)
    manifest = {}
    for name, (values, options) in examples().items():
        data = encode_array(values, **options)
        found = decode_array(data)
        (FOLDER / "valid" / f"{name}.vqc").write_bytes(data)
        facts = inspect(data).facts
        manifest[name] = {
            "dtype": found.dtype.name,
            "shape": list(found.shape),
            "sha256": hashlib.sha256(
                found.astype(found.dtype.newbyteorder("<")).tobytes()
            ).hexdigest(),
            "facts": {key: facts[key] for key in ("mode", "bound", "reached", "map", "predictor")},
        }
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    (FOLDER / "arrays.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
