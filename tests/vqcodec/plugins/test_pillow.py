"""`.vqc` in Pillow: opened, drafted, verified and saved as any other format."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from laws import EXAMPLES
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError
from tiny import write_tiny

from vqcodec.codec import Codec, load
from vqcodec.media.picture.signal import Picture
from vqcodec.plugins import pillow

Pixels = NDArray[np.uint8]

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

pytestmark = pytest.mark.usefixtures("tiny_model")


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pillow, "DEVICE", "cpu")


def opened(data: bytes) -> ImageFile.ImageFile:
    return Image.open(io.BytesIO(data))


def saved(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "VQC", model="tiny", **options)
    return file.getvalue()


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_every_kind_is_opened(codec: Codec, photo: Pixels, channels: int, mode: str) -> None:
    pixels = np.concatenate([photo, photo[:, ::-1, :1]], axis=2)[:, :, -channels:]
    data = codec.encode(pixels, quality=80)
    image = opened(data)
    assert (image.format, image.mode, image.size) == ("VQC", mode, (203, 149))
    assert image.get_format_mimetype() == "image/x-vqcodec"
    np.testing.assert_array_equal(np.asarray(image), codec.decode(data))
    # What was loaded is Pillow's own, and may be written to.
    access = image.load()
    assert access is not None
    access[3, 2] = value = (7,) * channels if channels > 1 else 7
    assert image.getpixel((3, 2)) == value


def test_a_file_is_closed_once_it_was_read(codec: Codec, photo: Pixels, tmp_path: Path) -> None:
    path = tmp_path / "photo.vqc"
    path.write_bytes(codec.encode(photo))
    image = Image.open(path)
    np.testing.assert_array_equal(np.asarray(image), codec.decode(path))
    assert image.fp is None
    path.unlink()
    assert image.copy().size == (203, 149)


def test_opening_needs_neither_torch_nor_the_model(
    codec: Codec, photo: Pixels, tmp_path: Path
) -> None:
    path = tmp_path / "photo.vqc"
    path.write_bytes(codec.encode(Picture(photo, icc=PROFILE)))
    code = (
        "import sys; from PIL import Image; import vqcodec.plugins.pillow; "
        "image = Image.open(sys.argv[1]); image.info['icc_profile']; image.verify(); "
        "print(image.mode, image.size, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "RGB (203, 149) False\n"), done.stderr


def test_profile_and_exif_travel(codec: Codec, photo: Pixels) -> None:
    """Both ways; an orientation is applied, and what is given replaces what the image had."""
    image = Image.fromarray(photo)
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a maker", 6
    data = saved(image, exif=exif, icc_profile=PROFILE)
    again = opened(data)
    assert again.size == (149, 203)
    assert again.info["icc_profile"] == PROFILE
    assert (again.getexif()[0x010F], again.getexif()[0x0112]) == ("a maker", 1)
    turned = np.asarray(image.transpose(Image.Transpose.ROTATE_270))
    np.testing.assert_array_equal(np.asarray(again), codec.decode(codec.encode(turned)))
    # To a JPEG and back Pillow takes them as its own.
    file = io.BytesIO()
    again.save(file, "JPEG", exif=again.info["exif"])
    assert Image.open(file).getexif()[0x010F] == "a maker"
    kept = opened(saved(again))
    assert {name: kept.info[name] for name in again.info} == again.info
    bare = opened(saved(again, exif=None, icc_profile=None))
    assert bare.info == {}
    assert "exif" in again.info


@pytest.mark.parametrize(
    "options", [{}, {"quality": 20}, {"bpp": 0.5}, {"size": 900}, {"psnr": 20.0}, {"effort": 1}]
)
def test_saving_is_encoding(codec: Codec, photo: Pixels, options: dict[str, Any]) -> None:
    assert saved(Image.fromarray(photo), **options) == codec.encode(photo, **options)


def test_a_suffix_is_enough(codec: Codec, photo: Pixels, tmp_path: Path) -> None:
    path = tmp_path / "photo.vqc"
    Image.fromarray(photo).save(path, model="tiny", quality=30)
    assert path.read_bytes() == codec.encode(photo, quality=30)
    # Over itself, while it is open.
    image = Image.open(path)
    image.save(path, model="tiny")
    assert path.read_bytes() == codec.encode(codec.decode(codec.encode(photo, quality=30)))


@pytest.mark.parametrize(
    ("mode", "options", "kind", "said"),
    [
        ("RGB", {"quality": 101}, ValueError, "quality"),
        ("RGB", {"size": 3}, ValueError, "3"),
        ("F", {}, OSError, "floating-point samples"),
        ("RGB", {"model": "none"}, OSError, "none"),
    ],
)
def test_what_cannot_be_saved_leaves_no_file(
    tmp_path: Path, mode: str, options: dict[str, Any], kind: type[Exception], said: str
) -> None:
    path = tmp_path / "photo.vqc"
    with pytest.raises(kind, match=said):
        Image.new(mode, (40, 30)).save(path, **{"model": "tiny", **options})
    assert not path.exists()


@pytest.mark.parametrize(("asked", "shrink"), [((30, 20), 4), ((25, 9), 8), ((90, 70), 2)])
def test_draft_decodes_at_a_scale(
    codec: Codec, photo: Pixels, asked: tuple[int, int], shrink: int
) -> None:
    data = codec.encode(photo)
    image = opened(data)
    assert image.draft(None, asked) == ("RGB", (0, 0, 203 / shrink, 149 / shrink))
    assert image.draft(None, asked) is None
    np.testing.assert_array_equal(np.asarray(image), codec.decode(data, scale=1 / shrink))
    assert image.size == (-(-203 // shrink), -(-149 // shrink))
    assert image.draft(None, asked) is None


def test_a_thumbnail_is_near_that_of_the_whole(codec: Codec, photo: Pixels) -> None:
    data = codec.encode(photo, quality=90)
    image, whole = opened(data), opened(data)
    whole.load()
    image.thumbnail((30, 30))
    assert image._shrink == 2  # type: ignore[attr-defined]
    whole.thumbnail((30, 30))
    assert image.size == whole.size == (30, 22)
    difference = np.asarray(image).astype(float) - np.asarray(whole)
    assert np.abs(difference).mean() < 6
    large = opened(data)
    assert large.draft("L", (200, 100)) is None
    assert large.draft("L", None) is None


def test_damage_is_named_and_never_more_than_an_os_error(codec: Codec, photo: Pixels) -> None:
    """Every cut, and a flipped bit in every byte, when it is opened, verified or loaded."""
    data = codec.encode(Picture(photo[:24, :32], icc=PROFILE[:300]), quality=10)
    damaged = [data[:length] for length in range(len(data))]
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        damaged.append(bytes(flipped))
    for wrong in damaged:
        with pytest.raises(OSError, match=r"\w"):
            opened(wrong).verify()
        with pytest.raises(OSError, match=r"\w"):
            opened(wrong).load()
    with pytest.raises(UnidentifiedImageError, match="header checksum does not match"):
        opened(data[:10] + b"\x00" + data[11:])
    opened(data).verify()


def test_what_is_left_is_shown_on_request(
    regions_codec: Codec, photo: Pixels, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VQCODEC_MODELS", str(Path(regions_codec.card.path).parent))
    data = regions_codec.encode(photo)
    cut = data[:-9]
    image = opened(cut)
    assert image.size == (203, 149)
    with pytest.raises(OSError, match=r"code chunk 3 .* only 30 are there"):
        image.load()
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    np.testing.assert_array_equal(np.asarray(image), regions_codec.decode(cut, partial=True))


def test_a_model_that_is_not_here(
    codec: Codec, photo: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = opened(codec.encode(photo))
    monkeypatch.setenv("VQCODEC_MODELS", "")
    assert image.draft(None, (10, 10)) is None
    with pytest.raises(OSError, match=codec.card.fingerprint):
        image.load()


def test_how_large_is_for_pillow_to_say(
    codec: Codec, photo: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = codec.encode(photo)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15000)
    with pytest.raises(Image.DecompressionBombError):
        opened(data)


def test_a_stream_of_another_medium_is_refused(tmp_path: Path) -> None:
    example = EXAMPLES["sound"]
    samples = example.samples()
    path = write_tiny(tmp_path / "s.safetensors", example.config, samples, list(samples), name="s")
    data = load(path, device="cpu").encode(example.signals()[0])
    with pytest.raises(UnidentifiedImageError, match="holds a sound, no picture"):
        opened(data)
