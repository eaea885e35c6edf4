"""Whether another loss gives a synthesis that is easier to understand, of the same codes.

    python -m bench.sound_synthesis learn SOUNDS WORK [--losses NAME ...] [--seconds 20]
    python -m bench.sound_synthesis measure SOUNDS WORK [-o bench/results/sound/synthesis.json]

The synthesis of `speech` goes on from its weights, all else stays: so the bits are the same ones,
and a step takes a fifth of one of `bench/sound_ablations.py`. It learns for so many seconds of one
core on files of 0.8 to 6 kbit/s of the training sounds; measured is on those that training holds
out, as long as they last two seconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import vqcodec
from bench.sound_ablations import (
    RATE,
    conclude,
    files,
    heard,
    loss_named,
    measured,
    published,
)
from vqcodec.media.crops import split_files
from vqcodec.media.registry import read_any_stream
from vqcodec.media.sound.signal import Sound
from vqcodec.transforms.lapped import LappedTransform

LOSSES = ("mel-75", "mel-50", "mel-25", "estoi-25", "estoi-50")
QUALITIES = (40, 70)
RESULTS = Path("bench/results/sound/synthesis.json")
LEARNED, STEP, CROP, BATCH, PEAK = 120, 320, 100, 4, 2e-4
# Qualities of the files that it learns from.
FROM = (15, 30, 45, 60, 75)

Examples = list[tuple[Tensor, Tensor]]


def examples(folder: Path, store: Path) -> Examples:
    """Samples (1, T) and the latent (D, T / 320) of files of some training sounds."""
    if store.exists():
        held = load_file(store)
        return [(held[f"samples {n}"], held[f"latent {n}"]) for n in range(len(held) // 2)]
    codec = vqcodec.load("speech", device="cpu")
    kept, _ = files(folder)
    _, chosen = split_files(kept, held_out=2 * LEARNED)
    found = []
    for number, (_, sound) in enumerate(heard(chosen, RATE)):
        data = codec.encode(sound, quality=FROM[number % len(FROM)], effort=2)
        samples = torch.from_numpy(np.ascontiguousarray(sound.samples.T))
        found.append((samples, latent_of(codec, data)[0].contiguous()))
    named = {f"samples {n}": samples for n, (samples, _) in enumerate(found)}
    save_file(named | {f"latent {n}": latent for n, (_, latent) in enumerate(found)}, store)
    return found


def latent_of(codec: vqcodec.Codec, data: bytes) -> Tensor:
    """What the codes of a file stand for, (1, D, n)."""
    _, stream = read_any_stream(data)
    return codec.vectors(torch.from_numpy(codec.decode_codes(stream))[None])


def batches(known: Examples, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Crops of two seconds, (B, 1, T), and their latents; of longer sounds more."""
    random = np.random.default_rng(seed)
    lengths = np.array([samples.shape[1] // STEP for samples, _ in known])
    while True:
        samples, latents = [], []
        for pick in random.choice(len(known), size=BATCH, p=lengths / lengths.sum()):
            start = int(random.integers(lengths[pick] - CROP + 1))
            sound, latent = known[pick]
            samples.append(sound[:, start * STEP : (start + CROP) * STEP])
            latents.append(latent[:, start : start + CROP])
        yield torch.stack(samples), torch.stack(latents)


def learn(known: Examples, loss: str, seconds: float, path: Path) -> None:
    """Write the weights of the synthesis after so many seconds of the processor."""
    torch.manual_seed(0)
    transform = published("speech").transform.train()
    assert isinstance(transform, LappedTransform)
    distortion = loss_named(loss, transform)
    parameters = list(transform.synthesis.requires_grad_(True).parameters())
    optimizer = torch.optim.Adam(parameters, PEAK, (0.9, 0.98))
    source, began, step, share = batches(known, 0), time.process_time(), 0, 0.0
    while share < 1:
        optimizer.param_groups[0]["lr"] = PEAK * min(1.0, (step + 1) / 10, 2 * (1 - share))
        samples, latent = next(source)
        decoded = transform.synthesise(latent)
        value = distortion(decoded, samples, transform.error(decoded, samples))
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 0.01)
        optimizer.step()
        step, share = step + 1, (time.process_time() - began) / seconds
        if step % 10 == 0:
            print(f"{loss} {step} {share:.2f} {float(value.detach()):.5f}", flush=True)
    facts = {"steps": str(step), "processor_seconds": str(seconds)}
    save_file({k: t.contiguous() for k, t in transform.synthesis.state_dict().items()}, path, facts)


@torch.no_grad()
def measure(folder: Path, work: Path, losses: list[str]) -> dict[str, list[dict[str, Any]]]:
    """By each loss, and as published: a row for every held-out file and quality."""
    codec = vqcodec.load("speech", device="cpu")
    ways = {"published": published("speech").transform.eval()}
    for loss in losses:
        if (path := work / f"{loss}.safetensors").exists():
            ways[loss] = published("speech").transform.eval()
            ways[loss].get_submodule("synthesis").load_state_dict(load_file(path))
    rows: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for name, sound in heard(files(folder)[1], RATE):
        for quality in QUALITIES:
            data = codec.encode(sound, quality=quality)
            size = sum(len(codes) for codes in read_any_stream(data)[1].codes)
            row = {"file": name, "quality": quality, "kbps": size / sound.extent[0] * RATE / 125}
            latent = latent_of(codec, data)
            for way, transform in ways.items():
                samples = transform.synthesise(latent)[0, :, : sound.extent[0]].clamp(-1, 1)
                decoded = Sound(np.ascontiguousarray(samples.T.numpy()), RATE)
                rows[way].append({**row, **measured(decoded, sound)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("learn", "measure"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--losses", nargs="+", default=LOSSES)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.work.mkdir(parents=True, exist_ok=True)
    if given.command == "learn":
        known = examples(given.folder, given.work / "examples.bin")
        for loss in given.losses:
            learn(known, loss, given.seconds, given.work / f"{loss}.safetensors")
        return
    rows = measure(given.folder, given.work, given.losses)
    # All are compared with going on by the present loss.
    present = {LOSSES[0]: rows.pop(LOSSES[0])}
    conclude(present | rows, given.output)


if __name__ == "__main__":
    main()
