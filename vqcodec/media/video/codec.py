"""Videos in memory to bytes and back, with the same two calls as other media have."""

from __future__ import annotations

import io

import torch

from vqcodec.media.video.model import VideoModel
from vqcodec.media.video.player import open_video
from vqcodec.media.video.recorder import MOST_SECONDS, Recorder
from vqcodec.media.video.signal import Video
from vqcodec.model.file import ModelCard

__all__ = ["VideoCodec"]


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
        with Recorder(
            buffer.write,
            self._model,
            height=video.height,
            width=video.width,
            facts=video.facts,
            quality=quality,
            keyframe_seconds=min(keyframe_seconds, MOST_SECONDS),
        ) as recorder:
            for frame in video:
                recorder.add(frame)
            recorder.end()
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
