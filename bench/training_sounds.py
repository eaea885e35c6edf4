"""A folder of training sounds out of Debian packages that hold music, noises and spoken prompts.

    apt-get download asterisk-core-sounds-{en,es,fr,it,ru}-g722 asterisk-moh-opsound-wav \\
        wesnoth-1.16-music wesnoth-1.16-data warzone2100-music naev-data widelands-data \\
        hedgewars-data freedroidrpg-data fillets-ng-data-{cs,nl} festvox-ru tuxpaint-stamps-default
    python bench/training_sounds.py PACKAGES -o sounds/ --rate 24000 --channels 2
    python bench/training_sounds.py asterisk-core*.deb festvox-ru*.deb -o spoken/ \\
        --rate 16000 --channels 1 --minutes 10
    python bench/training_sounds.py fillets-ng-data-{cs,nl}*.deb -o spoken/ \\
        --rate 16000 --channels 1 --minutes 15
    python bench/training_sounds.py tuxpaint-stamps*.deb --only "*_desc*" -o spoken/ \\
        --rate 16000 --channels 1 --minutes 60

Each file gives a minute at most, each package an hour and a half (or --minutes), in an order that a
checksum of the names draws; what is shorter than 0.8 seconds or silent is left out. Licences differ
from file to file and stand in each package's `copyright`; docs/models.md lists the packages. Needs
dpkg-deb, PyAV and soundfile.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

__all__ = ["main"]

_SUFFIXES = {".flac", ".g722", ".mp3", ".oga", ".ogg", ".opus", ".wav"}
_LONGEST, _SHORTEST, _QUIETEST = 60.0, 0.8, 0.01


def decode(path: Path, rate: int, channels: int) -> NDArray[np.float32]:
    """All samples of a file, float32 (T, channels)."""
    layout = {1: "mono", 2: "stereo"}[channels]
    resampler = av.AudioResampler(format="flt", layout=layout, rate=rate)
    blocks = [np.zeros((0, channels), np.float32)]
    with av.open(str(path), format="g722" if path.suffix == ".g722" else None) as container:
        for frame in [*container.decode(audio=0), None]:
            for part in resampler.resample(frame):
                blocks.append(np.asarray(part.to_ndarray(), np.float32).reshape(-1, channels))
    return np.concatenate(blocks)


def sounds_of(folder: Path, only: str = "*") -> Iterator[tuple[str, Path]]:
    """Files of sound below a folder, named so, each with a number of its own."""
    named = {
        f"{zlib.crc32(str(path.relative_to(folder)).encode()):08x}": path
        for path in folder.rglob(only)
        if path.suffix.lower() in _SUFFIXES and path.is_file()
    }
    yield from sorted(named.items())


def extract(
    package: Path, output: Path, *, only: str, rate: int, channels: int, minutes: float
) -> float:
    """Write the sounds of one package that are named so; return how many seconds they are."""
    name, seconds = package.name.split("_")[0], 0.0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)
        for number, path in sounds_of(Path(folder), only):
            if seconds > 60 * minutes:
                break
            try:
                samples = decode(path, rate, channels)[: int(_LONGEST * rate)]
            except av.FFmpegError as error:
                print(f"{package.name}: {path.name} is left out: {error}")
                continue
            if len(samples) < _SHORTEST * rate or np.abs(samples).max() < _QUIETEST:
                continue
            samples /= max(1.0, float(np.abs(samples).max()))
            soundfile.write(output / f"{name}-{number}.flac", samples, rate, subtype="PCM_16")
            seconds += len(samples) / rate
    return seconds


def main() -> None:
    """Read the command line, and say how much each package gave."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("packages", nargs="+", type=Path, metavar="PACKAGE.deb")
    parser.add_argument("-o", "--output", required=True, type=Path)
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names of files, as a shell")
    parser.add_argument("--rate", type=int, default=24000)
    parser.add_argument("--channels", type=int, choices=(1, 2), default=2)
    parser.add_argument("--minutes", type=float, default=90.0, help="of each package, at most")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    for package in args.packages:
        seconds = extract(
            package,
            args.output,
            only=args.only,
            rate=args.rate,
            channels=args.channels,
            minutes=args.minutes,
        )
        print(f"{package.name}: {seconds / 60:.1f} minutes")


if __name__ == "__main__":
    main()
