"""Write a file of the built-in model of videos, its integers' digests and its frames, once.

PYTHONPATH=.:tests/support python -m tests.golden.video.make_built_in NAME

It refuses to run where NAME is there already: a model that is trained anew gets new files.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from video_digest import digest

from vqcodec import VideoEncoder, open_video

FOLDER = Path(__file__).parent / "built_in"
HEIGHT, WIDTH, FRAMES, RATE = 48, 64, 9, 10


def clip() -> list[NDArray[np.uint8]]:
    """A disc that crosses a room of coloured tiles, brighter from frame 5 on."""
    rng = np.random.default_rng(11)
    tiles = rng.integers(30, 200, (7, 10, 3))
    room = np.kron(tiles, np.ones((7, 7, 1), np.int64))[:HEIGHT, :WIDTH]
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    frames = []
    for number in range(FRAMES):
        disc = np.hypot(y - 25, x - 9 * number) < 11
        frame = np.where(disc[..., None], (230, 220, 40), room + (20 if number > 4 else 0))
        frames.append(frame.astype(np.uint8))
    return frames


def main(name: str) -> None:
    """Write NAME.vqc, NAME.npz with its planes, and its entry in the manifest."""
    path = FOLDER / f"{name}.vqc"
    if path.exists():
        sys.exit(f"{path} exists already, and is never made again")
    FOLDER.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    with VideoEncoder(
        buffer, height=HEIGHT, width=WIDTH, rate=RATE, device="cpu", keyframe_seconds=0.7
    ) as encoder:
        for frame in clip():
            encoder.add(frame)
    data = buffer.getvalue()
    with open_video(data, device="cpu") as video:
        entry = {
            "model": video.model.card.fingerprint,
            "counts": video.counts,
            "groups": [digest(video.codes(number)) for number in range(video.groups)],
        }
        planes = [np.concatenate([f.y.ravel(), f.u.ravel(), f.v.ravel()]) for f in video]
    path.write_bytes(data)
    np.savez_compressed(FOLDER / f"{name}.npz", planes=np.stack(planes))
    manifest = FOLDER / "manifest.json"
    known = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {}
    manifest.write_text(json.dumps(known | {name: entry}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
