"""Whether noise belongs where a decoded sound is softer than the original usually was there.

    python -m bench.sound_noise SOUNDS [--model speech] [--qualities 26 45]
        [-o bench/results/sound/noise.json]

How loud an original usually is where the decoded sound has a level, band by band, is learned from
some of the training sounds; measured is on those that training holds out. What is missing is added
as noise, in all bands or in those above 4 kHz, or the band is made louder instead.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import vqcodec
from bench.sound_ablations import FITTED, differences, files, heard, measured
from vqcodec.evaluation import circumstances
from vqcodec.files import write_whole
from vqcodec.media.crops import split_files
from vqcodec.media.registry import read_any_stream
from vqcodec.media.sound.signal import Sound
from vqcodec.media.sound.spectra import mel_filters, window_of

BANDS, HIGH = 32, 4000.0
# Levels in dB are told apart in steps of so many, from -100 dB; those seen more rarely say nothing.
STEP, LEVELS, FEWEST = 4.0, 26, 50
FLOOR = 1e-10

Power = NDArray[np.float64]
Usual = NDArray[np.float64]


class Bands:
    """Short-time spectra of one channel and rate, and the power in their mel bands."""

    def __init__(self, rate: int) -> None:
        self.size = window_of(768, rate) // 4 * 4
        self.window = torch.hann_window(self.size, dtype=torch.float64)
        self.filters = mel_filters(BANDS, window=self.size, rate=rate)
        self.middles = (np.arange(self.size // 2 + 1) * rate / self.size) @ (
            self.filters / self.filters.sum(0)
        )

    def spectrum(self, samples: NDArray[Any]) -> Tensor:
        """(T,) -> complex (frequencies, times), a sine of full scale at about 1/2."""
        x = torch.from_numpy(samples.astype(np.float64))
        kind = {"window": self.window, "return_complex": True}
        return torch.stft(x, self.size, self.size // 4, **kind) * 2 / self.size  # type: ignore[arg-type]

    def samples(self, spectrum: Tensor, length: int) -> NDArray[np.float32]:
        back = spectrum * self.size / 2
        found = torch.istft(back, self.size, self.size // 4, window=self.window, length=length)
        return found.numpy().astype(np.float32)

    def power(self, spectrum: Tensor) -> Power:
        """(bands, times)."""
        weights = self.filters / self.filters.sum(0)
        power: Power = weights.T @ spectrum.abs().square().numpy()
        return power

    def over_frequencies(self, bands: Power) -> Tensor:
        """Values of bands as those of frequencies, between them in proportion."""
        weights = self.filters / np.maximum(self.filters.sum(1, keepdims=True), 1e-9)
        return torch.from_numpy(weights @ bands)


def levels(power: Power) -> Power:
    found: Power = 10 * np.log10(power + FLOOR)
    return found


def steps(level: Power) -> NDArray[np.int64]:
    return np.clip((level + 100) // STEP, 0, LEVELS - 1).astype(np.int64)


def learn(codec: vqcodec.Codec, paths: list[Path], quality: float) -> Usual:
    """How much louder originals are than what was decoded, dB (bands, levels), the median."""
    apart: list[list[list[Power]]] = [[[] for _ in range(LEVELS)] for _ in range(BANDS)]
    for _, sound in heard(paths):
        bands = Bands(sound.rate)
        decoded = codec.decode_signal(codec.encode(sound, quality=quality))
        ours, theirs = (
            levels(bands.power(bands.spectrum(x.samples.mean(1)))) for x in (decoded, sound)
        )
        for band, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            for step in np.unique(found := steps(a)):
                apart[band][step].append((b - a)[found == step])
    usual = np.zeros((BANDS, LEVELS))
    for band, of_band in enumerate(apart):
        for step, parts in enumerate(of_band):
            if sum(map(len, parts)) >= FEWEST:
                usual[band, step] = np.median(np.concatenate(parts))
    return usual


def filled(sound: Sound, usual: Usual, *, lowest: float, noise: bool) -> Sound:
    """A decoded sound with what is missing in bands from `lowest` Hz on."""
    bands, random = Bands(sound.rate), np.random.default_rng(0)
    channels = []
    for samples in sound.samples.T:
        spectrum = bands.spectrum(samples)
        power = bands.power(spectrum)
        missing = np.maximum(usual[np.arange(BANDS)[:, None], steps(levels(power))], 0)
        missing[bands.middles < lowest] = 0
        if noise:
            hiss = bands.spectrum(random.normal(size=len(samples)))
            # The levels are those of power plus the floor, and so is what is added to them.
            wanted = (power + FLOOR) * (10 ** (missing / 10) - 1)
            unit = hiss.abs().square().mean().sqrt()
            spectrum = spectrum + bands.over_frequencies(wanted).sqrt() * hiss / unit
        else:
            spectrum = spectrum * bands.over_frequencies(10 ** (missing / 20))
        channels.append(bands.samples(spectrum, len(samples)))
    return Sound(np.stack(channels, 1), sound.rate)


WAYS: dict[str, Callable[[Sound, Usual], Sound]] = {
    "as decoded": lambda sound, usual: sound,
    "noise": lambda sound, usual: filled(sound, usual, lowest=0, noise=True),
    "noise above 4 kHz": lambda sound, usual: filled(sound, usual, lowest=HIGH, noise=True),
    "louder": lambda sound, usual: filled(sound, usual, lowest=0, noise=False),
}


def measure(codec: vqcodec.Codec, paths: list[Path], quality: float, usual: Usual) -> list[Any]:
    """A row for every held-out file and way."""
    rows = []
    for name, sound in heard(paths):
        data = codec.encode(sound, quality=quality)
        decoded = codec.decode_signal(data)
        size = sum(len(codes) for codes in read_any_stream(data)[1].codes)
        row = {"file": name, "kbps": 8 * size * sound.rate / sound.extent[0] / 1000}
        for way, change in WAYS.items():
            values = measured(change(decoded, usual), sound)
            rows.append({**row, "way": way, **values})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="speech")
    parser.add_argument("--qualities", type=float, nargs="+", default=[26, 45])
    parser.add_argument("-o", "--output", type=Path, default=Path("bench/results/sound/noise.json"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    codec = vqcodec.load(given.model, device="cpu")
    kept, held_out = files(given.folder)
    _, chosen = split_files(kept, held_out=2 * FITTED)
    found = {}
    for quality in given.qualities:
        usual = learn(codec, chosen, quality)
        rows = measure(codec, held_out, quality, usual)
        control = [row for row in rows if row["way"] == "as decoded"]
        ways = {way: differences([r for r in rows if r["way"] == way], control) for way in WAYS}
        found[f"{quality:g}"] = {"usual": usual.round(2).tolist(), "ways": ways}
        for way, values in ways.items():
            for key, value in values.items():
                apart = f"{value['difference']:+.4f} +- {value['standard_error']:.4f}"
                print(f"{quality:g} {way:18} {key:12} {value['mean']:.4f} {apart}", flush=True)
    facts = circumstances(("torch", "pesq", "pystoi"))
    result = {"circumstances": facts, "model": codec.card.label, "qualities": found}
    earlier = json.loads(given.output.read_text()) if given.output.exists() else []
    others = [part for part in earlier if part["model"] != codec.card.label]
    write_whole(given.output, (json.dumps([*others, result], indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
