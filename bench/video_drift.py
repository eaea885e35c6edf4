"""How far pixels of one stream differ between machines: networks in bfloat16 against float32.

    python -m bench.video_drift CLIP                  300 frames of CLIP, in one group
    python -m bench.video_drift CLIP --keyframe-seconds 2

CLIP is played forth and back until there are so many frames. Needs a processor that multiplies
bfloat16. Writes nothing: prints the largest and the mean difference of all planes, in steps of 255,
over the video and its last second.
"""

from __future__ import annotations

import argparse
import io
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from vqcodec.media.video.encoder import VideoEncoder
from vqcodec.media.video.files import open_video_file
from vqcodec.media.video.model import VideoModel, load_video_model
from vqcodec.media.video.player import open_video
from vqcodec.media.video.signal import Frame
from vqcodec.transforms.half import cpu_multiplies_bfloat16


def forth_and_back(frames: Sequence[Frame], step: Fraction) -> Iterator[Frame]:
    """The frames, then all but the first and last of them backwards, and so on, with new times."""
    turned = [*frames, *frames[-2:0:-1]]
    for number, frame in enumerate(itertools.cycle(turned)):
        yield replace(frame, time=number * step)


def differences(data: bytes, one: VideoModel, other: VideoModel) -> list[tuple[int, float]]:
    """Largest and mean difference of each frame."""
    found = []
    with open_video(data, model=one) as first, open_video(data, model=other) as second:
        for a, b in zip(first, second, strict=True):
            apart = np.concatenate(
                [
                    np.abs(p.astype(np.int16) - q.astype(np.int16)).ravel()
                    for p, q in ((a.y, b.y), (a.u, b.u), (a.v, b.v))
                ]
            )
            found.append((int(apart.max()), float(apart.mean())))
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("clip")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--keyframe-seconds", type=float, default=3600.0)
    parser.add_argument("--quality", type=float, default=50.0)
    args = parser.parse_args(argv)
    if not cpu_multiplies_bfloat16():
        sys.exit("this processor does not multiply bfloat16: there is nothing to compare")
    clip = open_video_file(args.clip, keep_audio=False)
    rate = clip.facts.rate
    if rate is None:
        sys.exit(f"{args.clip}: the frame rate varies")
    half, whole = load_video_model(device="cpu"), load_video_model(device="cpu", exact=True)
    buffer = io.BytesIO()
    with VideoEncoder(
        buffer,
        height=clip.height,
        width=clip.width,
        facts=replace(clip.facts, time_base=1 / rate),
        model=half,
        quality=args.quality,
        keyframe_seconds=args.keyframe_seconds,
    ) as encoder:
        for frame in itertools.islice(forth_and_back(list(clip), 1 / rate), args.frames):
            encoder.add(frame)
    found = differences(buffer.getvalue(), half, whole)
    second = found[-max(1, round(rate)) :]
    print(f"{args.frames} frames in {encoder.groups} groups, {len(buffer.getvalue()):,} bytes")
    for name, part in (("all frames", found), ("last second", second)):
        print(
            f"{name}: largest {max(most for most, _ in part)}, "
            f"mean {np.mean([mean for _, mean in part]):.3f}"
        )


if __name__ == "__main__":
    main()
