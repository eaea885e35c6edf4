"""What a medium answers whose signals are coded without a model: see `coder.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

from vqcodec.bitstream import Chunk, Stream
from vqcodec.errors import BadModelError
from vqcodec.grid import Region
from vqcodec.media.base import Direct, Part
from vqcodec.model.config import MediumConfig, ModelConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Modelless"]


class Modelless(Direct):
    """Refuses models, and leaves all that stands in a stream to the coder."""

    default_model = ""
    span: tuple[float, float] | None = None
    depths: tuple[int, ...] = ()

    def check_model(self, model: ModelConfig) -> None:
        """Raise BadModelError."""
        raise self._no_model()

    def blank(self, extent: tuple[int, ...], model: ModelConfig) -> Any:
        """Raise BadModelError."""
        raise self._no_model()

    def to_samples(self, signal: Any, model: MediumConfig, region: Region) -> NDArray[np.float32]:
        """Raise BadModelError."""
        raise self._no_model()

    def from_samples(
        self,
        parts: Iterable[Part],
        stream: Stream,
        region: Region,
        *,
        shrink: int = 1,
        bits: int | None = None,
    ) -> Any:
        """Raise BadModelError."""
        raise self._no_model()

    def writer(
        self, stream: Stream, region: Region, *, format: str, bits: int | None = None
    ) -> Callable[[Iterable[Part], BinaryIO], None] | None:
        """None: `write` has it whole."""
        return None

    def side_chunks(self, signal: Any, *, facts: bool) -> list[Chunk]:
        """None: what stands beside the codes is the coder's."""
        return []

    def _no_model(self) -> BadModelError:
        return BadModelError(f"{self.name}s are coded without a model")
