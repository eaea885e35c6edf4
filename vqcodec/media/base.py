"""What the codec asks of a medium: samples of a signal, and a signal of samples.

A medium is one folder, `media/NAME/`. Between samples and bytes nobody knows its name: the codec
asks the registry for the medium that a header's number, a model's configuration or a file's first
bytes belong to, and goes on with these methods. Importing this or a medium's own `medium.py` loads
neither NumPy nor torch, so that a stream is described and refused at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from vqcodec.bitstream import Chunk, Header, Limits, Stream
from vqcodec.errors import InputError
from vqcodec.grid import Region
from vqcodec.model.config import MediumConfig, ModelConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Direct", "Flow", "Medium", "Part", "Signal", "no_options"]

# Where samples lie in a signal, and the samples: float32 (C, *lengths of the region).
Part = tuple[Region, "NDArray[np.float32]"]


class Signal(Protocol):
    """Samples of a medium in memory, and the facts that travel with them.

    One whose samples can be drawn once only, from front to back, has an attribute `drawn_once` that
    is true.
    """

    @property
    def extent(self) -> tuple[int, ...]:
        """Samples along each axis."""

    @property
    def channels(self) -> int:
        """Values of a sample."""


class Flow(Signal, Protocol):
    """A signal that is pushed block by block; until its end is known its extent lies beyond it."""

    @property
    def ready(self) -> int:
        """Samples along the first axis that can be asked for."""

    def push(self, block: Any) -> None:
        """Add samples. Raises: InputError if they are none."""

    def end(self) -> None:
        """Say that this was all. Raises: InputError if it was not."""


def no_options(medium: str, signal: Any, **options: Any) -> Any:
    """The signal, for a medium that knows no options; InputError if it is given one.

    >>> no_options("sound", "a signal", alpha_quality=50)
    Traceback (most recent call last):
    vqcodec.errors.InputError: a sound has no alpha_quality, got 50
    """
    for name, value in options.items():
        if value is not None:
            raise InputError(f"a {medium} has no {name}, got {value!r}")
    return signal


class Medium(Protocol):
    """Pictures, sound, video or arrays, as a kind.

    Attributes:
        number: in the header, in [0, 15]; laid down in docs/format.md.
        name: of the folder, and in a model's configuration.
        axes: their names, in the order of `extent`.
        letters: types of the side chunks that are its own; a capital one carries what the samples
            mean nothing without.
        suffixes: files that a folder is searched for, lower case, with the dot.
        formats: suffix -> format of the files that are written; the first is the default.
        default_model: name of the model that encodes if none is asked for.
        span: lowest and highest sample that a model takes, None if there is no such range.
        depths: bits of a decoded sample that one may ask for, the first if nobody does; empty where
            there is no choice.
        raw: how people say what bare samples are, "RATE,CHANNELS,FORMAT"; empty if they cannot.
        raw_formats: formats of bare samples that are written.

    >>> import numpy
    >>> from vqcodec.media.registry import find_medium
    >>> medium = find_medium("picture")
    >>> signal = medium.wrap(numpy.zeros((48, 64, 3), numpy.uint8))
    >>> dict(zip(medium.axes, signal.extent, strict=True)), signal.channels
    ({'height': 48, 'width': 64}, 3)
    >>> medium.size_text(signal.extent, signal.channels), medium.rate(96, signal)
    ('64 x 48 RGB', ('bpp', 0.25))
    """

    number: int
    name: str
    axes: tuple[str, ...]
    letters: frozenset[str]
    suffixes: tuple[str, ...]
    formats: Mapping[str, str]
    default_model: str
    span: tuple[float, float] | None
    depths: tuple[int, ...]
    raw: str
    raw_formats: tuple[str, ...]

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with these bytes (64 of them, or all) is of this medium."""

    def open(self, path: str, limits: Limits) -> Any:
        """The signal in a large file, which is read as its samples are asked for.

        None where `read` is to have the file whole, also to say what is wrong with it.

        Raises:
            LimitError: too large.
        """

    def read(self, data: bytes, limits: Limits) -> Any:
        """The signal in the bytes of a file.

        Raises:
            InputError: not one whole signal. LimitError: too large, before anything is decoded.
        """

    def from_raw(self, data: bytes, said: str, limits: Limits) -> Any:
        """The signal in bare samples, as the words of `raw` say what they are.

        Raises:
            InputError: other words, or samples that do not fit them. LimitError: too large.
        """

    def write(self, signal: Any, *, format: str) -> bytes:
        """The bytes of a file that holds the signal, or its bare samples.

        Raises:
            InputError: the format cannot hold it.
        """

    def writer(
        self, stream: Stream, region: Region, *, format: str, bits: int | None = None
    ) -> Callable[[Iterable[Part], BinaryIO], None] | None:
        """What writes a region of a signal to a file as its parts are decoded, in little memory.

        The file is empty, and open for writing at any place. None where `write` is to have the
        signal whole. bits: as for `from_samples`.

        Raises:
            InputError: the format cannot hold it, where that is known already.
            CorruptError, LimitError: a side chunk does not hold what it should.
        """

    def wrap(self, thing: Any) -> Any:
        """The signal in an array, a tensor, another library's object or a signal.

        Raises:
            InputError: it is none; the message shows the value.
        """

    def with_options(self, signal: Any, **options: Any) -> Any:
        """The signal as options of encoding have it that not every medium knows; None is not given.

        Raises:
            InputError: an option that this one does not know, or no value of it.
        """

    def unwrap(self, signal: Any) -> NDArray[Any]:
        """The samples as the array that people expect, without the facts."""

    def check_model(self, model: ModelConfig) -> None:
        """Raise BadModelError if the medium has no signals for a model of this configuration."""

    def blank(self, extent: tuple[int, ...], model: ModelConfig) -> Any:
        """A signal of nothing, as a model takes it: what says of drawn codes what they are."""

    def prepare(self, signal: Any, model: ModelConfig) -> Any:
        """The signal as a model takes it, at its sample rate and of its channels.

        What it has of extent and channels is what the header says.
        """

    def to_samples(self, signal: Any, model: MediumConfig, region: Region) -> NDArray[np.float32]:
        """What a model takes of a region of a prepared signal: float32 (C, *lengths)."""

    def extent_of(self, stream: Stream) -> tuple[int, ...]:
        """Samples along each axis of the signal that a stream decodes to."""

    def samples_for(self, stream: Stream, region: Region, *, shrink: int = 1) -> Region:
        """Where the model's samples lie, within the header's extent, that a region is made of.

        At 1/shrink of the size both begin at multiples of `shrink`.
        """

    def from_samples(
        self,
        parts: Iterable[Part],
        stream: Stream,
        region: Region,
        *,
        shrink: int = 1,
        bits: int | None = None,
    ) -> Any:
        """A region of the signal that a stream describes, of the parts of it that are decoded.

        Parts and region are of the signal at 1/shrink of its size along each axis, where a sample
        is the mean of a block. The parts cover what `samples_for` says of the region once, in the
        order of regions. Most are decoded as they are drawn, so that not all of their samples are
        in memory. `bits` is one of `depths`, None for what the signal had that was encoded.

        Raises:
            CorruptError, LimitError: a side chunk does not hold what it should.
        """

    def per_second(self, stream: Stream) -> int | None:
        """Samples that pass in a second along the first axis; None where it is not time."""

    def at_rate(self, stream: Stream, rate: int | str) -> Stream:
        """A stream that decodes to the signal at so many samples a second, or "model", as it codes.

        Raises:
            InputError: no rate that a signal can have.
        """

    def gather(self, **facts: Any) -> Flow:
        """A signal that is pushed block by block; facts are its channels, rate and the like.

        Raises:
            InputError: facts that no signal has, or none comes so.
        """

    def side_chunks(self, signal: Any, *, facts: bool) -> list[Chunk]:
        """What stands beside the codes of a signal, prepared or not.

        Without `facts` only what the samples cannot do without.
        """

    def check(self, header: Header, side_chunks: Sequence[Chunk]) -> None:
        """Raise CorruptError if header and side chunks of this medium contradict each other."""

    def describe(self, stream: Stream, *, size: int, limits: Limits) -> dict[str, Any]:
        """The medium's own facts about a stream of `size` bytes: plain values by name.

        Raises:
            CorruptError, LimitError: a side chunk does not hold what it should.
        """

    def size_text(self, extent: tuple[int, ...], channels: int | None = None) -> str:
        """How large a signal is, as people say it: "768 x 512 RGB"."""

    def rate(self, size: int, signal: Any) -> tuple[str, float]:
        """What people measure a file of `size` bytes by, and how much: ("bpp", 0.25)."""

    def decibels(self, decoded: Any, original: Any) -> float:
        """How near a decoded signal is to its original: what a target of decibels aims at."""


class Direct:
    """What a medium answers whose samples are the model's own, and of which no axis is time."""

    name: str
    raw = ""
    raw_formats: tuple[str, ...] = ()

    def from_raw(self, data: bytes, said: str, limits: Limits) -> Any:
        """Refuse: see `Medium.from_raw`."""
        raise InputError(f"a {self.name} is not read of bare samples")

    def with_options(self, signal: Any, **options: Any) -> Any:
        """Refuse: see `Medium.with_options`."""
        return no_options(self.name, signal, **options)

    def prepare(self, signal: Any, model: ModelConfig) -> Any:
        """The signal as it is."""
        return signal

    def extent_of(self, stream: Stream) -> tuple[int, ...]:
        """What the header says."""
        return stream.header.extent

    def samples_for(self, stream: Stream, region: Region, *, shrink: int = 1) -> Region:
        """The region itself."""
        return region

    def per_second(self, stream: Stream) -> int | None:
        """None."""
        return None

    def at_rate(self, stream: Stream, rate: int | str) -> Stream:
        """Refuse: see `Medium.at_rate`."""
        raise InputError(f"a {self.name} has no rate, got {rate!r}")

    def gather(self, **facts: Any) -> Flow:
        """Refuse: see `Medium.gather`."""
        raise InputError(f"a {self.name} does not come block by block")
