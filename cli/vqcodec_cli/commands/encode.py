"""vqcodec encode: pictures, sounds and whatever else a model is for, into .vqc files."""

import argparse
import hashlib
import time
from typing import TYPE_CHECKING, Any

from vqcodec.bitstream import limits_of
from vqcodec.media.base import Medium
from vqcodec.media.naming import with_article
from vqcodec.media.registry import (
    RECIPES,
    find_coder,
    find_medium,
    find_streaming_coder,
    medium_of,
)
from vqcodec_cli import options
from vqcodec_cli.batch import Tell
from vqcodec_cli.coders import check_recipe, check_recipe_input, encode_by_coder
from vqcodec_cli.dry_run import preview_encoding
from vqcodec_cli.failure import UsageError, options_refused
from vqcodec_cli.inputs import STREAM_SUFFIXES, Source, find_sources
from vqcodec_cli.jobs import processes_for, run_jobs, threads_each
from vqcodec_cli.loading import load_noted
from vqcodec_cli.media import (
    RAW_SUFFIXES,
    check_coded,
    check_raw_words,
    check_stream_name,
    input_suffixes,
    medium_of_raw,
    mixed_channels,
    others_named,
)
from vqcodec_cli.medium_options import check_medium_options
from vqcodec_cli.piped import encode_piped
from vqcodec_cli.plan import Job, plan_jobs
from vqcodec_cli.recording import add_recording
from vqcodec_cli.streaming import encode_streaming
from vqcodec_cli.targets import add_target, tell_of_tries
from vqcodec_cli.terminal import printable

if TYPE_CHECKING:
    from vqcodec.codec import Codec
    from vqcodec.model.file import ModelCard

# What a medium is told by.
_HEAD_BYTES = 64

EXAMPLES = """\
examples:
  vqcodec encode photo.png                       writes photo.vqc
  vqcodec encode photo.png --bpp 0.25 -o small.vqc
  vqcodec encode holiday/ -q 70 -o encoded/      a folder, with its subfolders
  vqcodec encode archive/ -o encoded/ --jobs 8 --skip-existing --manifest encoded.jsonl
  vqcodec encode talk.wav -m speech --kbps 3     writes talk.vqc
  vqcodec encode field.npy --max-error 0.01      an array, no value off by more than 0.01
  vqcodec encode new.npy -m scene.safetensors    an array by a model of such arrays
  vqcodec encode words.npy --recipe vectors --bytes-per-vector 16
  vqcodec encode clip.mkv --kbps 40              a video, writes clip.vqc
  vqcodec encode noisy.png --restore noise       without the noise; any reader reads it
  cat photo.png | vqcodec encode - > photo.vqc
  arecord -t raw -f S16_LE -r 16000 -d 60 | vqcodec encode - --raw 16000,1,s16 > note.vqc"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.epilog = EXAMPLES
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="pictures, sounds, folders, patterns, or - for stdin",
    )
    options.add_output(
        parser, explanation="output file, folder, or - for stdout (default: INPUT's name with .vqc)"
    )
    parser.add_argument(
        "--keep-suffix", action="store_true", help="name outputs photo.png.vqc, not photo.vqc"
    )
    add_target(parser)
    parser.add_argument(
        "--effort",
        type=int,
        choices=range(1, 10),
        default=5,
        metavar="E",
        help="1 (fast) to 9 (slow, more quality for the bytes); default 5",
    )
    options.add_model(
        parser,
        default=None,
        explanation="model to encode with (default: photo for pictures, sound for sounds)",
    )
    options.add_restore(parser)
    options.add_device(parser)
    parser.add_argument(
        "--strip", action="store_true", help="leave out colour profile and EXIF data, or tags"
    )
    parser.add_argument(
        "--raw",
        metavar=medium_of_raw().raw,
        help="inputs are bare samples, such as 24000,1,s16: u8, s16, s24, s32, f32 or f64, "
        "little-endian; in folders .raw and .pcm files",
    )
    add_recording(parser)
    options.add_max_samples(parser)
    options.add_many(parser)
    options.add_dry_run(parser)
    options.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Encode every input; returns the exit code."""
    if args.raw is not None:
        check_raw_words(args.raw)
    jobs = plan_jobs(
        find_sources(args.inputs, suffixes=RAW_SUFFIXES if args.raw else input_suffixes()),
        args.output,
        suffix=lambda source: STREAM_SUFFIXES[0],
        force=args.force,
        as_json=args.json,
        keep_suffix=args.keep_suffix,
        keep_times=args.keep_times,
    )
    check_recipe(args, jobs)
    if args.restore is not None and args.psnr is not None:
        raise UsageError("--restore has no --psnr: the input is not what it comes near to")
    for job in jobs:
        check_stream_name(job.target)
    encoder = _Encoder(args, processes=processes_for(jobs, args))
    return run_jobs(
        jobs,
        encoder.encode,
        args,
        label="encoding",
        preview=lambda job, _: preview_encoding(job, args),
    )


class _Encoder:
    """Encodes jobs with the model that was asked for, or with that of each one's medium.

    A model that was asked for is looked up at once, and refused before any input is read; it is
    loaded when the first signal has been read, in each of the processes that share the jobs.
    """

    def __init__(self, args: argparse.Namespace, *, processes: int) -> None:
        self._args, self._processes = args, processes
        self._codecs: dict[str, Codec] = {}
        self._card: ModelCard | None = None
        if args.model is not None:
            from vqcodec.model.catalog import locate_model
            from vqcodec.model.file import read_card

            self._card = read_card(locate_model(args.model))

    def encode(self, job: Job, tell: Tell) -> tuple[dict[str, Any], str]:
        """Encode one signal and write its file."""
        args = self._args
        job.check()
        medium, signal = self._signal_of(job.source)
        check_medium_options(args, medium)
        streaming = find_streaming_coder(medium)
        if streaming is not None:
            model = medium.default_model if self._card is None else self._card.path
            return encode_streaming(
                args, job, medium, streaming, signal, tell, model=model, threads=self._threads()
            )
        with options_refused():
            signal = medium.with_options(signal, alpha_quality=args.alpha_quality)
        started = time.perf_counter()
        coder = find_coder(medium)
        if coder is None:
            stream, signal, quality = self._by_model(medium, signal, job.source, tell)
        else:
            threads = self._threads()
            stream, quality = encode_by_coder(coder, signal, args, threads, tell), None
        job.write(stream)
        unit, rate = medium.rate(len(stream), signal)
        seconds = time.perf_counter() - started
        record = {
            "input": job.source.name,
            "output": job.target,
            "medium": medium.name,
            **dict(zip(medium.axes, signal.extent, strict=False)),
            "bytes": len(stream),
            unit.replace(" ", "_"): rate,
            **({} if quality is None else {"quality": quality}),
            "seconds": seconds,
        }
        if args.manifest is not None:
            record["sha256"] = hashlib.sha256(stream).hexdigest()
        size = medium.size_text(signal.extent) + mixed_channels(stream, signal.channels)
        text = f"{size}, {len(stream):,} bytes, {rate:.3f} {unit}"
        if quality is not None:
            text += f", quality {quality:.4g}"
        return record, f"{printable(job.target)}: {text}, {seconds:.1f} s"

    def _by_model(
        self, medium: Medium, signal: Any, source: Source, tell: Tell
    ) -> tuple[bytes, Any, float]:
        """The stream of a signal, the signal, and its quality; None is one that is piped."""
        if self._args.kbps is not None and (unit := medium.rate(1, signal)[0]) != "kbps":
            raise UsageError(f"the rate of {with_article(medium.name)} is in {unit}, got --kbps")
        codec = self._codec_for(medium)
        if signal is None:
            args, quality = self._args, self._quality()
            limits, threads = limits_of(args.max_samples), self._threads()
            said: dict[str, Any] = {"quality": quality, "effort": args.effort, "threads": threads}
            stream, signal = encode_piped(codec, source, args.raw, limits, **said)
            check_coded(codec, signal, limits)
            return stream, signal, quality
        check_coded(codec, signal, limits_of(self._args.max_samples))
        stream, quality = self._encode(codec, signal, tell)
        return stream, signal, quality

    def _encode(self, codec: "Codec", signal: Any, tell: Tell) -> tuple[bytes, float]:
        """The stream of a signal, and its quality."""
        args, found = self._args, list[float]()
        stream = codec.encode(
            signal,
            quality=self._quality(),
            bpp=args.bpp,
            kbps=args.kbps,
            size=args.size,
            psnr=args.psnr,
            effort=args.effort,
            facts=not args.strip,
            threads=self._threads(),
            progress=tell if _has_quality(args) else tell_of_tries(tell),
            found=found.append,
        )
        return stream, found[0]

    def _quality(self) -> float:
        return 50.0 if self._args.quality is None else self._args.quality

    def _threads(self) -> int | None:
        return threads_each(self._args.threads, processes=self._processes)

    def _signal_of(self, source: Source) -> tuple[Medium, Any]:
        """The signal in an input, and its medium; a large file is read as it is asked for.

        None for bare samples, which are read as they are encoded, but where a target needs them
        again and again.
        """
        limits = limits_of(self._args.max_samples)
        raw = self._args.raw
        if raw is None and not source.is_file():
            medium = self._medium_of(source.head(_HEAD_BYTES))
            if (streaming := find_streaming_coder(medium)) is not None:
                return medium, streaming.read_from(source.opened(), limits)
        if raw is not None:
            medium = medium_of_raw() if self._card is None else self._medium_of(b"")
            if not medium.raw:
                raise UsageError(f"{with_article(medium.name)} is not read of bare samples")
            if _has_quality(self._args):
                return medium, None
            return medium, medium.from_raw(source.read(), raw, limits)
        if source.is_file():
            medium = self._medium_of(source.head(_HEAD_BYTES))
            opened = medium.open(source.name, limits)
            if opened is not None:
                return medium, opened
        data = source.read()
        medium = self._medium_of(data)
        with others_named(medium, data[:_HEAD_BYTES]):
            return medium, medium.read(data, limits)

    def _medium_of(self, data: bytes) -> Medium:
        if self._args.recipe is not None:
            check_recipe_input(self._args, data)
            return find_medium(RECIPES[self._args.recipe])
        return medium_of(data) if self._card is None else find_medium(self._card.config.medium.kind)

    def _codec_for(self, medium: Medium) -> "Codec":
        if medium.name not in self._codecs:
            wanted = medium.default_model if self._card is None else self._card.path
            args = self._args
            self._codecs[medium.name] = load_noted(wanted, args.device, restore=args.restore)
        return self._codecs[medium.name]


def _has_quality(args: argparse.Namespace) -> bool:
    """Whether a quality is asked for, and no target."""
    return args.bpp is args.kbps is args.size is args.psnr is None
