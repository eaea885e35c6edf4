"""Writes the golden files of vectors: streams, and what they decode to.

    python tests/golden/vector/make_golden.py

They are made once and never again: what they hold decodes the same for ever.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec import inspect, vectors

FOLDER = Path(__file__).parent


def rows(count: int, dim: int) -> NDArray[np.float32]:
    """Waves of arithmetic progressions, of falling size: the same everywhere."""
    places = np.arange(count * dim).reshape(count, dim)
    return ((places * 7919 % 997 - 498.0) / (20 + 9 * np.arange(dim))).astype(np.float32)


def examples() -> dict[str, tuple[NDArray[Any], dict[str, Any]]]:
    return {
        "own-codebook": (rows(400, 21), {"bytes_per_vector": 10, "effort": 4}),
        "half": (rows(300, 8).astype(np.float16), {"bytes_per_vector": 6, "effort": 2}),
        "two-blocks": (rows(4100, 3), {"bytes_per_vector": 2, "effort": 1}),
        "one-number": (rows(50, 1), {"bytes_per_vector": 8, "effort": 1}),
        "equal": (np.full((90, 4), 2.5, np.float32), {"bytes_per_vector": 4, "effort": 1}),
        "shared-codebook": (
            rows(120, 21),
            {"bytes_per_vector": 6, "effort": 2, "codebook": FOLDER / "shared.vqb"},
        ),
    }


def digest(values: NDArray[Any]) -> str:
    little = values.astype(values.dtype.newbyteorder("<"))
    return hashlib.sha256(np.ascontiguousarray(little).tobytes()).hexdigest()


def main() -> None:
    if (FOLDER / "vectors.json").exists():
        sys.exit("the golden files are there, and are never made again")
    (FOLDER / "valid").mkdir(exist_ok=True)
    book = vectors.train_codebook(rows(500, 21), bytes_per_vector=6, effort=3)
    (FOLDER / "shared.vqb").write_bytes(book)
    manifest = {}
    for name, (values, options) in examples().items():
        data = vectors.encode(values, **options)
        found = vectors.open(data, codebook=options.get("codebook"))
        (FOLDER / "valid" / f"{name}.vqc").write_bytes(data)
        manifest[name] = {
            "codes": digest(found.codes().astype(np.uint16)),
            "shape": list(found.codes().shape),
            "dtype": found.description.dtype,
            "vectors": digest(found.rebuild()),
            "fingerprint": inspect(data).fingerprint,
        }
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    (FOLDER / "vectors.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
