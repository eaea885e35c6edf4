"""A sound in a page: its spectrogram, and a player with the samples in it."""

from __future__ import annotations

import base64
import io

from vqcodec.media.sound.extras import extra_package
from vqcodec.media.sound.signal import Sound
from vqcodec.media.sound.spectrogram import shades

__all__ = ["player"]


def player(sound: Sound) -> str:
    """HTML elements with everything in them: a PNG of the spectrogram, and the sound as FLAC.

    Raises:
        MissingDependencyError: soundfile is not installed.
    """
    from PIL import Image

    soundfile = extra_package("soundfile", needed_by="a page with players")
    grey = Image.fromarray(shades(sound.samples.mean(axis=1), sound.rate))
    drawn, played = io.BytesIO(), io.BytesIO()
    grey.save(drawn, format="PNG", optimize=True)
    soundfile.write(played, sound.samples, sound.rate, format="FLAC", subtype="PCM_16")
    seen, heard = _data("image/png", drawn), _data("audio/flac", played)
    return (
        f'<img alt="spectrogram" style="display:block;width:20em;height:12em" src="{seen}">'
        f'<audio controls preload="none" style="width:20em" src="{heard}"></audio>'
    )


def _data(kind: str, file: io.BytesIO) -> str:
    return f"data:{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
