"""When a run ends."""

import pytest

from vqcodec.errors import InputError
from vqcodec.training.progress import Budget
from vqcodec.training.state import TrainingState


@pytest.mark.parametrize("length", [{"minutes": 0}, {"minutes": -1}, {"steps": 0}, {"steps": -5}])
def test_budget_that_never_ends_or_never_begins(length: dict[str, int]) -> None:
    with pytest.raises(InputError, match="positive"):
        Budget(**length)


def test_budget_shares() -> None:
    assert Budget(steps=8).share(TrainingState(steps=2)) == 0.25
    assert Budget(minutes=2).share(TrainingState(seconds=30)) == 0.25
    assert Budget(steps=8).share(TrainingState(steps=9)) == 1
