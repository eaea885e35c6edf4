"""Vectors as the registry has them."""

import io
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from vqcodec import vectors
from vqcodec.bitstream import DEFAULT_LIMITS
from vqcodec.errors import BadModelError, InputError
from vqcodec.grid import whole
from vqcodec.media.registry import (
    find_coder,
    find_medium,
    find_workshop,
    medium_of,
    read_any_stream,
)
from vqcodec.media.vector.coder import CODER
from vqcodec.media.vector.medium import MEDIUM
from vqcodec.media.vector.signal import Vectors


def test_found_by_name_alone() -> None:
    medium = find_medium("vector")
    assert (id(medium), id(find_coder(medium))) == (id(MEDIUM), id(CODER))
    assert medium_of(b"\x93NUMPY\x01\x00").name == "array"
    with pytest.raises(BadModelError, match="no models"):
        find_workshop("vector")


def test_no_model_is_for_vectors() -> None:
    nothing: Any = None
    for call in (
        lambda: MEDIUM.check_model(nothing),
        lambda: MEDIUM.to_samples(nothing, nothing, whole((1,))),
        lambda: MEDIUM.from_samples([], nothing, whole((1,))),
    ):
        with pytest.raises(BadModelError, match="vectors are coded without a model"):
            call()


def test_files_are_those_of_arrays() -> None:
    rows = Vectors(np.arange(12, dtype=np.float32).reshape(4, 3))
    back = MEDIUM.read(MEDIUM.write(rows, format="npy"), DEFAULT_LIMITS)
    assert np.array_equal(MEDIUM.unwrap(back), rows.values)
    with pytest.raises(InputError, match=r"not a whole \.npy file"):
        MEDIUM.read(b"GIF89a", DEFAULT_LIMITS)
    assert MEDIUM.wrap(rows) is rows
    assert MEDIUM.rate(64, rows) == ("bytes a vector", 16.0)


def test_decibels() -> None:
    rows = Vectors(np.array([[0, 2], [2, 0]], np.float32))
    near = Vectors(np.array([[0, 2], [2, 0.2]], np.float32))
    assert MEDIUM.decibels(near, rows) == pytest.approx(20)
    assert MEDIUM.decibels(rows, rows) == float("inf")


def test_searching_needs_no_torch(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("vectors") / "rows.vqc"
    path.write_bytes(data)
    code = (
        "import sys, numpy, vqcodec; "
        f"found = vqcodec.vectors.open({str(path)!r}); "
        "assert found.search(numpy.ones(37), 3).rows.shape == (1, 3); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr


def test_rows_are_written_as_they_are_decoded() -> None:
    rows = np.random.default_rng(3).normal(size=(9001, 6)).astype(np.float32)
    _, stream = read_any_stream(vectors.encode(rows, bytes_per_vector=3), DEFAULT_LIMITS)
    for region in (None, (slice(4090, 4100), slice(1, 5)), (slice(8999, 9001),)):
        file, wanted = io.BytesIO(), CODER.decode(stream, region=region)
        extent = CODER.write_decoded(stream, file, format="npy", region=region)
        assert extent == wanted.extent
        assert file.getvalue() == MEDIUM.write(wanted, format="npy")
