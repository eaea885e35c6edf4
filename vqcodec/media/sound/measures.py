"""How good a sound is: every measure on each channel, and the mean over the channels.

What training minimises is among them (mel distance, and the error that SI-SDR tells): ViSQOL, PESQ
and ESTOI were never trained for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vqcodec.errors import InputError
from vqcodec.media.sound.extras import EXTRA
from vqcodec.media.sound.listeners import estoi, pesq_wide, visqol, visqol_speech
from vqcodec.media.sound.signal import Sound
from vqcodec.media.sound.spectra import log_spectral_distance, mel_distance
from vqcodec.media.sound.waveform import si_sdr
from vqcodec.media.workshop import Measure

__all__ = ["MEASURES"]

# Of one channel: decoded and original (T,), and their rate.
OfChannel = Callable[[NDArray[Any], NDArray[Any], int], float]


def _of_sounds(measure: OfChannel) -> Callable[[Sound, Sound], float]:
    def of(decoded: Sound, original: Sound) -> float:
        if decoded.rate != original.rate or decoded.extent != original.extent:
            raise InputError(
                f"sounds of one rate and length are compared, got {decoded.extent[0]} samples at "
                f"{decoded.rate} and {original.extent[0]} at {original.rate}"
            )
        if decoded.channels not in (1, original.channels):
            raise InputError(f"{decoded.channels} channels are compared with {original.channels}")
        # One channel stands for both where a codec mixes them.
        heard = np.broadcast_to(decoded.samples, original.samples.shape)
        values = [
            measure(a, b, original.rate) for a, b in zip(heard.T, original.samples.T, strict=True)
        ]
        return float(np.mean(values))

    return of


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="mel",
        of=_of_sounds(mel_distance),
        title="mel distance",
        unit="dB",
        low=0,
        lower_is_better=True,
    ),
    Measure(name="si-sdr", of=_of_sounds(si_sdr), title="SI-SDR", unit="dB"),
    Measure(
        name="log-spectral",
        of=_of_sounds(log_spectral_distance),
        title="log-spectral distance",
        unit="dB",
        low=0,
        lower_is_better=True,
    ),
    Measure(
        name="visqol",
        of=_of_sounds(visqol),
        title="ViSQOL",
        low=1,
        high=5,
        package="visqol",
        extra=EXTRA,
    ),
    Measure(
        name="visqol-speech",
        of=_of_sounds(visqol_speech),
        title="ViSQOL of speech",
        low=1,
        high=5,
        package="visqol",
        extra=EXTRA,
    ),
    Measure(
        name="pesq",
        of=_of_sounds(pesq_wide),
        title="PESQ wide band",
        low=1,
        high=5,
        package="pesq",
        extra=EXTRA,
    ),
    Measure(
        name="estoi",
        of=_of_sounds(estoi),
        title="ESTOI",
        decimals=3,
        low=-1,
        high=1,
        package="pystoi",
        extra=EXTRA,
    ),
)
