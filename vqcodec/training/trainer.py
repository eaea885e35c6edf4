"""The training loop."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from vqcodec.errors import BadModelError
from vqcodec.media.workshop import Batches, Distortion, Recipe, decibels
from vqcodec.model.network import VQVAE
from vqcodec.processes import ALONE, Processes, from_first_process, on_any_process
from vqcodec.training.growth import copy_weights
from vqcodec.training.interruption import signals_wait
from vqcodec.training.objective import Objective
from vqcodec.training.optimizer import Optimizer
from vqcodec.training.progress import Budget, Progress
from vqcodec.training.schedule import draw_rate, learning_rate
from vqcodec.training.state import TrainingState, load_state, save_state
from vqcodec.transforms.half import cpu_multiplies_bfloat16
from vqcodec.transforms.layout import channels_last
from vqcodec_kernels.errors import InvalidInputError

__all__ = ["Trainer"]

_SAVE_EVERY_SECONDS = 60.0
_REPORT_EVERY = 20


class Trainer:
    """Trains a model on batches, within a budget, with its state on disk.

    Stopping at any moment (an exception such as KeyboardInterrupt included) leaves a state from
    which `resume` goes on, as if nothing had happened: a run of so many steps on one thread of the
    CPU ends with the same weights, if its batches depend on the number of the step alone.

    Args:
        batches, distortion: as the workshop of the recipe's medium gives them.
        device: where the model is trained.
        processes: those that train it together, each with batches of its own.
    """

    def __init__(
        self,
        recipe: Recipe,
        batches: Batches,
        distortion: Distortion,
        *,
        device: torch.device,
        processes: Processes = ALONE,
    ) -> None:
        self.recipe = recipe
        self.batches = batches
        self.device = device
        self.processes = processes
        self.model = VQVAE(recipe.model).to(device)
        self.objective = Objective(distortion, commitment=recipe.commitment)
        self.optimizer = Optimizer(self.model, muon=recipe.muon)
        self.state = TrainingState()
        self._bf16 = device.type == "cuda" or cpu_multiplies_bfloat16()
        self._network: torch.nn.Module = self.model
        self._transform_started = False
        self._quantizer_started = False

    def resume(self, path: Path) -> None:
        """Take up the run whose state is in `path`."""
        self.state = load_state(path, self.model, self.optimizer)
        self._quantizer_started = bool(self.model.quantizer.residual_energy.any())
        self._transform_started = self._quantizer_started or self.state.steps > 0
        if self.state.keep_codebooks:
            self.model.quantizer.freeze()

    def start_from(self, model: VQVAE, *, keep_codebooks: bool = False) -> None:
        """Begin a new run with the weights of another one, as deep or shallower.

        Codebooks of another number or size begin anew.

        Args:
            keep_codebooks: leave them as they are, so that codes keep their meaning; the networks
                learn around them.

        Raises:
            BadModelError: its transform differs in more than depth; or its codebooks are to be
                kept, and are of another number or size.
        """
        self._quantizer_started = copy_weights(model, self.model)
        if keep_codebooks:
            if not self._quantizer_started:
                ours, theirs = self.recipe.model.quantizer, model.config.quantizer
                raise BadModelError(f"cannot keep codebooks of {theirs}: the recipe has {ours}")
            self.model.quantizer.freeze()
            self.state.keep_codebooks = True
        self._transform_started = True
        # Trained weights are refined: the full rate would first undo much of what they know.
        self.state.rate_scale = 0.5

    def fit(self, budget: Budget, state_path: Path) -> Iterator[Progress]:
        """Train until the budget is spent, saving the state every minute and at the end.

        Raises:
            FloatingPointError: the run diverged; the last state saved is from before.
        """
        if not self._transform_started:
            self.model.start(self._samples(64))
            self._agree_on_buffers()
            self._transform_started = True
        elif self.state.steps == 0:
            # Weights that were learned on others may be for another unit.
            self.model.transform.measure(self._samples(64))
            self._agree_on_buffers()
        self.model.train()
        self._network = self._parallel()
        saved = time.monotonic()
        diverged = False
        try:
            while (share := self.processes.agree(budget.share(self.state))) < 1:
                began = time.monotonic()
                # Codebooks learn before the weights do: half a step could not be taken again.
                with signals_wait():
                    self.batches.go_on(self.state.steps)
                    measured = self._step(share)
                    self.state.steps += 1
                    self.state.seconds += time.monotonic() - began
                done = budget.share(self.state)
                if self.state.steps % _REPORT_EVERY == 0 or done == 1:
                    yield self._progress(done, measured)
                if time.monotonic() - saved > _SAVE_EVERY_SECONDS:
                    self._save(state_path)
                    saved = time.monotonic()
            if not self._quantizer_started:
                # The run was too short to come to that.
                with signals_wait():
                    self._start_quantizer()
        except FloatingPointError:
            diverged = True
            raise
        finally:
            # Whatever stops a run, Ctrl-C above all, must leave the steps that were paid for.
            if not diverged:
                self._save(state_path)

    def _agree_on_buffers(self) -> None:
        for buffer in self.model.transform.buffers():
            buffer.copy_(from_first_process(buffer))

    def _save(self, path: Path) -> None:
        if self.processes.is_first:
            save_state(path, self.model, self.optimizer, self.state)

    def _parallel(self) -> torch.nn.Module:
        """Let several processes average their gradients."""
        if self.processes.count == 1:
            return self.model
        with warnings.catch_warnings():
            # torch 2.13 prefers another name for the argument, which earlier versions do not know.
            warnings.simplefilter("ignore", FutureWarning)
            # The buffers are the codebooks; the quantizer keeps them equal itself.
            network: torch.nn.Module = torch.nn.parallel.DistributedDataParallel(
                self.model, broadcast_buffers=False
            )
        return network

    def _samples(self, size: int) -> Tensor:
        return channels_last(self.batches.batch(size).to(self.device, non_blocking=True))

    def _step(self, share: float) -> tuple[float, float, float, tuple[Tensor, Tensor]]:
        recipe = self.recipe
        quantize = self._quantizer_started or share >= recipe.unquantized
        if quantize and not self._quantizer_started:
            self._start_quantizer()
        restart = self.state.steps % recipe.restart_every == 0 and share < recipe.restart_until
        if share >= recipe.restart_until:
            self.model.quantizer.settle()
        samples = self._samples(recipe.batch)
        mu, stages = draw_rate(recipe, self.state.steps)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16):
            try:
                output = self._network(
                    samples,
                    quantize=quantize,
                    mu=mu,
                    restart=restart,
                    stages=stages,
                    beams=recipe.beams,
                )
            except InvalidInputError as refused:
                # The quantizer takes no latent that is not finite.
                raise self._diverged(str(refused)) from refused
        loss, error = self.objective(samples, output, self.model.transform)
        self._descend(loss, error, share)
        positions = math.prod(output.latent.shape[2:]) / math.prod(samples.shape[2:])
        bits = float(output.quantized.bits) * positions
        return float(loss.detach()), float(error), bits, (samples, output.samples.detach())

    def _descend(self, loss: Tensor, error: Tensor, share: float) -> None:
        """Take a step against the gradient of the loss, unless that would be the end of it."""
        loss.backward()  # type: ignore[no-untyped-call]
        gradient = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        # Before the step: the weights are still good ones, and stay what is saved.
        # All together: the others would take this step, and then wait for the one that stopped.
        if on_any_process(~((error < 1.0) & gradient.isfinite())):
            raise self._diverged(f"mean squared error {error:.3g}, gradient {gradient:.3g}")
        self.optimizer.step(learning_rate(self.recipe, self.state, share))

    def _diverged(self, reason: str) -> FloatingPointError:
        return FloatingPointError(f"training diverged at step {self.state.steps}: {reason}")

    @torch.no_grad()
    def _start_quantizer(self) -> None:
        latents = [
            self.model.transform.analyse(self._samples(self.recipe.batch)) for _ in range(16)
        ]
        self.model.quantizer.start(torch.cat(latents).float())
        self._quantizer_started = True

    def _progress(
        self, share: float, measured: tuple[float, float, float, tuple[Tensor, Tensor]]
    ) -> Progress:
        loss, error, bits, batch = measured
        return Progress(
            steps=self.state.steps,
            seconds=self.state.seconds,
            share=share,
            loss=loss,
            decibels=decibels(error),
            bits_per_sample=bits,
            restarts=sum(book.restarts for book in self.model.quantizer.books()),
            usage=self.model.quantizer.usage(),
            batch=batch,
        )
