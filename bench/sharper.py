"""Whether another synthesis for the same codes, trained with a discriminator, looks sharper.

    python -m bench.sharper PHOTOGRAPHS WORK [--minutes 20] [--alone]

It learns on PHOTOGRAPHS but for those that training holds out: the synthesis of `photo` goes
on from its weights, all else stays. What it learns on are codes of files of 0.05 to 0.25 bit per
pixel, as the encoder writes them. Minutes are the processor's. `--alone` learns as long without a
discriminator, for comparison. `bench/sharper_judge.py` says what came of it.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

import vqcodec
from vqcodec.media.crops import split_files
from vqcodec.media.picture.crops import find_pictures, read_rgb
from vqcodec.media.picture.distortion import PictureDistortion
from vqcodec.media.registry import read_any_stream
from vqcodec.transforms.half import cpu_multiplies_bfloat16

Pixels = NDArray[np.uint8]
Half = NDArray[np.float16]
Examples = tuple[NDArray[np.uint8], Half]

WEIGHTS, WEIGHTS_ALONE = "sharper.safetensors", "alone.safetensors"
HELD_OUT = 32
SIDE, CROP, STRIDE, BATCH = 384, 192, 8, 4
# Qualities of `photo` that give 0.05 to 0.25 bit per pixel of an ordinary photograph.
QUALITIES = (4, 10, 16, 22)
# Gradients of the discriminator's loss count so much beside those of the distortion.
SHARE = 0.75
FEATURES = 5.0
# Without MS-SSIM, which `photo` was trained for as well: it takes as long as all else of a step.
DISTORTION = {"ssimulacra2": 0.75}
# Until then the discriminator alone learns.
ALONE = 0.1


class Discriminator(nn.Module):
    """Patches of pictures, beside the latent that they were decoded from: real or not.

    Gives what each of its layers makes of them, the verdicts last.
    """

    def __init__(self, latent: int) -> None:
        super().__init__()
        widths = (3, 32, 64, 96)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in itertools.pairwise(widths))
        self.told = nn.Conv2d(latent, 32, 1)
        self.both = nn.Conv2d(widths[-1] + 32, 128, 3, 1, 1)
        self.leave = nn.Conv2d(128, 1, 1)

    def forward(self, pixels: Tensor, latent: Tensor) -> list[Tensor]:
        """Pixels (B, 3, H, W) in [0, 1], latent (B, D, H / 8, W / 8)."""
        found = [2 * pixels - 1]
        for layer in self.down:
            found.append(functional.leaky_relu(layer(found[-1]), 0.2))
        told = functional.leaky_relu(self.told(latent), 0.2)
        found.append(functional.leaky_relu(self.both(torch.cat([found[-1], told], 1)), 0.2))
        return [*found[1:], self.leave(found[-1])]


def examples(folder: Path, store: Path) -> Examples:
    """Middles of photographs to train on, (N, H, W, 3), and the latents of files of them."""
    if store.exists():
        with np.load(store) as held:
            return held["pixels"], held["latents"]
    codec = vqcodec.load("photo", device="cpu")
    kept, _ = split_files(find_pictures(folder), held_out=HELD_OUT)
    crops, latents = [], []
    for number, path in enumerate(kept):
        pixels = read_rgb(path)
        if min(pixels.shape[:2]) < SIDE:
            continue
        top, left = ((length - SIDE) // 2 for length in pixels.shape[:2])
        pixels = np.ascontiguousarray(pixels[top : top + SIDE, left : left + SIDE])
        data = codec.encode(pixels, quality=QUALITIES[number % len(QUALITIES)], effort=2)
        crops.append(pixels)
        latents.append(latent_of(codec, data)[0].numpy().astype(np.float16))
        print(f"{path.name} {8 * len(data) / SIDE**2:.3f} bpp", flush=True)
    found = np.stack(crops), np.stack(latents)
    np.savez(store, pixels=found[0], latents=found[1])
    return found


def latent_of(codec: vqcodec.Codec, data: bytes) -> Tensor:
    _, stream = read_any_stream(data)
    return codec.vectors(torch.from_numpy(codec.decode_codes(stream))[None])


def batches(known: Examples, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Crops (B, 3, CROP, CROP) in [0, 1] and their latents, flipped in no way: codes would not."""
    random = np.random.default_rng(seed)
    cells = CROP // STRIDE
    while True:
        pixels, latents = [], []
        for pick in random.integers(len(known[0]), size=BATCH):
            whole, latent = (part[pick] for part in known)
            row, column = random.integers((SIDE - CROP) // STRIDE + 1, size=2)
            y, x = row * STRIDE, column * STRIDE
            pixels.append(torch.from_numpy(whole[y : y + CROP, x : x + CROP]))
            latents.append(torch.from_numpy(latent[:, row : row + cells, column : column + cells]))
        yield torch.stack(pixels).movedim(-1, 1).float() / 255, torch.stack(latents).float()


class Run:
    """A synthesis and its discriminator, step by step."""

    def __init__(self, known: Examples) -> None:
        self.synthesis = synthesis_of_photo().requires_grad_(True).train()
        self.mean = {name: t.clone() for name, t in self.synthesis.state_dict().items()}
        self.judge = Discriminator(known[1].shape[1])
        self.distortion = PictureDistortion(DISTORTION)
        self.of_synthesis = torch.optim.Adam(self.synthesis.parameters(), 1e-4, (0.5, 0.9))
        self.of_judge = torch.optim.Adam(self.judge.parameters(), 4e-4, (0.5, 0.9))

    def step(self, pixels: Tensor, latent: Tensor, share: float) -> dict[str, float]:
        """Both learn, the one from the other; at first the discriminator alone."""
        self._slow_down(share)
        if share < ALONE:
            with torch.no_grad():
                decoded = self._decoded(latent)
            return {"judge": self._judge(pixels, latent, decoded, opinion=False)[0]}
        decoded = self._decoded(latent)
        shown = decoded.detach().requires_grad_()
        learned, better = self._judge(pixels, latent, shown, opinion=True)
        error, nearer = self._nearer(shown, pixels)
        weight = SHARE * nearer.norm() / better.norm().clamp_min(1e-12)
        self._descend(decoded, nearer + weight * better)
        return {"judge": learned, "error": error, "weight": weight.item()}

    def step_alone(self, pixels: Tensor, latent: Tensor, share: float) -> dict[str, float]:
        """The synthesis learns from the distortion, and from nothing else."""
        self._slow_down(share)
        decoded = self._decoded(latent)
        error, nearer = self._nearer(decoded.detach().requires_grad_(), pixels)
        self._descend(decoded, nearer)
        return {"error": error}

    def _slow_down(self, share: float) -> None:
        for optimizer, peak in ((self.of_synthesis, 1e-4), (self.of_judge, 4e-4)):
            optimizer.param_groups[0]["lr"] = peak * min(1.0, 4 * (1 - share))

    def _decoded(self, latent: Tensor) -> Tensor:
        with half():
            decoded: Tensor = self.synthesis(latent)
        return decoded.float()

    def _judge(
        self, pixels: Tensor, latent: Tensor, shown: Tensor, *, opinion: bool
    ) -> tuple[float, Tensor]:
        """A step of the discriminator: its loss, and what it would have changed in what is shown.

        Of one pass through it both learn.
        """
        with half():
            real, false = self.judge(pixels, latent), self.judge(shown.clamp(0, 1), latent)
        learned = functional.relu(1 - real[-1]).mean() + functional.relu(1 + false[-1]).mean()
        better = torch.zeros_like(shown)
        self.of_judge.zero_grad()
        if opinion:
            near = sum(
                (a - b.detach()).abs().mean() for a, b in zip(false[:-1], real[:-1], strict=True)
            )
            said = FEATURES * near - false[-1].float().mean()
            (better,) = torch.autograd.grad(said, shown, retain_graph=True)
        learned.backward()  # type: ignore[no-untyped-call]
        self.of_judge.step()
        return learned.item(), better

    def _nearer(self, shown: Tensor, pixels: Tensor) -> tuple[float, Tensor]:
        """The squared error, and the gradient of the distortion."""
        error = (shown - pixels).square().mean()
        (nearer,) = torch.autograd.grad(self.distortion(shown, pixels, error), shown)
        return error.item(), nearer

    def _descend(self, decoded: Tensor, gradient: Tensor) -> None:
        self.of_synthesis.zero_grad()
        decoded.backward(gradient)  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.synthesis.parameters(), 0.01)
        self.of_synthesis.step()
        for name, tensor in self.synthesis.state_dict().items():
            self.mean[name].lerp_(tensor, 0.005)


def half() -> torch.autocast:
    """Half precision where the processor has it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=cpu_multiplies_bfloat16())


def synthesis_of_photo() -> nn.Module:
    from vqcodec.model.catalog import locate_model
    from vqcodec.model.file import read_model
    from vqcodec.model.tensors import network_from_tensors

    card, tensors = read_model(locate_model("photo"))
    return network_from_tensors(card.config, tensors, card.path).transform.synthesis


def train(folder: Path, work: Path, minutes: float, alone: bool) -> None:
    torch.manual_seed(0)
    known = examples(folder, work / "examples.npz")
    run, source = Run(known), batches(known, seed=0)
    learn, name = (run.step_alone, WEIGHTS_ALONE) if alone else (run.step, WEIGHTS)
    began, step, share = time.process_time(), 0, 0.0
    while share < 1:
        said = learn(*next(source), share)
        step, share = step + 1, (time.process_time() - began) / 60 / minutes
        if step % 20 == 0:
            print(step, f"{share:.3f}", {k: f"{v:.3g}" for k, v in said.items()}, flush=True)
        if step % 200 == 0 or share >= 1:
            save_file({key: t.contiguous() for key, t in run.mean.items()}, work / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--alone", action="store_true", help="train without a discriminator")
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.work.mkdir(parents=True, exist_ok=True)
    train(given.folder, given.work, given.minutes, given.alone)


if __name__ == "__main__":
    main()
