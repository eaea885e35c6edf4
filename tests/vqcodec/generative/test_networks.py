"""Networks over codes: none looks ahead, and what they draw is what they take to be likely."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from vqcodec.generative.config import TransformerConfig
from vqcodec.generative.generator import from_row, to_row
from vqcodec.generative.network import CodeNetwork, _pick
from vqcodec.generative.recurrent import CodeRecurrence
from vqcodec.generative.transformer import CodeTransformer

Make = Callable[..., CodeNetwork]


@pytest.fixture(params=["transformer", "recurrent"])
def make(request: pytest.FixtureRequest) -> Make:
    def of(**numbers: Any) -> CodeNetwork:
        torch.manual_seed(0)
        if request.param == "transformer":
            return CodeTransformer(**numbers, channels=16, depth=2, heads=2).eval()
        return CodeRecurrence(**numbers, channels=16, depth=2).eval()

    return of


def test_rows_and_grids() -> None:
    config = TransformerConfig(
        stages=2,
        codebook_size=9,
        positions=(2, 3),
        extent=(16, 24),
        classes=0,
        channels=8,
        depth=1,
        heads=2,
    )
    codes = torch.randint(9, (4, 2, 2, 3))
    row = to_row(codes)
    assert row.shape == (4, config.length)
    assert row[1, :4].tolist() == [int(codes[1, s, 0, x]) for x in (0, 1) for s in (0, 1)]
    assert torch.equal(from_row(row, config), codes)


def test_no_code_looks_ahead(make: Make) -> None:
    network = make(stages=2, codebook_size=9, length=6, classes=3)
    row, classes = torch.randint(9, (3, 6)), torch.tensor([0, 1, 3])
    before = network(row, classes)
    changed = row.clone()
    changed[:, 3] = (row[:, 3] + 1) % 9
    after = network(changed, classes)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_code_by_code_is_as_all_at_once(make: Make) -> None:
    network = make(stages=2, codebook_size=9, length=6, classes=3)
    row, classes = torch.randint(9, (3, 6)), torch.tensor([0, 1, 3])
    memory, found = None, []
    for place in range(6):
        logits, memory = network.follow(row[:, :place], classes, memory)
        found.append(logits)
    assert torch.allclose(torch.stack(found, dim=1), network(row, classes), atol=1e-5)


def test_a_class_changes_every_code(make: Make) -> None:
    network = make(stages=1, codebook_size=9, length=4, classes=3)
    row = torch.randint(9, (1, 4)).repeat(2, 1)
    one, other = network(row, torch.tensor([1, 2]))
    assert ((one - other).abs().amax(-1) > 1e-4).all()


def test_draws_follow_the_network(make: Make) -> None:
    """The first code of many rows, against what the network says of it."""
    network = make(stages=1, codebook_size=5, length=2, classes=0)
    chance = (torch.arange(5000) + 0.5)[:, None].div(5000).repeat(1, 2)
    nobody = torch.zeros(5000, dtype=torch.int64)
    drawn = network.draw(chance, nobody)
    share = torch.bincount(drawn[:, 0], minlength=5) / 5000
    wanted = network(drawn[:1], nobody[:1])[0, 0].softmax(-1)
    assert torch.allclose(share, wanted, atol=1e-3)
    colder = torch.bincount(network.draw(chance, nobody, temperature=0.1)[:, 0], minlength=5)
    assert colder.argmax() == wanted.argmax()
    assert colder.max() / 5000 > wanted.max()


def test_top_p_leaves_out_what_is_unlikely() -> None:
    shares = torch.tensor([[0.2, 0.5, 0.3]])
    drawn = {
        top_p: {int(_pick(shares, torch.tensor([c]), top_p)) for c in (0.0, 0.3, 0.6, 0.9, 0.999)}
        for top_p in (1.0, 0.8, 0.5, 1e-6)
    }
    assert drawn == {1.0: {0, 1, 2}, 0.8: {1, 2}, 0.5: {1}, 1e-6: {1}}
