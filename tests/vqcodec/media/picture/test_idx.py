"""Pictures of IDX files: read, refused where damaged, and drawn."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from vqcodec.errors import InputError
from vqcodec.media.picture.idx import FixedPictures, read_idx


def test_fixed_pictures_are_drawn_whole() -> None:
    pictures = np.arange(5 * 6, dtype=np.uint8).reshape(5, 1, 2, 3)
    batch = FixedPictures(pictures, seed=0).batch(200)
    assert batch.dtype == torch.float32
    firsts = (batch[:, 0, 0, 0] * 255).round().int().numpy()
    assert set(firsts) == {0, 6, 12, 18, 24}
    np.testing.assert_array_equal(batch.numpy(), pictures[firsts // 6] / np.float32(255))


def test_fixed_pictures_depend_on_the_seed_and_where_a_run_goes_on() -> None:
    pictures = np.arange(256, dtype=np.uint8).reshape(256, 1, 1, 1)
    first, same, other, resumed = (FixedPictures(pictures, seed=seed) for seed in (5, 5, 6, 5))
    resumed.go_on(100)
    wanted = first.batch(16)
    assert torch.equal(wanted, same.batch(16))
    assert not torch.equal(wanted, other.batch(16))
    assert not torch.equal(wanted, resumed.batch(16))


DIGITS = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
IDX = struct.pack(">IIII", 0x803, 3, 4, 5) + DIGITS.tobytes()


def test_idx_file_plain_and_gzipped(tmp_path: Path) -> None:
    (tmp_path / "digits.idx").write_bytes(IDX)
    (tmp_path / "digits.idx.gz").write_bytes(gzip.compress(IDX))
    for name in ("digits.idx", "digits.idx.gz"):
        np.testing.assert_array_equal(read_idx(tmp_path / name), DIGITS[:, None])


NO_IDX = {
    "empty": b"",
    "head alone": IDX[:15],
    "one byte short": IDX[:-1],
    "one byte long": IDX + b"\0",
    "labels": struct.pack(">II", 0x801, 3) + bytes(16),
    "floats": b"\0\0\x0d\x03" + IDX[4:],
    "absurd": struct.pack(">IIII", 0x803, 2**32 - 1, 2**32 - 1, 2**32 - 1) + bytes(60),
}


@pytest.mark.parametrize("data", NO_IDX.values(), ids=NO_IDX.keys())
def test_files_that_are_no_idx_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.idx").write_bytes(data)
    (tmp_path / "a.idx.gz").write_bytes(gzip.compress(data))
    for name in ("a.idx", "a.idx.gz"):
        with pytest.raises(InputError, match=name):
            read_idx(tmp_path / name)


def test_damaged_gzip(tmp_path: Path) -> None:
    packed = gzip.compress(np.random.default_rng(0).bytes(50) + IDX * 20)
    path = tmp_path / "a.idx.gz"
    for position in range(10, len(packed)):
        damaged = bytearray(packed)
        damaged[position] ^= 0xFF
        for data in (packed[:position], bytes(damaged)):
            path.write_bytes(data)
            with pytest.raises(InputError):
                read_idx(path)


def test_idx_file_beyond_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.idx.gz"
    path.write_bytes(gzip.compress(IDX))
    assert len(read_idx(path, limit=60)) == 3
    with pytest.raises(InputError, match="more than 59"):
        read_idx(path, limit=59)
