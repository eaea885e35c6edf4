"""`make demo`: one photograph through vqcodec, beside JPEG and WebP of nearly the same size.

At half a bit a pixel all three are at home; at lower rates JPEG and WebP come near the least that
they can write. Their steps of quality leave them within a few percent of the size, and which ones
is said.

Without --photo it takes china.jpg, which scikit-learn ships: a photograph by danielbuechele
(Flickr), CC BY 2.0.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vqcodec_cli.failure import EXPECTED, OK, complain, exit_code, reason
from vqcodec_cli.options import positive
from vqcodec_cli.output import write_file
from vqcodec_cli.terminal import say

if TYPE_CHECKING:
    from vqcodec import Picture
    from vqcodec.media.workshop import Workshop

T = TypeVar("T")


@dataclass(frozen=True)
class Result:
    """One codec's file of the photograph, and the picture that comes out of it."""

    codec: str
    quality: float
    data: bytes
    decoded: "Picture"
    encode_seconds: float
    decode_seconds: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return an exit code, as the vqcodec command does."""
    parser = argparse.ArgumentParser(prog="vqcodec-demo", description=__doc__)
    parser.add_argument("--photo", help="your own photograph")
    parser.add_argument("--bpp", type=positive, default=0.5, help="rate to aim at (default: 0.5)")
    parser.add_argument("-m", "--model", default="photo", help="model (default: photo)")
    parser.add_argument("-o", "--output", default="demo", help="folder for the files it writes")
    options = parser.parse_args(arguments)
    try:
        run(options)
    except EXPECTED as error:
        complain(options.photo, reason(error, options.photo))
        return exit_code(error)
    return OK


def run(options: argparse.Namespace) -> None:
    """Encode, decode, compare, write the files and print the table."""
    from vqcodec.media.registry import find_workshop

    workshop = find_workshop("picture")
    picture = _photograph(options.photo, workshop)
    ours = _ours(picture, options.model, options.bpp)
    peers = [_peer(workshop, name, picture, len(ours.data)) for name in ("jpeg", "webp")]
    jpeg = peers[0]
    _print_table(workshop, picture, [ours, *peers])
    sizes = (f"{peer.codec} {len(peer.data) / len(ours.data) - 1:+.1%}" for peer in peers)
    say(f"sizes beside that of vqcodec: {', '.join(sizes)}")
    folder = Path(options.output)
    folder.mkdir(exist_ok=True)
    strip = workshop.draw(
        [
            (f"original, {_size(picture.pixels.nbytes)} of pixels", picture),
            (f"vqcodec, {_size(len(ours.data))}", ours.decoded),
            (f"JPEG, {_size(len(jpeg.data))}", jpeg.decoded),
        ]
    )
    write_file(folder / "photo.vqc", ours.data, force=True)
    write_file(folder / "before_after.png", strip, force=True)
    say(f"the file: {folder / 'photo.vqc'}")
    say(f"before and after: {folder / 'before_after.png'}")


def _photograph(path: str | None, workshop: "Workshop") -> "Picture":
    import vqcodec

    if path is None:
        from sklearn.datasets import load_sample_image

        return vqcodec.Picture(load_sample_image("china.jpg"))
    picture: vqcodec.Picture = workshop.read(Path(path).read_bytes())
    return picture


def _ours(picture: "Picture", model: str, bpp: float) -> Result:
    import vqcodec
    from vqcodec.rate.target import fit_size

    codec = vqcodec.load(model)
    limit = int(bpp * picture.height * picture.width / 8)
    # The peers' seconds do not hold the search for their quality either, nor a first call.
    quality, stream = fit_size(lambda quality: codec.encode(picture, quality=quality), limit)
    codec.decode_signal(stream)
    data, encode_seconds = _timed(lambda: codec.encode(picture, quality=quality))
    decoded, decode_seconds = _timed(lambda: codec.decode_signal(data))
    return Result("vqcodec", quality, data, decoded, encode_seconds, decode_seconds)


def _peer(workshop: "Workshop", name: str, picture: "Picture", size: int) -> Result:
    """A codec at the whole-numbered quality whose file comes nearest to a size."""
    from vqcodec.evaluation import find_peer, match_size

    peer = find_peer(workshop, name)
    below, _ = match_size(peer, picture, size)
    near = (quality for quality in (below, below + 1) if quality <= 100)
    quality = min(near, key=lambda quality: abs(len(peer.encode(picture, quality)) - size))
    data, encode_seconds = _timed(lambda: peer.encode(picture, quality))
    decoded, decode_seconds = _timed(lambda: peer.decode(data))
    return Result(name, quality, data, decoded, encode_seconds, decode_seconds)


def _print_table(workshop: "Workshop", picture: "Picture", results: Sequence[Result]) -> None:
    from rich.console import Console
    from rich.table import Table

    from vqcodec.evaluation import find_measures

    measures = [m for m in find_measures(workshop) if m.fits(picture.extent)]
    table = Table(title=f"{picture.width} x {picture.height} pixels")
    table.add_column("codec", no_wrap=True)
    labels = [measure.label for measure in measures]
    for column in ("q", "bytes", workshop.rate.unit, *labels, "enc. s", "dec. s"):
        table.add_column(column, justify="right", no_wrap=True)
    for result in results:
        table.add_row(
            result.codec,
            f"{result.quality:.0f}",
            f"{len(result.data):,}",
            f"{workshop.rate.of(len(result.data), picture):.3f}",
            *(m.text(m.of_mean(m.of(result.decoded, picture))) for m in measures),
            f"{result.encode_seconds:.2f}",
            f"{result.decode_seconds:.2f}",
        )
    Console().print(table)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def _size(count: int) -> str:
    return f"{count:,} bytes" if count < 100_000 else f"{count / 1000:,.0f} kB"


if __name__ == "__main__":
    raise SystemExit(main())
