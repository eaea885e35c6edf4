"""How long the viewer takes from a chosen file to its picture, in headless Chromium.

    python -m bench.viewer FOLDER [-n 5]     pictures of FOLDER, at qualities 35 and 90

Builds the viewer with the model `photo`, serves it from this machine, encodes the pictures and
opens each file three times in one page; the browser has nothing at the beginning. The page polls
its state twenty times a second, so a figure may be 50 ms too long. Prints what docs/benchmarks.md
has.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import vqcodec
from vqcodec.evaluation import circumstances

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from chromium import Page, open_browser  # noqa: E402

QUALITIES = (35, 90)
TIMES = 3


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A static host that says nothing."""

    def log_message(self, *_: object) -> None:
        pass


def seconds_to_open(page: Page, path: Path) -> float:
    """From the choice of a file to its pixels on the canvas."""
    page.value("document.body.dataset.state = 'asked'")
    begin = time.perf_counter()
    page.choose("#file", path)
    page.wait("!['asked', 'busy'].includes(document.body.dataset.state)", seconds=120)
    taken = time.perf_counter() - begin
    if page.value("document.body.dataset.state") != "shown":
        sys.exit(f"{path}: {page.text('#status')}")
    return taken


def measure(address: str, streams: Sequence[Path], folder: Path) -> tuple[float, list[float]]:
    """The first file with nothing in the browser's hands, and all that come behind it."""
    with open_browser(folder) as page:
        page.open(address)
        first = seconds_to_open(page, streams[0])
        # The same file twice in a row would be no change to the page.
        turns = [*streams[1:], streams[0]] * TIMES
        later = [seconds_to_open(page, path) for path in turns]
    return first, later


def main(argv: Sequence[str] | None = None) -> None:
    """Build, serve, encode, open."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="of pictures, such as Kodak's")
    parser.add_argument("-n", type=int, default=5, help="how many of them")
    args = parser.parse_args(argv)
    pictures = sorted(p for p in args.folder.iterdir() if p.suffix in {".png", ".jpg"})[: args.n]
    if len(pictures) < 2:
        parser.error(f"{args.folder}: {len(pictures)} pictures, two or more are needed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = folder / "site"
        build = [
            sys.executable,
            str(ROOT / "viewer/build.py"),
            "-o",
            str(site),
            "--models",
            "photo",
        ]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        handler = functools.partial(Quiet, directory=str(site))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}/index.html"
            found = circumstances()
            print(f"{found['machine']}, commit {found['commit']}, load {os.getloadavg()[0]:.2f}")
            for quality in QUALITIES:
                report(address, pictures, quality, folder / str(quality))
            server.shutdown()


def report(address: str, pictures: Sequence[Path], quality: int, folder: Path) -> None:
    """Encode at a quality, open, print."""
    folder.mkdir()
    codec = vqcodec.load("photo", device="cpu")
    streams = []
    for path in pictures:
        streams.append(folder / f"{path.stem}.vqc")
        streams[-1].write_bytes(codec.encode(path, quality=quality))
    first, later = measure(address, streams, folder)
    low, high = min(later), max(later)
    print(
        f"quality {quality}: first {first:.2f} s, later ones {statistics.median(later):.2f} s "
        f"({low:.2f} to {high:.2f}, {len(later)} of {len(streams)} files)",
        flush=True,
    )


if __name__ == "__main__":
    main()
