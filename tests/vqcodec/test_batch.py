"""Columns of signals to columns of streams, as frameworks for many machines hand them over."""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vqcodec.batch import encode_batch
from vqcodec.codec import Codec
from vqcodec.errors import InputError, UnknownModelError

Pixels = NDArray[np.uint8]

MADE = ["stream", "rate", "seconds", "sha256", "error"]


@pytest.fixture
def batch(photo: Pixels, tmp_path: Path) -> dict[str, Any]:
    """Bytes of a file, a path, an array, and two that are no picture."""
    file = io.BytesIO()
    Image.fromarray(photo[:21, :33]).save(file, "PNG")
    path = tmp_path / "b.png"
    Image.fromarray(photo[:40, :9]).save(path)
    signals = [file.getvalue(), str(path), photo[:5, :7], b"no picture", None]
    return {"key": [5, 4, 3, 2, 1], "bytes": signals}


def test_each_row_has_its_stream_or_its_error(
    batch: dict[str, Any], codec: Codec, tiny_path: Path
) -> None:
    done = encode_batch(batch, model=tiny_path, quality=30)
    assert list(done) == ["key", *MADE]
    assert done["key"] == batch["key"]
    assert done["stream"][:3] == [codec.encode(s, quality=30) for s in batch["bytes"][:3]]
    for row, samples in enumerate((21 * 33, 40 * 9, 5 * 7)):
        stream = done["stream"][row]
        assert done["rate"][row] == 8 * len(stream) / samples
        assert done["sha256"][row] == hashlib.sha256(stream).hexdigest()
        assert done["seconds"][row] > 0
        assert done["error"][row] is None
    for name in MADE[:-1]:
        assert done[name][3:] == [None, None]
    assert all(done["error"][3:])


def test_frames_and_tables_are_taken_too(batch: dict[str, Any], tiny_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pyarrow = pytest.importorskip("pyarrow")
    rows = [0, 3, 4]
    batch = {name: [values[row] for row in rows] for name, values in batch.items()}
    expected = encode_batch(batch, model=tiny_path)
    for made in (pandas.DataFrame(batch), pyarrow.table(batch)):
        done = encode_batch(made, model=tiny_path)
        assert {**done, "seconds": 0} == {**expected, "seconds": 0}
    assert list(pandas.DataFrame(done)["error"].isna()) == [True, False, False]


def test_an_empty_batch_has_all_columns(tiny_path: Path) -> None:
    assert encode_batch({"bytes": []}, model=tiny_path) == {name: [] for name in MADE}


def test_wrong_calls_are_refused(tiny_path: Path) -> None:
    with pytest.raises(InputError, match="no column 'image'; there are key, bytes"):
        encode_batch({"key": [1], "bytes": [b""]}, column="image", model=tiny_path)
    with pytest.raises(UnknownModelError):
        encode_batch({"bytes": [b""]}, model="nowhere")
