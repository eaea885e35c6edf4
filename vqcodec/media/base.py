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
from vqcodec.grid import Region
from vqcodec.model.config import MediumConfig, ModelConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Coder", "Medium", "Part", "Signal"]

# Where samples lie in a signal, and the samples: float32 (C, *lengths of the region).
Part = tuple[Region, "NDArray[np.float32]"]


class Signal(Protocol):
    """Samples of a medium in memory, and the facts that travel with them."""

    @property
    def extent(self) -> tuple[int, ...]:
        """Samples along each axis."""

    @property
    def channels(self) -> int:
        """Values of a sample."""


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

    def write(self, signal: Any, *, format: str) -> bytes:
        """The bytes of a file that holds the signal.

        Raises:
            InputError: the format cannot hold it.
        """

    def writer(
        self, stream: Stream, region: Region, *, format: str
    ) -> Callable[[Iterable[Part], BinaryIO], None] | None:
        """What writes a region of a signal to a file as its parts are decoded, in little memory.

        The file is empty, and open for writing at any place. None where `write` is to have the
        signal whole.

        Raises:
            CorruptError, LimitError: a side chunk does not hold what it should.
        """

    def wrap(self, thing: Any) -> Any:
        """The signal in an array, a tensor, another library's object or a signal.

        Raises:
            InputError: it is none; the message shows the value.
        """

    def unwrap(self, signal: Any) -> NDArray[Any]:
        """The samples as the array that people expect, without the facts."""

    def check_model(self, model: ModelConfig) -> None:
        """Raise BadModelError if the medium has no signals for a model of this configuration."""

    def to_samples(self, signal: Any, model: MediumConfig, region: Region) -> NDArray[np.float32]:
        """What a model of this configuration takes of a region: float32 (C, *lengths)."""

    def from_samples(
        self, parts: Iterable[Part], stream: Stream, region: Region, *, shrink: int = 1
    ) -> Any:
        """A region of the signal that a stream describes, of the parts of it that are decoded.

        Parts and region are of the signal at 1/shrink of its size along each axis, where a sample
        is the mean of a block. The parts cover the region once, in the order of regions. Most are
        decoded as they are drawn, so that not all of their samples are in memory.

        Raises:
            CorruptError, LimitError: a side chunk does not hold what it should.
        """

    def side_chunks(self, signal: Any, *, facts: bool) -> list[Chunk]:
        """What stands beside the codes; without `facts` only what the samples cannot do without."""

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


class Coder(Protocol):
    """What a medium without models codes its signals by; `registry.find_coder` gives it."""

    def encode(self, signal: Any, **options: Any) -> bytes:
        """The stream of a signal.

        options: `threads`, `progress`, and those of its own, such as how near is near enough.

        Raises:
            InputError: an option that is missing, or that makes no sense for the signal.
        """

    def decode(
        self,
        stream: Stream,
        *,
        region: Sequence[slice] | None = None,
        threads: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Any:
        """The signal of a stream that was checked, or a region of it.

        Raises:
            CorruptError: a payload that no encoder writes. InputError: no such region.
        """

    def compare(self, stream: Stream, original: Any) -> str:
        """How far a stream is from its original, in words.

        Raises:
            CorruptError: further than it says.
        """
