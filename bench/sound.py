"""The codecs that sounds are otherwise coded with, alone: the baselines that a model has to beat.

Every clip of a folder goes through every peer at every setting of its ladder. The class of a clip
is its name up to the first "-" (speech, music, sound); Codec2, PESQ and ESTOI are for speech alone.
Rates are of packets, without containers. Means over the clips of a class.

    python bench/sound.py FOLDER [--against opus,codec2,mp3,aac] [--measures mel,pesq]
        [-o bench/results/sound_peers.json]

Needs opus-tools, codec2 and ffmpeg, and the extra vqcodec[sound-eval]. ViSQOL takes nearly all of
the time, and a sixth of it where numba is installed, with the same values.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vqcodec.evaluation import (
    Point,
    Results,
    as_json,
    circumstances,
    evaluate,
    find_measures,
    find_peer,
)
from vqcodec.media.sound.workshop import WORKSHOP
from vqcodec.media.workshop import Contestant, Measure

Clips = Sequence[tuple[str, Any]]

SPEECH = "speech"
OF_SPEECH_ALONE = {"codec2", "pesq", "estoi", "visqol-speech"}


def clips_by_class(folder: Path) -> dict[str, list[tuple[str, Any]]]:
    """Names and sounds of a folder's files, by class."""
    classes: dict[str, list[tuple[str, Any]]] = {}
    for path in sorted(folder.glob("*-*.*")):
        kind = path.name.partition("-")[0]
        classes.setdefault(kind, []).append((path.name, WORKSHOP.read(path.read_bytes())))
    if not classes:
        raise SystemExit(f"{folder} holds no files named CLASS-NAME.SUFFIX")
    return classes


def for_class(names: Iterable[str], kind: str) -> list[str]:
    """Those of the names of codecs or measures that a class is measured with."""
    return [name for name in names if kind == SPEECH or name not in OF_SPEECH_ALONE]


def measure_class(
    kind: str, clips: Clips, peers: Sequence[str], measures: Sequence[Measure]
) -> Results:
    """Every peer over a class of clips."""
    contestants: list[Contestant] = []
    curves: dict[str, Sequence[Point]] = {}
    for name in for_class(peers, kind):
        contestant = find_peer(WORKSHOP, name)
        contestants.append(contestant)
        curves[name] = evaluate(contestant, clips, rate=WORKSHOP.rate, measures=measures)
        for point in curves[name]:
            print(row(kind, point, WORKSHOP.measures), flush=True)
    return Results(
        title=f"{len(clips)} clips of {kind}",
        rate=WORKSHOP.rate,
        measures=measures,
        contestants=contestants,
        curves=curves,
    )


def head(measures: Sequence[Measure]) -> str:
    """The first two lines of the table."""
    titles = ["codec", "setting", "class", "kbit/s", *(m.title for m in measures)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, ["---"] * len(titles)))


def row(kind: str, point: Point, measures: Sequence[Measure]) -> str:
    """A line of the table; a measure that was not taken is a dash."""
    values = [m.text(point.values[m.name]) if m.name in point.values else "-" for m in measures]
    cells = [point.codec, f"{point.setting:g}", kind, f"{point.rate:.2f}", *values]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--against", default=",".join(WORKSHOP.peers))
    parser.add_argument("-o", "--output", type=Path, default=Path("bench/results/sound_peers.json"))
    parser.add_argument("--measures", default=",".join(m.name for m in WORKSHOP.measures))
    options = parser.parse_args()
    peers, names = options.against.split(","), options.measures.split(",")
    where: Mapping[str, object] = circumstances(WORKSHOP.packages)
    content: dict[str, Any] = {}
    print(head(WORKSHOP.measures), flush=True)
    for kind, clips in clips_by_class(options.folder).items():
        measures = find_measures(WORKSHOP, for_class(names, kind))
        results = measure_class(kind, clips, peers, measures)
        content[kind] = json.loads(as_json(results, circumstances=where))
        # What is measured stays if a later class does not come to its end.
        options.output.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
