"""Two processes that train one model: equal codebooks, no hang, one clock."""

import math
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

# Each process draws crops of its own; dead codes are restarted every third step. Process 1
# multiplies its crops with the second argument from some time on.
SCRIPT = """
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from tiny import tiny_config

from vqcodec.media.workshop import Recipe
from vqcodec.processes import join_processes
from vqcodec.training.progress import Budget
from vqcodec.training.trainer import Trainer


class Noise:
    def __init__(self, rank):
        self.random = torch.Generator().manual_seed(rank)
        self.gains = [1.0] * 30 + [float(sys.argv[2]) if rank == 1 else 1.0] * 1000

    def batch(self, size):
        return torch.rand(size, 3, 32, 32, generator=self.random) * self.gains.pop(0)

    def go_on(self, steps):
        pass


config = tiny_config(latent_dim=6, width=8, stages=2, codebook_size=64)
recipe = Recipe(model=config, truncated=0.6, mu=6.0, unquantized=0.0, restart_every=3)
folder = Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(5)
with join_processes(torch.device("cpu")) as (processes, device):
    trainer = Trainer(
        recipe,
        Noise(processes.rank),
        lambda decoded, original, error: error,
        device=device,
        processes=processes,
    )
    torch.manual_seed(processes.rank)
    for _ in trainer.fit(Budget(steps=50), folder / "state.safetensors"):
        # Some codes die, as they do in long runs.
        trainer.model.quantizer.books()[1].share[5:9] = 0
    restarts = sum(book.restarts for book in trainer.model.quantizer.books())
    assert restarts > 0, "nothing was restarted, so nothing was tested"
    tensors = {name: t.contiguous() for name, t in trainer.model.state_dict().items()}
    save_file(tensors, folder / f"rank{processes.rank}.safetensors")
"""


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def run_two(folder: Path, gain: float) -> tuple[list[int], list[str]]:
    """Run the script in two processes; gives their exit codes and what they complained of."""
    script = folder / "train.py"
    script.write_text(SCRIPT)
    group = {
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "OMP_NUM_THREADS": "1",
    }
    support = Path(__file__).parents[2] / "support"
    group["PYTHONPATH"] = f"{support}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    runs = [
        subprocess.Popen(
            [sys.executable, script, folder, str(gain)],
            env={**os.environ, **group, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    errors = [run.communicate(timeout=120)[1] for run in runs]
    return [run.returncode for run in runs], errors


@pytest.mark.slow
def test_two_processes_end_with_the_same_model(tmp_path: Path) -> None:
    codes, errors = run_two(tmp_path, 1.0)
    assert codes == [0, 0], "\n".join(errors)
    first, second = (load_file(tmp_path / f"rank{rank}.safetensors") for rank in range(2))
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert tensor.equal(second[name]), name
    assert (tmp_path / "state.safetensors").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("gain", [1e5, math.nan])
def test_divergence_of_one_process_ends_both(tmp_path: Path, gain: float) -> None:
    """At the same step, and process 0 does not save what the other's batch has done."""
    codes, errors = run_two(tmp_path, gain)
    assert codes == [1, 1]
    steps = [re.findall(r"FloatingPointError: training diverged at step (\d+)", e) for e in errors]
    assert len(steps[0]) == 1, errors[0]
    assert steps[0] == steps[1], errors[1]
    assert not (tmp_path / "state.safetensors").exists()
