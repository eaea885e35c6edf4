"""Seconds and peak memory over the size of a picture, and files a second over a folder.

    python -m bench.scale WORK [--megapixels 1,4,12,48,200] [--threads 1,2] [--files 200] [-o FILE]
    python -m bench.scale WORK --go-on    after a run that was stopped: what it has not yet

Every picture is a mosaic (bench/gigapixel.py), written once into WORK as PNG. Each run is a process
of its own: it loads the model, then reads, encodes and writes a file, or decodes one, which is what
is timed, by the clock and in seconds of processors, which say more where others are at work; its
peak is the largest resident set. Peers read and write the same files by Pillow. All
is verified before any is timed: a picture by rows gives the bytes and codes of a whole one, with
any number of threads, and a decoded file the pixels of `decode`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import vqcodec
from bench.gigapixel import mosaic, write_mosaic
from vqcodec.evaluation import circumstances
from vqcodec.media.registry import read_any_stream

MOST = 2**31
# By the clock, and of all processors.
Seconds = tuple[float, float]
PEERS = {"avif": "AVIF", "jxl": "JXL"}
PEER_OPTIONS: dict[str, dict[str, Any]] = {"avif": {"quality": 40}, "jxl": {"quality": 60}}


class Clock:
    """Seconds since it was made, by the clock and of processors."""

    def __init__(self) -> None:
        self._begun = time.perf_counter(), time.process_time()

    def read(self) -> Seconds:
        return time.perf_counter() - self._begun[0], time.process_time() - self._begun[1]


def extent_of(megapixels: int) -> tuple[int, int]:
    """Three to four, sides odd."""
    height = round((megapixels * 750_000) ** 0.5) | 1
    return height, (megapixels * 1_000_000 // height) | 1


def verify(work: Path, settings: dict[str, Any]) -> None:
    """A picture of several regions by rows, whole, with one thread and two, and through a file."""
    from vqcodec.media.picture.crops import read_rgb

    extent = extent_of(4)
    codec = vqcodec.load("photo", device="cpu")
    pixels = np.concatenate(list(mosaic(extent)))
    wanted = codec.encode(pixels, threads=1, **settings)
    codes = codec.decode_codes(read_any_stream(wanted)[1])
    for threads in (1, 2):
        rows = vqcodec.PictureRows(mosaic(extent), extent=extent)
        found = codec.encode(rows, threads=threads, **settings)
        if found != wanted:
            raise SystemExit(f"by rows and {threads} threads: other bytes than whole")
        if not np.array_equal(codec.decode_codes(read_any_stream(found)[1]), codes):
            raise SystemExit(f"by rows and {threads} threads: other codes than whole")
    whole = codec.decode(wanted, threads=1)
    vqcodec.decode_file(wanted, work / "verified.png", device="cpu", threads=2)
    if not np.array_equal(read_rgb(work / "verified.png"), whole):
        raise SystemExit("a decoded file has other pixels than decode gives")


def encode(source: str, target: str, threads: int, settings: dict[str, Any]) -> Seconds:
    """Read, encode and write one file; the seconds that it takes once the model is loaded."""
    codec = vqcodec.load("photo", device="cpu")
    clock = Clock()
    data = codec.encode(source, threads=threads, max_samples=MOST, **settings)
    Path(target).write_bytes(data)
    return clock.read()


def decode(source: str, target: str, threads: int) -> Seconds:
    """Read, decode and write one file."""
    vqcodec.load("photo", device="cpu")
    clock = Clock()
    vqcodec.decode_file(source, target, device="cpu", threads=threads, max_samples=MOST)
    return clock.read()


def peer(source: str, target: str, format: str) -> Seconds:
    """Read a picture by Pillow and write it in another format."""
    from PIL import Image

    if "jxl" in (Path(source).suffix[1:], format.lower()):
        import pillow_jxl  # noqa: F401
    Image.MAX_IMAGE_PIXELS = None
    clock = Clock()
    with Image.open(source) as image:
        image.save(target, format, **PEER_OPTIONS.get(format.lower(), {}))
    return clock.read()


def measured(*arguments: str, threads: int) -> tuple[float, float, int]:
    """Seconds by the clock and of processors, as the process says them, and its peak in bytes.

    A process begins with the peak of the one that starts it, which is why all that takes memory
    here is done by children.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-m", "bench.scale", "--child", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{arguments}: ended with {process.returncode}")
    seconds, processor = map(float, said.split())
    return seconds, processor, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def sizes(
    work: Path,
    megapixels: Sequence[int],
    threads: Sequence[int],
    settings: str,
    done: Sequence[dict[str, Any]],
) -> Iterator[dict[str, Any]]:
    """One row for each size, codec and number of threads that is not done."""
    known = {(found["megapixels"], found["codec"], found["threads"]) for found in done}
    for size in megapixels:
        source = work / f"{size}.png"
        if not source.exists():
            measured("make", str(source), str(size), threads=1)
        seen = set()
        for count in threads:
            if (size, "vqcodec", count) in known:
                continue
            stream, back = work / f"{size}.vqc", work / f"{size}-back.png"
            there = measured(
                "encode", str(source), str(stream), str(count), settings, threads=count
            )
            seen.add(hashlib.sha256(stream.read_bytes()).hexdigest())
            home = measured("decode", str(stream), str(back), str(count), threads=count)
            yield row("vqcodec", size, count, there, home, stream)
        if len(seen) > 1:
            raise SystemExit(f"{size} megapixels: threads change the bytes")
        for name, format in PEERS.items():
            if (size, name, max(threads)) in known:
                continue
            stream, back = work / f"{size}.{name}", work / f"{size}-{name}.png"
            there = measured("peer", str(source), str(stream), format, threads=max(threads))
            home = measured("peer", str(stream), str(back), "PNG", threads=max(threads))
            yield row(name, size, max(threads), there, home, stream)


def row(
    name: str,
    size: int,
    threads: int,
    there: tuple[float, float, int],
    home: tuple[float, float, int],
    stream: Path,
) -> dict[str, Any]:
    """What is written down of one codec, size and number of threads; says it, too."""
    found = {
        "codec": name,
        "megapixels": size,
        "threads": threads,
        **dict(zip(("encode_s", "encode_cpu_s", "encode_peak"), there, strict=True)),
        **dict(zip(("decode_s", "decode_cpu_s", "decode_peak"), home, strict=True)),
        "bytes": stream.stat().st_size,
    }
    print(line(found), flush=True)
    return found


def line(found: dict[str, Any]) -> str:
    """A row of the table."""
    seconds = (
        f"{found[key]:.1f}" for key in ("encode_s", "encode_cpu_s", "decode_s", "decode_cpu_s")
    )
    peaks = (f"{found[key] / 2**20:.0f}" for key in ("encode_peak", "decode_peak"))
    rate = 8 * found["bytes"] / (found["megapixels"] * 1e6)
    cells = (found["megapixels"], found["codec"], found["threads"], f"{rate:.2f}")
    return "| " + " | ".join(map(str, (*cells, *seconds, *peaks))) + " |"


def make_folder(place: Path, files: int) -> None:
    """Parts of one mosaic, 512 x 768 pixels each."""
    from PIL import Image

    place.mkdir(exist_ok=True)
    pixels = np.concatenate(list(mosaic(extent_of(12))))
    for number in range(files):
        top, left = divmod(number * 211, 2200)
        part = pixels[top * 97 % 2400 :, left:][:512, :768]
        Image.fromarray(np.ascontiguousarray(part)).save(
            place / f"{number:04}.png", compress_level=1
        )


def folder(work: Path, files: int) -> dict[str, Any]:
    """Files a second of `vqcodec encode FOLDER`, its start included, beside Pillow's AVIF."""
    place = work / "folder"
    make_folder(place, files)
    command = ["-m", "vqcodec_cli", "encode", str(place), "-o", str(work / "encoded/"), "-f"]
    begin = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    ours = files / (time.perf_counter() - begin)
    begin = time.perf_counter()
    for path in sorted(place.iterdir()):
        peer(str(path), str(work / "one.avif"), "AVIF")
    return {"files": files, "vqcodec": ours, "avif": files / (time.perf_counter() - begin)}


def child(arguments: list[str]) -> Seconds:
    what, source, target, *rest = arguments
    if what == "verify":
        verify(Path(source), json.loads(target))
        return 0.0, 0.0
    if what == "make":
        write_mosaic(Path(source), extent_of(int(target)))
        return 0.0, 0.0
    if what == "encode":
        return encode(source, target, int(rest[0]), json.loads(rest[1]))
    return (
        decode(source, target, int(rest[0])) if what == "decode" else peer(source, target, rest[0])
    )


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        print(*child(sys.argv[2:]))
        return
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("work", type=Path, help="folder for pictures and streams, which stay")
    parser.add_argument("--megapixels", default="1,4,12,48,200")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("-q", "--quality", type=float, default=30)
    parser.add_argument("--effort", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, default=Path("bench/results/scale.json"))
    parser.add_argument("--go-on", action="store_true", help="with what the JSON has not yet")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    settings = {"quality": args.quality, "effort": args.effort}
    data: dict[str, Any] = {"settings": settings, "load_before": os.getloadavg()[0], "sizes": []}
    if args.go_on:
        data = json.loads(args.output.read_text(encoding="utf-8"))
    measured("verify", str(args.work), json.dumps(settings), threads=2)
    megapixels, threads = (
        [int(number) for number in text.split(",")] for text in (args.megapixels, args.threads)
    )
    for found in sizes(args.work, megapixels, threads, json.dumps(settings), data["sizes"]):
        data["sizes"].append(found)
        save(data, args.output)
    if args.files:
        data["folder"] = folder(args.work, args.files)
        print(data["folder"])
    # Last of all: it loads what takes memory, and children begin with the peak of this process.
    facts = circumstances(("pillow", "pyvips", "pillow-jxl-plugin"))
    save({**facts, **data, "load_after": os.getloadavg()[0]}, args.output)


def save(data: dict[str, Any], place: Path) -> None:
    """Write what was measured so far."""
    place.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
