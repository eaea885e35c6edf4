"""Streams as a dataset of torch: what it yields, in what order, and how it names what is wrong."""

import io
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from vqcodec.codec import Codec
from vqcodec.dataset import StreamDataset
from vqcodec.errors import (
    BadMagicError,
    ChecksumError,
    InputError,
    LimitError,
    MissingDependencyError,
    UnknownModelError,
)
from vqcodec.media.registry import read_any_stream
from vqcodec.stream_places import find_places

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def streams(codec: Codec, photo: Pixels) -> list[bytes]:
    """Of five, two, and five stages, of one extent."""
    return [
        codec.encode(photo[y : y + 40, :56], quality=q) for y, q in ((0, 90), (40, 5), (80, 90))
    ]


@pytest.fixture
def folder(streams: list[bytes], tmp_path: Path, tiny_model: Path) -> Path:
    """The streams in the order of their names, one further down, and a file of another kind."""
    (tmp_path / "b").mkdir()
    for name, data in zip(("a.vqc", "b/a.VQC", "c.vqc"), streams, strict=True):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "readme.txt").write_text("no stream")
    return tmp_path


def codes_of(codec: Codec, data: bytes) -> torch.Tensor:
    return torch.from_numpy(codec.decode_codes(read_any_stream(data)[1]))


def test_codes_are_those_of_the_streams(
    codec: Codec, folder: Path, streams: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = StreamDataset(folder)
    assert [str(place) for place in dataset.places] == [
        str(folder / name) for name in ("a.vqc", "b/a.VQC", "c.vqc")
    ]
    for found, data in zip([dataset[n] for n in range(len(dataset))], streams, strict=True):
        assert found.dtype == torch.int64
        assert torch.equal(found, codes_of(codec, data))
    with pytest.raises(IndexError):
        dataset[3]


def test_a_number_of_stages_cuts_or_fills_up(
    codec: Codec, folder: Path, streams: list[bytes]
) -> None:
    """What is filled up decodes to the same samples: code 0 stands for zeros."""
    short = codes_of(codec, streams[1])
    assert len(short) < 4 < len(codes_of(codec, streams[0]))
    dataset = StreamDataset(folder, stages=4)
    batch = torch.stack([dataset[number] for number in range(3)])
    assert batch.shape == (3, 4, 5, 7)
    for found, data in zip(batch, streams, strict=True):
        own = codes_of(codec, data)[:4]
        assert torch.equal(found[: len(own)], own)
        assert not found[len(own) :].any()
    filled, plain = (codec.reconstruct(c[None], extent=(40, 56)) for c in (batch[1], short))
    torch.testing.assert_close(filled, plain, rtol=0, atol=1e-6)


def test_samples_are_what_decode_gives(codec: Codec, folder: Path, streams: list[bytes]) -> None:
    dataset = StreamDataset(folder, what="samples", transform=np.fliplr)
    np.testing.assert_array_equal(dataset[2], np.fliplr(codec.decode(streams[2])))


def test_no_network_runs_for_codes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.nn.Module, "__call__", lambda *a, **k: pytest.fail("a network ran"))
    assert StreamDataset(folder)[0].shape[1:] == (5, 7)
    with pytest.raises(pytest.fail.Exception, match="a network ran"):
        StreamDataset(folder, what="samples")[0]


def test_no_file_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    dataset = StreamDataset([tmp_path / "missing.vqc", tmp_path / "neither.vqc"])
    assert len(dataset) == 2
    with pytest.raises(InputError, match=r"neither\.vqc: no such file"):
        dataset[1]


@pytest.mark.parametrize("how", ["spawn", "fork"])
def test_workers_yield_the_same(folder: Path, how: str) -> None:
    dataset = StreamDataset(folder, stages=5)
    again = pickle.loads(pickle.dumps(dataset))
    assert again.places == dataset.places
    loader: Any = DataLoader(
        dataset, batch_size=3, num_workers=2, multiprocessing_context=how, shuffle=False
    )
    (batch,) = loader
    assert torch.equal(batch, torch.stack([dataset[number] for number in range(3)]))


def test_a_worker_says_which_file_is_damaged(folder: Path, streams: list[bytes]) -> None:
    (folder / "c.vqc").write_bytes(streams[2][:-1] + bytes([streams[2][-1] ^ 1]))
    loader: Any = DataLoader(
        StreamDataset(folder), batch_size=None, num_workers=1, multiprocessing_context="fork"
    )
    with pytest.raises(ChecksumError, match=r"c\.vqc: "):
        list(loader)


@pytest.mark.parametrize(
    ("kind", "data", "most"),
    [(BadMagicError, b"GIF89a", None), (InputError, None, None), (LimitError, "whole", 2239)],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, streams: list[bytes], kind: type[Exception], data: Any, most: int | None
) -> None:
    path = tmp_path / "bad.vqc"
    if data is not None:
        path.write_bytes(streams[0] if data == "whole" else data)
    with pytest.raises(kind, match=r"bad\.vqc: "):
        StreamDataset([path], max_samples=most)[0]


def test_a_model_that_is_not_here_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VQCODEC_MODELS", "")
    with pytest.raises(UnknownModelError, match=r"a\.vqc: "):
        StreamDataset(folder)[0]


@pytest.mark.parametrize(
    ("said", "options"),
    [
        ("what must be one of codes, samples, got 'pixels'", {"what": "pixels"}),
        ("stages must be 1 to 64, a whole number, got 0", {"stages": 0}),
        ("stages are of codes, not of samples, got 3", {"what": "samples", "stages": 3}),
    ],
)
def test_arguments_are_judged(folder: Path, said: str, options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=said):
        StreamDataset(folder, **options)


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    sources: list[Any] = [tmp_path, str(tmp_path), []]
    for source in sources:
        with pytest.raises(InputError, match="there are no streams in"):
            StreamDataset(source)


def written(path: Path, **columns: Any) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    pyarrow, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file, row_group_size=2)
    path.write_bytes(file.getvalue())
    return path


def test_streams_of_parquet(
    codec: Codec, streams: list[bytes], tmp_path: Path, tiny_model: Path
) -> None:
    """In groups of two rows; one that could not be encoded is left out."""
    path = written(
        tmp_path / "part.parquet",
        name=["a", "b", "c", "d"],
        stream=[streams[0], None, streams[1], streams[2]],
        error=[None, "no signal", None, None],
    )
    for source in (path, tmp_path, [str(path)]):
        dataset = StreamDataset(source)
        assert len(dataset) == 3
        for number, data in enumerate(streams):
            assert torch.equal(dataset[number], codes_of(codec, data))
    assert str(dataset.places[1]).endswith("part.parquet: row 0 of group 1")


def test_a_manifest_names_files(folder: Path, codec: Codec, streams: list[bytes]) -> None:
    names = [str(folder / name) for name in ("c.vqc", "a.vqc")]
    manifest = written(folder / "m.parquet", input=["x", "y"], output=names, error=[None, None])
    dataset = StreamDataset(manifest)
    assert [str(place) for place in dataset.places] == names
    assert torch.equal(dataset[0], codes_of(codec, streams[2]))
    # Beside streams it is not one of them.
    assert len(StreamDataset(folder)) == 3


def test_rows_that_hold_no_streams(tmp_path: Path, streams: list[bytes]) -> None:
    path = written(tmp_path / "t.parquet", data=[streams[0], b"no stream", None])
    with pytest.raises(InputError, match="no column 'stream' or 'output'; there are data"):
        find_places(path)
    with pytest.raises(InputError, match="no column 'more'; there are data"):
        find_places(path, "more")
    dataset = StreamDataset(path, column="data")
    with pytest.raises(BadMagicError, match="row 1 of group 0: "):
        dataset[1]
    with pytest.raises(InputError, match="row 0 of group 1: has NoneType instead of a stream"):
        dataset[2]
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and so on")
    with pytest.raises(InputError, match=r"bad\.parquet: is no file of Parquet"):
        StreamDataset(tmp_path / "bad.parquet")


def test_parquet_needs_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'vqcodec\[parquet\]'"):
        StreamDataset(tmp_path / "t.parquet")
