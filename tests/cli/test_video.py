"""The command on videos: files and pipes in, files, pictures and pipes out, and what it refuses."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from clips import container_of, make_video
from PIL import Image

from vqcodec.bitstream import open_stream
from vqcodec.media.video.letters import LETTERS
from vqcodec.media.video.y4m import Y4mWriter, read_y4m


def y4m_bytes(count: int = 12) -> bytes:
    video, file = make_video(count, 48, 64), io.BytesIO()
    writer = Y4mWriter(file, video.facts)
    for frame in video:
        writer.write(frame)
    return file.getvalue()


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clip of 12 frames in 1.2 seconds, in the folder that the command works in."""
    monkeypatch.chdir(tmp_path)
    Path("clip.y4m").write_bytes(y4m_bytes())
    return tmp_path


@pytest.fixture
def coded(run_cli: Any, clip: Path) -> Path:
    outcome = run_cli("encode", "clip.y4m", "--keyframe-seconds", "0.5")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("clip.vqc: 64 x 48, 12 frames, ")
    assert "kbps" in outcome.out
    assert "frames a second" in outcome.out
    return clip


def test_there_and_back(run_cli: Any, coded: Path) -> None:
    record = json.loads(run_cli("info", "--json", "clip.vqc").out)
    assert (record["frames"], record["height"], record["width"], record["regions"]) == (
        12,
        48,
        64,
        3,
    )
    assert record["seconds"] == pytest.approx(1.2)
    assert record["installed_model"]
    assert record["kbps"] == pytest.approx(8 * record["file_bytes"] / 1200)
    text = run_cli("info", "clip.vqc").out
    assert "64 x 48, 12 frames" in text
    assert "3 regions" in text
    assert run_cli("verify", "clip.vqc").out == "clip.vqc: ok\n"
    assert run_cli("decode", "clip.vqc", "-o", "back.y4m").code == 0
    with open("back.y4m", "rb") as file:
        back = list(read_y4m(file))
    for frame, original in zip(back, make_video(12, 48, 64), strict=True):
        assert frame.time == original.time
        assert np.square(frame.y.astype(float) - original.y).mean() < 150
    assert run_cli("decode", "clip.vqc", "-o", "back.mkv").code == 0
    with av.open("back.mkv") as container:
        assert len(list(container.decode(video=0))) == 12


def test_a_part_is_what_the_whole_has_there(run_cli: Any, coded: Path) -> None:
    assert run_cli("decode", "clip.vqc", "-o", "all/%03d.png").code == 0
    assert len(list(Path("all").iterdir())) == 12
    assert (
        run_cli(
            "decode", "clip.vqc", "-o", "some/%03d.png", "--frames", "3:11", "--every", "4"
        ).code
        == 0
    )
    assert sorted(path.name for path in Path("some").iterdir()) == ["003.png", "007.png"]
    assert run_cli("decode", "clip.vqc", "-o", "then.png", "--at", "0.75s").code == 0
    for name, whole in (("some/003.png", 3), ("some/007.png", 7), ("then.png", 7)):
        found, wanted = (np.asarray(Image.open(p)) for p in (name, f"all/{whole:03d}.png"))
        assert np.array_equal(found, wanted)
    Path("clip.mkv").touch()
    refused = run_cli("decode", "clip.vqc")
    assert (refused.code, "-o NAME writes another file" in refused.err) == (4, True)
    refused = run_cli("decode", "clip.vqc", "-o", "all/%03d.png")
    assert (refused.code, "exists already" in refused.err) == (4, True)
    assert run_cli("decode", "clip.vqc", "-o", "all/%03d.png", "-f").code == 0


def test_pipes_go_both_ways(run_cli: Any, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Pipe:
        def __init__(self, data: bytes = b"") -> None:
            self.buffer = io.BufferedReader(io.BytesIO(data)) if data else io.BytesIO()

        def isatty(self) -> bool:
            return False

        def flush(self) -> None: ...

    monkeypatch.setattr(sys, "stdin", Pipe(y4m_bytes()))
    assert run_cli("encode", "-", "-o", "piped.vqc", "--keyframe-seconds", "0.5").code == 0
    assert run_cli("encode", "clip.y4m", "--keyframe-seconds", "0.5").code == 0
    assert Path("piped.vqc").read_bytes() == Path("clip.vqc").read_bytes()
    out = Pipe()
    monkeypatch.setattr(sys, "stdout", out)
    assert run_cli("decode", "piped.vqc", "-o", "-", "--frames", "0:2").code == 0
    out.buffer.seek(0)
    assert len(list(read_y4m(out.buffer))) == 2


def test_containers_with_audio_keep_it(run_cli: Any, clip: Path) -> None:
    frames = [av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * n, np.uint8)) for n in range(8)]
    for number, frame in enumerate(frames):
        frame.pts = number
    Path("talk.mkv").write_bytes(container_of(frames, audio="aac"))
    assert run_cli("encode", "talk.mkv").code == 0
    assert json.loads(run_cli("info", "--json", "talk.vqc").out)["audio_tracks"] == 1
    assert run_cli("decode", "talk.vqc", "-o", "back.mkv").code == 0
    packets = []
    for name in ("talk.mkv", "back.mkv"):
        with av.open(name) as container:
            packets.append([bytes(p) for p in container.demux(audio=0) if p.size])
    assert packets[0] == packets[1] != []
    quiet = run_cli("encode", "talk.mkv", "--no-audio", "-f")
    assert quiet.code == 0
    assert json.loads(run_cli("info", "--json", "talk.vqc").out)["audio_tracks"] == 0


def test_a_cut_recording_is_played_where_it_is_asked_for(run_cli: Any, coded: Path) -> None:
    data = Path("clip.vqc").read_bytes()
    Path("cut.vqc").write_bytes(data[:-40])
    refused = run_cli("decode", "cut.vqc", "-o", "left.y4m")
    assert (refused.code, "was cut" in refused.err) == (1, True)
    assert "--partial shows what is left" in refused.err
    assert not Path("left.y4m").exists()
    done = run_cli("decode", "cut.vqc", "-o", "left.y4m", "--partial")
    assert (done.code, "10 frames in 2 groups are there" in done.err) == (0, True), done.err
    with open("left.y4m", "rb") as file:
        assert len(list(read_y4m(file))) == 10


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["encode", "clip.y4m", "-f", "--bpp", "1"], 2, "has no --bpp: use --quality or --kbps"),
        (["encode", "clip.y4m", "-f", "-m", "photo"], 1, "not a picture"),
        (["encode", "clip.y4m", "-f", "--keyframe-seconds", "0"], 2, "--keyframe-seconds"),
        (["decode", "clip.vqc", "-o", "x.y4m", "--frames", "5:13"], 2, "there are 12 frames"),
        (["decode", "clip.vqc", "-o", "x.y4m", "--frames", "5"], 2, "no range"),
        (["decode", "clip.vqc", "-o", "x.png", "--at", "1.3"], 2, "ends at 1.20 s"),
        (["decode", "clip.vqc", "-o", "x.png", "--at", "1", "--every", "2"], 2, "one frame"),
        (["decode", "clip.vqc", "-o", "x.png"], 2, "or %06d.png"),
        (["decode", "clip.vqc", "-o", "x.wav"], 2, "written as"),
        (["decode", "clip.vqc", "-o", "x.y4m", "--region", "0,0,8,8"], 2, "has no --region"),
        (["decode", "clip.vqc", "-o", "x.y4m", "--codebook", "a.vqb"], 2, "has no --codebook"),
        (["decode", "clip.vqc", "-o", "x.y4m", "--every", "9" * 20], 2, "--every"),
        (["decode", "clip.vqc", "-o", "%d%d.png"], 2, "or %06d.png"),
        (["decode", "clip.vqc", "-o", "%%d.png"], 2, "or %06d.png"),
        (["decode", "clip.vqc", "-o", "%d%.png"], 2, "or %06d.png"),
        (["decode", "clip.vqc", "-o", "100%-%d.png"], 2, "or %06d.png"),
        (["encode", "clip.y4m", "-f", "--restore", "noise"], 2, "has no --restore"),
        (["encode", "clip.y4m", "-f", "--strip"], 2, "has no --strip"),
        (["decode", "clip.vqc", "--every", "2"], 2, "needs -o"),
        (["decode", "clip.vqc", "-o", "x.y4m", "--max-samples", "100"], 1, "limit of 100"),
    ],
)
def test_what_the_command_refuses(
    run_cli: Any, coded: Path, arguments: list[str], code: int, says: str
) -> None:
    before = sorted(path.name for path in coded.iterdir())
    outcome = run_cli(*arguments)
    assert (outcome.code, says in outcome.err) == (code, True), outcome.err
    assert "Traceback" not in outcome.err
    assert sorted(path.name for path in coded.iterdir()) == before


@pytest.mark.usefixtures("coded")
def test_every_code_is_decoded_where_it_is_asked_for(run_cli: Any) -> None:
    found = run_cli("verify", "clip.vqc", "--deep")
    assert (found.code, found.out) == (0, "clip.vqc: ok, every code decodes\n"), found.err
    np.save("field.npy", np.linspace(0, 1, 60, dtype=np.float32).reshape(5, 12))
    assert run_cli("encode", "field.npy", "--max-error", "0.01").code == 0
    assert run_cli("verify", "field.vqc", "--deep").code == 0


def test_a_dry_run_says_what_the_run_would(run_cli: Any, coded: Path) -> None:
    """Of frames into files and of one as a picture, too."""
    dry = ("decode", "clip.vqc", "--dry-run", "-o")
    for target in ("frames/%06d.png", "x.y4m"):
        found = run_cli(*dry, target)
        assert (found.code, found.out) == (0, f"{target}: would be written: video clip.vqc\n")
    assert run_cli(*dry, "x.png", "--at", "1").code == 0
    assert not Path("frames").exists()
    Path("000003.png").touch()
    assert run_cli(*dry, "%06d.png").code == 0
    for target, *options in (
        ("%06d.png", "--frames", "3:5"),
        ("x.png",),
        ("x.png", "--at", "1", "--every", "2"),
        ("x.y4m", "--region", "0,0,8,8"),
    ):
        dried = run_cli(*dry, target, *options)
        refused = run_cli("decode", "clip.vqc", "-o", target, *options)
        assert (dried.code, dried.err) == (refused.code, refused.err), refused.err
        assert refused.code != 0
    assert run_cli("encode", "clip.y4m", "-f", "--bpp", "1", "--dry-run").code == 2


@pytest.mark.parametrize("option", [["--keyframe-seconds", "2"], ["--no-audio"]])
def test_what_is_for_videos_is_refused_of_pictures(
    run_cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save("dot.png")
    np.save("dot.npy", np.zeros(3))
    for name, what in (("dot.png", "a picture"), ("dot.npy", "an array")):
        for more in ([], ["--dry-run"]):
            refused = run_cli("encode", name, *option, *more)
            assert (refused.code, f"{what} has no {option[0]}" in refused.err) == (2, True)
    assert run_cli("encode", "dot.png").code == 0
    for other in (["--no-audio"], ["--every", "2"]):
        refused = run_cli("decode", "dot.vqc", "-o", "x.png", *other)
        assert (refused.code, f"a picture has no {other[0]}" in refused.err) == (2, True)


def test_a_damaged_group_is_passed_over_where_it_is_asked_for(run_cli: Any, coded: Path) -> None:
    data = bytearray(Path("clip.vqc").read_bytes())
    starts = open_stream(bytes(data), letters=LETTERS).starts
    data[starts[1] + 30] ^= 4
    Path("hurt.vqc").write_bytes(data)
    assert run_cli("decode", "hurt.vqc", "-o", "left.y4m").code == 1
    assert run_cli("decode", "hurt.vqc", "-o", "then.png", "--at", "0.1").code == 0
    assert run_cli("decode", "hurt.vqc", "-o", "some.y4m", "--frames", "10:12").code == 0
    done = run_cli("decode", "hurt.vqc", "-o", "left.mkv", "--partial")
    assert (done.code, "7 frames in 2 groups are there" in done.err) == (0, True), done.err
    with av.open("left.mkv") as container:
        assert len(list(container.decode(video=0))) == 7


def test_every_other_frame_takes_twice_as_long(run_cli: Any, coded: Path) -> None:
    assert run_cli("decode", "clip.vqc", "-o", "half.y4m", "--every", "2").code == 0
    with open("half.y4m", "rb") as file:
        half = read_y4m(file)
        assert half.facts.rate == 5
        assert [float(frame.time) for frame in half] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_a_step_beyond_the_end_gives_one_frame(run_cli: Any, coded: Path) -> None:
    outcome = run_cli("decode", "clip.vqc", "-o", "new/of/%d.png", "--every", str(2**62))
    assert (outcome.code, outcome.err) == (0, "")
    assert [path.name for path in Path("new/of").iterdir()] == ["0.png"]


@pytest.mark.slow
def test_a_model_of_ones_own_camera(run_cli: Any, clip: Path) -> None:
    for number in range(2):
        video, file = make_video(24, 48, 64), io.BytesIO()
        writer = Y4mWriter(file, video.facts)
        for frame in video:
            writer.write(frame)
        Path(f"camera{number}.y4m").write_bytes(file.getvalue())
    trained = run_cli(
        "train", ".", "-o", "own.safetensors", "--recipe", "video", "--minutes", "0.01"
    )
    assert trained.code == 0, trained.err
    assert run_cli("encode", "clip.y4m", "-m", "own.safetensors").code == 0
    assert run_cli("decode", "clip.vqc", "-o", "back.y4m").code == 3
    assert run_cli("decode", "clip.vqc", "-o", "back.y4m", "-m", "own.safetensors").code == 0
    refused = run_cli("train", ".", "-o", "x.safetensors", "--recipe", "video", "--steps", "5")
    assert (refused.code, "has no --steps" in refused.err) == (2, True)
