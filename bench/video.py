"""Videos beside x264, x265 and SVT-AV1: bits at equal PSNR and MS-SSIM, clip by clip.

    python -m bench.video FOLDER                      everything: an hour for ten seconds of video
    python -m bench.video FOLDER --keyframe-seconds 0 one key frame at the beginning of each clip
    python -m bench.video FOLDER --peers-only         the peers alone, without vqcodec
    python -m bench.video FOLDER --go-on              only what the JSON does not have yet
    python -m bench.video --report-only               tables and plots from the JSON that is there

FOLDER holds the clips; those whose names begin with "static" count as fixed cameras, all others as
moving. Every codec runs on one thread and its files are decoded before they count. Bits are read
off each clip's own curve, over log rate, and never beyond its ends: "-" where a codec has no
setting so low or so high. Writes bench/results/video/.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.video_report import write_report
from vqcodec.evaluation import circumstances, codec_contestant
from vqcodec.evaluation.measure import Measurement, measure
from vqcodec.media.registry import find_medium, find_streaming_coder, find_workshop
from vqcodec.media.video.peers import make_peer
from vqcodec.media.workshop import Contestant

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results" / "video"
PEERS = ("x264", "x265", "svt-av1")
QUALITIES = (0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0)
# Longer than any clip, in seconds.
ONCE = 3600.0


def clips_of(folder: Path) -> list[Path]:
    """The clips of a folder, in the order of their names."""
    suffixes = {".mkv", ".mp4", ".y4m", ".webm", ".avi"}
    clips = sorted(path for path in folder.iterdir() if path.suffix in suffixes)
    if not clips:
        sys.exit(f"{folder}: no clip of {', '.join(sorted(suffixes))}")
    return clips


def own(model: str, keyframe_seconds: float | None, qualities: Sequence[float]) -> Contestant:
    """vqcodec itself with a model."""
    coder = find_streaming_coder(find_medium("video"))
    assert coder is not None
    codec = coder.load(model, device="cpu")
    every = "at the beginning" if keyframe_seconds is None else f"every {keyframe_seconds:g} s"
    settings = f"model {codec.card.fingerprint}, key frames {every}, without facts"
    contestant = codec_contestant(codec, settings=settings, qualities=qualities)
    seconds = ONCE if keyframe_seconds is None else keyframe_seconds

    def encode(video: Any, quality: float) -> bytes:
        data: bytes = codec.encode(video, quality=quality, keyframe_seconds=seconds)
        return data

    return replace(contestant, encode=encode)


def contestants(args: argparse.Namespace) -> Iterator[Contestant]:
    """Who takes part."""
    seconds = args.keyframe_seconds or None
    for name in args.peers.split(","):
        yield make_peer(name, keyframe_seconds=seconds)
    if not args.peers_only:
        yield own(args.model, seconds, args.qualities)


def run_clip(path: Path, taking_part: Sequence[Contestant]) -> Iterator[tuple[str, Measurement]]:
    """Every codec and setting on a clip, each as it is measured."""
    workshop = find_workshop("video")
    video = workshop.read(path.read_bytes())
    for contestant in taking_part:
        for setting in contestant.ladder:
            found = measure(
                contestant,
                setting,
                name=path.stem,
                signal=video,
                rate=workshop.rate,
                measures=workshop.measures,
            )
            values = ", ".join(f"{name} {value:.3f}" for name, value in found.values.items())
            print(
                f"{path.stem} {contestant.name} {setting:g}: {found.rate:.4f} bpp, {values}",
                flush=True,
            )
            yield contestant.name, found


def _known(result: Path, taking_part: Sequence[Contestant]) -> list[dict[str, Any]]:
    """What an earlier run measured of codecs with the same settings."""
    if not result.exists():
        return []
    content = json.loads(result.read_text(encoding="utf-8"))
    same = {
        contestant.name
        for contestant in taking_part
        if content["codecs"].get(contestant.name)
        == {"version": contestant.version, "settings": contestant.settings}
    }
    return [row for row in content["rows"] if row["codec"] in same]


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write what was found after each clip."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--keyframe-seconds", type=float, default=2.0)
    parser.add_argument("--model", default="video")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--qualities", type=_numbers, default=QUALITIES)
    parser.add_argument("--peers-only", action="store_true")
    parser.add_argument("--go-on", action="store_true")
    parser.add_argument("--report-only", action="store_true")
    args = parser.parse_args(argv)
    name = f"key-{args.keyframe_seconds:g}s" if args.keyframe_seconds else "key-once"
    result = RESULTS / f"{name}.json"
    if not args.report_only:
        if args.folder is None:
            parser.error("FOLDER of clips is needed")
        run(args, result)
    write_report(result)


def run(args: argparse.Namespace, result: Path) -> None:
    """Measure all clips, and write what is known after each."""
    for pool in ("OMP", "MKL", "OPENBLAS"):
        os.environ[f"{pool}_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    RESULTS.mkdir(parents=True, exist_ok=True)
    taking_part = list(contestants(args))
    codecs = {c.name: {"version": c.version, "settings": c.settings} for c in taking_part}
    rows = _known(result, taking_part) if args.go_on else []
    for path in clips_of(args.folder):
        done = {row["codec"] for row in rows if row["signal"] == path.stem}
        left = [contestant for contestant in taking_part if contestant.name not in done]
        rows += [{"codec": codec, **asdict(found)} for codec, found in run_clip(path, left)]
        content = {
            "keyframe_seconds": args.keyframe_seconds,
            "load": os.getloadavg()[0],
            "codecs": codecs,
            "circumstances": circumstances(("av",)),
            "rows": rows,
        }
        result.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
