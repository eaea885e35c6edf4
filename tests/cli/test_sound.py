"""The command on sounds: files, folders, pipes of bare samples, parts by time, what was cut."""

import io
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from counted import Counted
from laws import EXAMPLES
from numpy.typing import NDArray
from tiny import write_tiny

from vqcodec.bitstream import Limits
from vqcodec.media.sound.medium import MEDIUM
from vqcodec.media.sound.signal import Sound
from vqcodec.media.sound.wav import WavHead, pack_wav_head

RunCli = Callable[..., Any]


@pytest.fixture(autouse=True, scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model that goes before the default one: a later one of its name."""
    example, folder = EXAMPLES["sound"], tmp_path_factory.mktemp("models")
    samples, path = example.samples(), folder / "sound.safetensors"
    write_tiny(path, example.config, samples, list(samples), name="sound", generation=9)
    return folder


@pytest.fixture(autouse=True)
def here(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VQCODEC_MODELS", str(models))
    monkeypatch.chdir(tmp_path)


def tones(samples: int = 8821) -> NDArray[np.float32]:
    time = np.arange(samples) / 8000
    both = np.stack([np.sin(900 * time), np.cos(1300 * time)], axis=1) * 0.25
    rounded: NDArray[np.float32] = (np.rint(both * 32768) / 32768).astype(np.float32)
    return rounded


@pytest.fixture
def talk() -> Path:
    """0.8 seconds of stereo at 11025 samples a second, with tags, as talk.wav."""
    sound = Sound(tones(), rate=11025, tags={"title": "A talk", "artist": "me"})
    Path("talk.wav").write_bytes(MEDIUM.write(sound, format="wav"))
    return Path("talk.wav")


@pytest.fixture
def stream(run_cli: RunCli, talk: Path) -> Path:
    assert run_cli("encode", talk).code == 0
    return Path("talk.vqc")


def read(name: str) -> Sound:
    return MEDIUM.read(Path(name).read_bytes(), Limits())


def test_there_and_back(run_cli: RunCli, talk: Path) -> None:
    encoded = run_cli("encode", talk, "--kbps", "16")
    assert (encoded.code, encoded.err) == (0, "")
    assert encoded.out.startswith("talk.vqc: 8,821 samples, ")
    assert " kbps, quality " in encoded.out
    assert Path("talk.vqc").stat().st_size <= 16 * 125 * 8821 / 11025
    talk.unlink()
    decoded = run_cli("decode", "talk.vqc")
    assert (decoded.code, decoded.err) == (0, "")
    assert decoded.out.startswith("talk.wav: 8,821 samples (0.80 s), ")
    back = read("talk.wav")
    assert (back.rate, back.extent, back.channels) == (11025, (8821,), 2)
    assert back.tags == {"title": "A talk", "artist": "me"}


@pytest.mark.parametrize(("suffix", "most"), [(".flac", 2**-15), (".ogg", 0.2)])
@pytest.mark.usefixtures("stream")
def test_other_formats(run_cli: RunCli, suffix: str, most: float) -> None:
    assert run_cli("decode", "talk.vqc", "-o", "back.wav").code == 0
    assert run_cli("decode", "talk.vqc", "-o", f"back{suffix}").code == 0
    one, other = read("back.wav"), read(f"back{suffix}")
    assert one.extent == other.extent
    assert np.abs(one.samples - other.samples).max() <= most


@pytest.mark.usefixtures("stream")
def test_info_and_verify(run_cli: RunCli) -> None:
    shown = run_cli("info", "talk.vqc").out
    assert "  sound     8,821 samples stereo\n" in shown
    assert " kbps, 0.800 seconds, rate 11025, model_rate 8000, title: A talk" in shown.replace(
        "artist: me, ", ""
    )
    record = json.loads(run_cli("info", "--json", "talk.vqc").out)
    assert (record["medium"], record["samples"], record["rate"]) == ("sound", 8821, 11025)
    assert record["tags"] == {"title": "A talk", "artist": "me"}
    assert run_cli("verify", "talk.vqc").out == "talk.vqc: ok\n"


def test_tags_are_left_out_on_request(run_cli: RunCli, talk: Path) -> None:
    assert run_cli("encode", talk, "--strip").code == 0
    assert "tags" not in json.loads(run_cli("info", "--json", "talk.vqc").out)


@pytest.mark.parametrize(
    ("options", "start", "stop"),
    [
        (("--from", "0.2", "--for", ".3s"), 2205, 5513),
        (("--from", "0:00:00.5"), 5512, 8821),
        (("--for", "0.1"), 0, 1102),
        (("--from", "0.7", "--for", "1:00"), 7717, 8821),
        (("--region", "100,50"), 100, 150),
    ],
)
@pytest.mark.usefixtures("stream")
def test_a_part_is_what_the_whole_has_there(
    run_cli: RunCli, options: tuple[str, ...], start: int, stop: int
) -> None:
    assert run_cli("decode", "talk.vqc", "-o", "whole.wav").code == 0
    found = run_cli("decode", "talk.vqc", *options, "-o", "part.wav", "--json")
    assert (found.code, found.err) == (0, "")
    record = json.loads(found.out)
    assert (record["samples"], record["duration"]) == (stop - start, (stop - start) / 11025)
    part, whole = read("part.wav").samples, read("whole.wav").samples
    np.testing.assert_array_equal(part, whole[start:stop])


def test_a_part_reads_part_of_the_file(
    run_cli: RunCli, stream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_cli("decode", stream, "-o", "whole.wav").code == 0
    file = Counted(stream.read_bytes())
    monkeypatch.setattr("vqcodec.media.registry.open_to_seek", lambda _: nullcontext(file))
    monkeypatch.setattr("vqcodec_cli.inputs.Source.read", None)
    options = ("--from", "0.2", "--for", "0.1", "-o", "part.wav")
    assert run_cli("decode", stream, *options).code == 0
    assert 0 < file.count < len(file.getvalue()) / 2
    np.testing.assert_array_equal(read("part.wav").samples, read("whole.wav").samples[2205:3307])


@pytest.mark.usefixtures("stream")
def test_a_sound_has_no_choice_of_bits(run_cli: RunCli) -> None:
    found = run_cli("decode", "talk.vqc", "--bits", "16", "-o", "back.wav")
    says = "a sound is decoded without --bits, got --bits 16"
    assert (found.code, says in found.err) == (2, True)
    assert not Path("back.wav").exists()


@pytest.mark.parametrize(
    "options",
    [
        ("--from", "0.9"),
        ("--from", "x"),
        ("--from", "-1"),
        ("--for", "1:2:3:4"),
        ("--from", "0", "--region", "1,1"),
        ("--rate", "half"),
        ("--rate", "0"),
        ("--raw", "mp3"),
    ],
)
@pytest.mark.usefixtures("stream")
def test_parts_that_there_are_not(run_cli: RunCli, options: tuple[str, ...]) -> None:
    found = run_cli("decode", "talk.vqc", "-o", "part.wav", *options)
    assert found.code == 2
    assert not Path("part.wav").exists()


def test_a_picture_has_no_time_and_no_rate(run_cli: RunCli, photo: Path) -> None:
    assert run_cli("encode", photo, "-m", "photo", "-o", "photo.vqc").code == 0
    found = run_cli("decode", "photo.vqc", "--from", "1", "-o", "part.png")
    assert (found.code, "a picture has no time" in found.err) == (2, True)
    found = run_cli("decode", "photo.vqc", "--rate", "8000", "-o", "part.png")
    assert (found.code, "a picture has no rate" in found.err) == (2, True)
    found = run_cli("encode", photo, "-m", "photo", "-o", "x.vqc", "--kbps", "3")
    assert (found.code, "a picture is in bpp" in found.err) == (2, True)
    found = run_cli("encode", photo, "-m", "photo", "-o", "x.vqc", "--raw", "8000,1,s16")
    assert (found.code, "a picture is not read of bare samples" in found.err) == (2, True)


@pytest.mark.parametrize("raw", [False, True])
def test_a_limit_counts_alike_both_ways(run_cli: RunCli, raw: bool) -> None:
    """A model of 8000 a second makes 2000 samples of 1000 at 4000, and decoding counts these."""
    Path("slow.raw").write_bytes(MEDIUM.write(Sound(tones()[:1000], rate=4000), format="s16"))
    words = ["--raw", "4000,2,s16"]
    if not raw:
        assert run_cli("encode", "slow.raw", *words, "-o", "slow.vqc").code == 0
        assert run_cli("decode", "slow.vqc", "-o", "slow.wav").code == 0
    name, words = ("slow.raw", words) if raw else ("slow.wav", [])
    found = run_cli("encode", name, *words, "-o", "x.vqc", "--max-samples", "1999")
    assert (found.code, "codes it as 2000 samples" in found.err) == (1, True)
    assert run_cli("encode", name, *words, "-o", "x.vqc", "--max-samples", "2000").code == 0
    assert run_cli("decode", "x.vqc", "-o", "y.wav", "--max-samples", "1999").code == 1
    assert run_cli("decode", "x.vqc", "-o", "y.wav", "--max-samples", "2000").code == 0


@pytest.mark.usefixtures("stream")
def test_another_rate(run_cli: RunCli) -> None:
    for rate, samples in (("model", 6401), ("22050", 17642)):
        assert run_cli("decode", "talk.vqc", "--rate", rate, "-o", f"{rate}.wav").code == 0
        assert read(f"{rate}.wav").extent == (samples,)


def test_bare_samples_through_pipes(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = Sound(tones(), rate=11025)
    bare = MEDIUM.write(sound, format="s16")
    Path("a.wav").write_bytes(MEDIUM.write(sound, format="wav"))
    assert run_cli("encode", "a.wav").code == 0
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(bare)))
    monkeypatch.setattr("sys.stdin", stdin)
    assert run_cli("encode", "-", "--raw", "11025,2,s16", "-o", "b.vqc").code == 0
    assert Path("b.vqc").read_bytes() == Path("a.vqc").read_bytes()
    assert run_cli("decode", "b.vqc", "-o", "whole.wav").code == 0
    for format in ("s16", "f32"):
        assert run_cli("decode", "b.vqc", "--raw", format, "-o", "bare").code == 0
        found = MEDIUM.from_raw(Path("bare").read_bytes(), f"11025,2,{format}", Limits())
        assert np.abs(found.samples - read("whole.wav").samples).max() <= 2**-16
        Path("bare").unlink()
    assert run_cli("decode", "b.vqc", "--raw", "s16").code == 2
    assert run_cli("encode", "a.wav", "--raw", "x", "-o", "c.vqc").code == 2


@pytest.mark.parametrize("target", [(), ("--size", "900")])
def test_bare_samples_that_do_not_fit(run_cli: RunCli, target: tuple[str, ...]) -> None:
    for size, code, says in ((2000, 0, ""), (2001, 1, "no whole number"), (0, 1, "empty")):
        Path("a.pcm").write_bytes(bytes(size))
        found = run_cli("encode", "a.pcm", "--raw", "8000,1,s16", "-o", f"{size}.vqc", *target)
        assert (found.code, says in found.err) == (code, True)
    Path("a.pcm").write_bytes(bytes(2000))
    found = run_cli(
        *("encode", "a.pcm", "--raw", "8000,1,s16", "-o", "b.vqc", "--max-samples", "999", *target)
    )
    assert (found.code, "more" in found.err) == (1, True)


def test_bare_samples_are_encoded_as_they_are_read(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks, to the bytes of the whole."""
    noise = np.random.default_rng(0).integers(-9000, 9000, 30_000).astype("<i2")
    monkeypatch.setattr("vqcodec_cli.piped._BLOCK_BYTES", 48 * 150)
    Path("a.pcm").write_bytes(noise.tobytes())
    Path("whole.wav").write_bytes(
        pack_wav_head(WavHead("s16", 1, 48000, len(noise), 0)) + noise.tobytes()
    )
    assert run_cli("encode", "whole.wav", "-q", "0", "--effort", "1").code == 0
    monkeypatch.setattr("vqcodec_cli.inputs.Source.read", None)
    options = ("--raw", "48000,1,s16", "-q", "0", "--effort", "1", "-o", "a.vqc")
    assert run_cli("encode", "a.pcm", *options).code == 0
    assert Path("a.vqc").read_bytes() == Path("whole.vqc").read_bytes()


def test_a_folder_of_sounds_and_pictures(run_cli: RunCli, talk: Path, photo: Path) -> None:
    Path("in").mkdir()
    talk.rename("in/talk.wav")
    photo.rename("in/photo.png")
    assert run_cli("encode", "in", "-o", "out/", "--size", "3000").code == 0
    assert run_cli("decode", "out", "-o", "back/").code == 0
    assert sorted(path.name for path in Path("back").iterdir()) == ["photo.png", "talk.wav"]


def test_bare_samples_in_a_folder(run_cli: RunCli, talk: Path) -> None:
    Path("in").mkdir()
    Path("in/a.pcm").write_bytes(bytes(2000))
    talk.rename("in/talk.wav")
    assert run_cli("encode", "in", "-o", "out/", "--raw", "8000,1,s16").code == 0
    assert [path.name for path in Path("out").iterdir()] == ["a.vqc"]


@pytest.mark.usefixtures("stream")
def test_what_was_cut_plays_up_to_its_last_whole_region(run_cli: RunCli) -> None:
    data = Path("talk.vqc").read_bytes()
    Path("cut.vqc").write_bytes(data[: len(data) // 2])
    assert run_cli("decode", "cut.vqc", "-o", "cut.wav").code == 1
    found = run_cli("decode", "cut.vqc", "--partial", "-o", "cut.wav", "--json")
    assert found.code == 0
    record, cut = json.loads(found.out), read("cut.wav")
    there, seconds = record["regions_there"], cut.extent[0] / 11025
    assert 1 < there < record["regions"] == 67
    # A region is 96 samples of 8000; the filter looks 64 of them ahead.
    assert seconds == pytest.approx((96 * there - 64) / 8000, abs=2e-4)
    assert f"{there} of 67 regions are there, the others are blank" in found.err
    assert f"and it ends after {seconds:.2f} s" in found.err
    assert run_cli("decode", "talk.vqc", "-o", "whole.wav").code == 0
    # Up to where the network would look at the region that is not there.
    same = len(cut.samples) - 48 * 11025 // 8000 - 100
    np.testing.assert_array_equal(cut.samples[:same], read("whole.wav").samples[:same])


def test_stereo_into_mono_is_said(run_cli: RunCli, models: Path, talk: Path) -> None:
    import torch
    from tiny import tiny_config

    config = tiny_config(
        medium="sound", channels=1, numbers={"rate": 8000}, stride=(8,), latent_dim=4, stages=2
    )
    samples = 0.2 * torch.randn(4, 1, 512, generator=torch.Generator().manual_seed(0))
    write_tiny(Path("mono.safetensors"), config, samples, list(samples), name="mono")
    found = run_cli("encode", talk, "-m", "mono.safetensors")
    assert found.code == 0
    assert "8,821 samples, 2 channels mixed to 1, " in found.out


@pytest.mark.parametrize("content", [b"RIFF1234WAVE", b"fLaC", b"ID3", b"OggS" + bytes(90)])
def test_files_that_are_no_sound_are_one_line(run_cli: RunCli, content: bytes) -> None:
    Path("bad.wav").write_bytes(content)
    found = run_cli("encode", "bad.wav")
    assert (found.code, found.out, found.err.count("\n")) == (1, "", 1)
    assert found.err.startswith("vqcodec: bad.wav: the sound is damaged")
