"""Videos in memory to bytes and back, with the same two calls as other media have."""

from __future__ import annotations

import io
from pathlib import Path

import torch

from vqcodec.media.video.coder import CODER
from vqcodec.media.video.model import VideoModel, load_video_model
from vqcodec.media.video.player import open_video
from vqcodec.media.video.signal import Video
from vqcodec.model.file import ModelCard

__all__ = ["VideoCodec", "load_codec"]


class VideoCodec:
    """A model of videos, ready to encode and decode whole videos: for evaluation.

    Attributes:
        card: what the model says about itself. device: where its networks run.
    """

    def __init__(self, model: VideoModel) -> None:
        self._model = model

    @property
    def card(self) -> ModelCard:
        """What the model says about itself."""
        return self._model.card

    @property
    def device(self) -> torch.device:
        """Where its networks run."""
        return self._model.pictures.device

    def encode(
        self, video: Video, *, quality: float = 50.0, keyframe_seconds: float = 2.0
    ) -> bytes:
        """The stream of a video, without audio."""
        buffer = io.BytesIO()
        CODER.encode_to(
            video,
            buffer.write,
            quality=quality,
            keyframe_seconds=keyframe_seconds,
            model=self._model,
            audio=False,
        )
        return buffer.getvalue()

    def decode_signal(self, data: bytes) -> Video:
        """The video of a stream, its frames decoded once, in memory."""
        with open_video(data, model=self._model) as player:
            return Video(
                list(player),
                height=player.height,
                width=player.width,
                facts=player.facts,
                count=player.frames,
                duration=player.duration,
            )


def load_codec(name_or_path: str | Path = "video", *, device: str = "auto") -> VideoCodec:
    """The codec of a model of videos. Raises: as `load_video_model`."""
    return VideoCodec(load_video_model(name_or_path, device=device))
