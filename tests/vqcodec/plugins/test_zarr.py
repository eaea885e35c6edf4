"""Arrays in zarr's format 3: within the bound, in every shape of chunk, read where only zarr is."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
import zarr
from numpy.typing import NDArray
from sources import ROOT
from zarr.codecs import TransposeCodec

from vqcodec.errors import (
    BadMagicError,
    ChecksumError,
    CorruptError,
    InputError,
    LimitError,
    TruncatedError,
)
from vqcodec.media.array.coder import encode_array
from vqcodec.media.array.description import DTYPES
from vqcodec.plugins.zarr import VqcodecCodec

BOUND = 0.01


def field(shape: tuple[int, ...], dtype: str = "float32", seed: int = 0) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    values: Any = np.cumsum(rng.normal(size=shape), axis=-1 if shape else None)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * values[..., ::-1] if shape else values + 2j
    if np.dtype(dtype).kind in "iu":
        values = np.abs(values) * 3
    return np.asarray(values).reshape(shape).astype(dtype)


def create(store: Path, values: NDArray[Any], chunks: Any, **options: Any) -> zarr.Array[Any]:
    """An array of these values, whose chunks hold nothing but our streams."""
    target = zarr.create_array(
        store,
        shape=values.shape,
        dtype=values.dtype,
        chunks=chunks,
        serializer=VqcodecCodec(**options) if options else VqcodecCodec(max_error=BOUND),
        compressors=None,
    )
    target[...] = values
    return target


def files(store: Path) -> list[Path]:
    """Those of chunks."""
    return [path for path in store.rglob("*") if path.is_file() and path.name != "zarr.json"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "chunks"), [((19, 13), (8, 9)), ((5, 0), (2, 3)), ((), ())])
def test_every_value_of_every_dtype_is_within_the_bound(
    tmp_path: Path, dtype: str, shape: tuple[int, ...], chunks: tuple[int, ...]
) -> None:
    values = field(shape, dtype)
    create(tmp_path, values, chunks)
    found = np.asarray(zarr.open_array(tmp_path, mode="r")[...])
    assert (found.dtype, found.shape) == (values.dtype, shape)
    if values.dtype.kind in "biu":
        assert np.array_equal(found, values)
    else:
        far = found.astype("complex128") - values.astype("complex128")
        assert np.all(np.maximum(abs(far.real), abs(far.imag)) <= BOUND)


@pytest.mark.parametrize("name", [">f8", "<i4", ">c8"])
def test_either_order_of_bytes(tmp_path: Path, name: str) -> None:
    values = field((19, 23)).astype(name)
    create(tmp_path, values, (8, 23), lossless=True)
    assert np.array_equal(np.asarray(zarr.open_array(tmp_path)[...]), values)


def test_parts_are_read_and_written_across_chunks(tmp_path: Path) -> None:
    values = field((31, 29))
    target = create(tmp_path, values, (8, 8), lossless=True)
    values[5:20, 7:9] = -4
    target[5:20, 7:9] = -4
    assert np.array_equal(np.asarray(zarr.open_array(tmp_path)[3:25:2, 1:28]), values[3:25:2, 1:28])


def test_a_chunk_of_the_fill_value_is_not_stored(tmp_path: Path) -> None:
    values = np.zeros((20, 20), np.float32)
    values[12:, 12:] = field((8, 8)) + 5
    create(tmp_path, values, (10, 10))
    assert [path.name for path in files(tmp_path)] == ["1"]
    found = np.asarray(zarr.open_array(tmp_path)[...])
    assert np.all(found[:10] == 0)
    assert np.abs(found - values).max() <= BOUND


def test_missing_values_and_nan_come_back_exactly(tmp_path: Path) -> None:
    values = field((40, 40))
    values[::3, 1::4], values[5], values[7, 3] = np.nan, -9999, np.inf
    create(tmp_path, values, (16, 16), max_error=BOUND, missing=-9999)
    found = np.asarray(zarr.open_array(tmp_path)[...])
    special = ~np.isfinite(values) | (values == -9999)
    assert np.array_equal(found[special], values[special], equal_nan=True)
    assert np.abs(found[~special] - values[~special]).max() <= BOUND


def test_in_shards_and_transposed(tmp_path: Path) -> None:
    values = field((40, 24, 12))
    target = zarr.create_array(
        tmp_path,
        shape=values.shape,
        dtype="float32",
        chunks=(10, 12, 6),
        shards=(20, 24, 12),
        filters=[TransposeCodec(order=(2, 0, 1))],
        serializer={"name": "vqcodec", "configuration": {"max_error": BOUND, "chunk": [3, 10, 12]}},
        compressors=None,
    )
    target[...] = values
    assert len(files(tmp_path)) == 2
    assert np.abs(np.asarray(zarr.open_array(tmp_path)[...]) - values).max() <= BOUND


def test_the_configuration_is_that_of_encode_array(tmp_path: Path) -> None:
    create(tmp_path, field((9, 9)), (9, 9), psnr=np.float32(60), missing=-1, chunk=(4, 4))
    codecs = json.loads((tmp_path / "zarr.json").read_text("utf-8"))["codecs"]
    wanted = {"psnr": 60.0, "missing": -1, "chunk": [4, 4]}
    assert codecs == [{"name": "vqcodec", "configuration": wanted}]
    assert VqcodecCodec.from_dict(codecs[0]) == VqcodecCodec(psnr=60, missing=-1, chunk=(4, 4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "there is no default"),
        ({"max_error": 1, "lossless": True}, "give one of them"),
        ({"max_error": -1}, "got -1"),
        ({"max_error": "much"}, "got 'much'"),
        ({"lossless": True, "chunk": [0]}, "got 0"),
        ({"lossless": True, "missing": float("nan")}, "got nan"),
        ({"lossless": True, "missing": "none"}, "got 'none'"),
        ({"level": 5}, "no option 'level'; there are max_error"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        VqcodecCodec.from_dict({"name": "vqcodec", "configuration": options})


@pytest.mark.parametrize("data", [{"name": "zstd"}, {"name": "vqcodec", "configuration": 3}])
def test_what_is_no_configuration_is_refused(data: Any) -> None:
    with pytest.raises(InputError, match="no configuration of the codec vqcodec"):
        VqcodecCodec.from_dict(data)


@pytest.mark.parametrize(
    ("dtype", "options", "message"),
    [
        ("datetime64[s]", {"lossless": True}, "datetime64"),
        ("uint8", {"lossless": True, "missing": -1}, "missing value -1"),
        ("uint8", {"lossless": True, "chunk": (2, 2)}, "has 1 axes"),
    ],
)
def test_what_cannot_be_coded_is_refused_before_anything_is_stored(
    tmp_path: Path, dtype: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        create(tmp_path, np.zeros(4, dtype), (2,), **options)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("other", "error"),
    [
        (b"", TruncatedError),
        (b"not a stream of ours", BadMagicError),
        (field((5, 4)), CorruptError),
        (field((4, 5), "float64"), CorruptError),
        (field((5, 5)), LimitError),
    ],
)
def test_a_chunk_of_another_array_is_refused(
    tmp_path: Path, other: Any, error: type[Exception]
) -> None:
    target = create(tmp_path, field((4, 5)), (4, 5))
    (file,) = files(tmp_path)
    file.write_bytes(other if isinstance(other, bytes) else encode_array(other, lossless=True))
    with pytest.raises(error):
        target[...]


def test_a_damaged_chunk_is_refused(tmp_path: Path) -> None:
    target = create(tmp_path, field((40, 50)), (40, 50))
    (file,) = files(tmp_path)
    data = bytearray(file.read_bytes())
    data[-20] ^= 1
    file.write_bytes(data)
    with pytest.raises(ChecksumError):
        target[...]


READER = """
import sys, zarr
array = zarr.open_array(sys.argv[1], mode="r")
print(repr(float(array[3, 4])), array[...].sum(dtype="float64"), "torch" in sys.modules)
"""


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment that knows the entry points of pyproject.toml, as an installation does."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    folder = tmp_path / "site" / "vqcodec-0.1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: vqcodec\nVersion: 0.1.0\n")
    lines = [
        f"[{group}]\n{name} = {value}\n"
        for group, members in points.items()
        for name, value in members.items()
    ]
    (folder / "entry_points.txt").write_text("".join(lines))
    roots = [folder.parent, ROOT, ROOT / "kernels"]
    return {"PYTHONPATH": ":".join(map(str, roots)), "PATH": ""}


def test_another_process_reads_it_that_imports_zarr_alone(
    tmp_path: Path, installed: dict[str, str]
) -> None:
    create(tmp_path / "x", field((30, 40)), (16, 16))
    found = np.asarray(zarr.open_array(tmp_path / "x")[...])
    done = subprocess.run(
        [sys.executable, "-c", READER, str(tmp_path / "x")],
        env=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    wanted = f"{float(found[3, 4])!r} {found.sum(dtype='float64')} False\n"
    assert (done.returncode, done.stdout) == (0, wanted), done.stderr


def test_xarray_writes_and_reads_it(tmp_path: Path) -> None:
    values = field((3, 40, 50))
    values[:, 4:9, 7] = np.nan
    data = xarray.Dataset(
        {"wind": (("level", "latitude", "longitude"), values, {"units": "m/s"})},
        coords={"level": [200, 500, 850]},
    )
    encoding = {
        "wind": {
            "serializer": VqcodecCodec(max_error=BOUND),
            "compressors": None,
            "chunks": (1, 40, 50),
        }
    }
    data.to_zarr(tmp_path, encoding=encoding, zarr_format=3, consolidated=False)
    found = xarray.open_zarr(tmp_path, consolidated=False, chunks=None)
    assert np.array_equal(np.isnan(found.wind), np.isnan(values))
    assert float(abs(found.wind - values).max()) <= BOUND
    assert found.wind.attrs["units"] == "m/s"
    assert list(found.level) == [200, 500, 850]
