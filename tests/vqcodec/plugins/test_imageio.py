"""`.vqc` in imageio: read, written and described as any other format."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vqcodec.codec import Codec
from vqcodec.errors import MissingDependencyError
from vqcodec.media.picture.signal import Picture

iio = pytest.importorskip("imageio.v3")
importlib.import_module("vqcodec.plugins.imageio")

Pixels = NDArray[np.uint8]

pytestmark = pytest.mark.usefixtures("tiny_model")


@pytest.fixture
def path(codec: Codec, photo: Pixels, tmp_path: Path) -> Path:
    path = tmp_path / "photo.vqc"
    path.write_bytes(codec.encode(Picture(photo, icc=b"profile"), quality=70))
    return path


def test_what_is_read_is_what_decode_gives(codec: Codec, path: Path) -> None:
    expected = codec.decode(path)
    np.testing.assert_array_equal(iio.imread(path), expected)
    np.testing.assert_array_equal(iio.imread(path.read_bytes()), expected)
    np.testing.assert_array_equal(iio.imread(path, index=...), expected[None])
    np.testing.assert_array_equal(list(iio.imiter(path)), expected[None])
    part = (slice(8, 40), slice(3, 20))
    np.testing.assert_array_equal(iio.imread(path, region=part), expected[part])
    np.testing.assert_array_equal(iio.imread(path, scale=1 / 4), codec.decode(path, scale=1 / 4))
    with pytest.raises(ValueError, match="one picture, of index 0, got 1"):
        iio.imread(path, index=1)


def test_grey_has_no_axis_of_channels(codec: Codec, photo: Pixels) -> None:
    data = codec.encode(photo[:, :, 0])
    assert iio.imread(data).shape == iio.improps(data).shape == (149, 203)


def test_what_is_written_is_what_encode_gives(codec: Codec, photo: Pixels, tmp_path: Path) -> None:
    path = tmp_path / "new.vqc"
    iio.imwrite(path, photo, model="tiny", quality=30)
    assert path.read_bytes() == codec.encode(photo, quality=30)
    iio.imwrite(path, photo[None], is_batch=True, model="tiny", bpp=0.5)
    assert path.read_bytes() == codec.encode(photo, bpp=0.5)
    made = iio.imwrite("<bytes>", photo, extension=".vqc", model="tiny")
    assert made == codec.encode(photo)


def test_a_file_is_described_without_decoding(codec: Codec, path: Path) -> None:
    found, batch = iio.improps(path), iio.improps(path, index=...)
    assert (found.shape, found.is_batch) == ((149, 203, 3), False)
    assert found.dtype == np.dtype(np.uint8)
    assert (batch.shape, batch.n_images, batch.is_batch) == ((1, 149, 203, 3), 1, True)
    assert iio.immeta(path) == {
        "fingerprint": codec.card.fingerprint,
        "icc_profile": b"profile",
    }


def test_damage_is_an_error_of_the_host_with_our_reason(path: Path) -> None:
    data = path.read_bytes()
    for length in range(6, len(data), 7):
        with pytest.raises(OSError, match=r"\w"):
            iio.imread(data[:length])
    with pytest.raises(OSError, match="checksum of code chunk 0 does not match"):
        iio.imread(data[:-1] + bytes([data[-1] ^ 4]))
    with pytest.raises(OSError, match="can not handle the given uri"):
        iio.imread(b"GIF89a and so on", plugin="vqcodec")


@pytest.mark.parametrize(
    ("pixels", "options", "kind", "said"),
    [
        (np.zeros((9, 9), np.uint8), {"quality": -1}, ValueError, "quality"),
        (np.zeros((9, 9), np.complex64), {}, OSError, "complex64"),
        (np.zeros((9, 9), np.uint8), {"model": "none"}, OSError, "none"),
        (np.zeros((2, 9, 9), np.uint8), {"is_batch": True}, ValueError, "one picture, got 2"),
    ],
)
def test_what_cannot_be_written_leaves_no_file(
    tmp_path: Path, pixels: NDArray[Any], options: dict[str, Any], kind: Any, said: str
) -> None:
    path = tmp_path / "new.vqc"
    with pytest.raises(kind, match=said):
        iio.imwrite(path, pixels, **{"model": "tiny", **options})
    assert not path.exists()


def test_other_files_are_left_to_others(photo: Pixels, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    iio.imwrite(path, photo)
    np.testing.assert_array_equal(iio.imread(path), photo)
    with pytest.raises(OSError, match="can not handle the given uri"):
        iio.imwrite(path, photo, plugin="vqcodec")


def test_it_needs_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio", None)
    monkeypatch.delitem(sys.modules, "vqcodec.plugins.imageio")
    with pytest.raises(MissingDependencyError, match=r"pip install 'vqcodec\[imageio\]'"):
        importlib.import_module("vqcodec.plugins.imageio")
