"""Finding codes for a quality."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.rate.quality import plan_search
from vqcodec.rate.search import LatentSearch, Look, _thin_last_stage
from vqcodec_kernels import beam_codes

STAGES, SIZE, DIM = 4, 16, 3
ENERGIES = (0.3, 0.1, 0.03, 0.01)


def problem() -> tuple[Tensor, Tensor, Tensor]:
    """A latent (3, 11, 13), codebooks that shrink from stage to stage, and bits (S, K)."""
    generator = torch.Generator().manual_seed(0)
    books = torch.randn(STAGES, SIZE, DIM, generator=generator)
    books *= torch.tensor([1.0, 0.5, 0.25, 0.12])[:, None, None]
    books[:, 0] = 0
    bits = 1 + 6 * torch.rand(STAGES, SIZE, generator=generator)
    bits[:, 0] = 1
    return torch.randn(DIM, 11, 13, generator=generator), books, bits


def new_search(
    *, mu: float = 0.7, masking: float = 0.0, effort: int = 5, columns: int = 13
) -> LatentSearch:
    """A search over the first columns of that latent."""
    latent, books, bits = problem()
    return LatentSearch(
        latent[:, :, :columns],
        books,
        bits=[bits[: 1 + stage] for stage in range(STAGES)],
        residual_energy=torch.tensor(ENERGIES),
        mu=mu,
        masking=masking,
        effort=effort,
    )


def spent(codes: Tensor) -> tuple[float, float]:
    """Bits of codes (S', 11, 13), and the squared error they leave of the latent."""
    latent, books, bits = problem()
    used = [bits[stage, codes[stage]].sum() for stage in range(len(codes))]
    values = [books[stage][codes[stage]].movedim(-1, 0) for stage in range(len(codes))]
    error = (latent - torch.stack(values).sum(0)).square().sum()
    return float(torch.stack(used).sum()), float(error)


@pytest.mark.parametrize("mu", [0.5, 2.0, 10.0])
def test_a_higher_price_buys_fewer_bits_for_more_error(mu: float) -> None:
    search = new_search(mu=mu, effort=3)
    found = [spent(search.at_quality(quality)) for quality in range(100, -1, -10)]
    bits = [paid for paid, _ in found]
    errors = [left for _, left in found]
    assert bits == sorted(bits, reverse=True)
    assert errors == sorted(errors)
    assert bits[-1] < 0.4 * bits[0]


def test_more_effort_is_nearer_to_the_optimum() -> None:
    """What the search minimises: the error, and the bits at the price, here of trained costs."""
    price = plan_search(70, ENERGIES, 0.7).price
    costs = []
    for effort in (1, 2, 4):
        bits, error = spent(new_search(effort=effort).at_quality(70))
        costs.append(error + price * bits)
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 0.98 * costs[0]


@pytest.mark.parametrize("quality", [20, 60, 85])
def test_own_costs_are_nearer_to_the_entropy_bound(quality: float) -> None:
    """Error plus price times the empirical entropy of the codes, which an adaptive coder pays."""
    price = plan_search(quality, ENERGIES, 2.0).price

    def cost(effort: int) -> float:
        codes = new_search(mu=2.0, effort=effort).at_quality(quality)
        entropy = 0.0
        for stage in codes:
            share = torch.bincount(stage.flatten()).double() / stage.numel()
            entropy -= float((share[share > 0] * share[share > 0].log2()).sum()) * stage.numel()
        return spent(codes)[1] + price * entropy

    assert cost(5) < cost(4)


def test_price_falls_to_nothing_at_the_highest_quality() -> None:
    free = new_search(mu=0.0)
    assert torch.equal(new_search(mu=50.0).at_quality(100), free.at_quality(100))


def test_a_position_does_not_feel_its_neighbours() -> None:
    """As long as costs are those of training: own costs are those of the whole picture."""
    whole, part = (new_search(effort=3, columns=columns).at_quality(100) for columns in (13, 5))
    assert torch.equal(whole[:, :, :5], part)


def test_each_position_is_searched_at_its_own_price() -> None:
    """One by one, with the weights of the ladder of octaves that their energies stand on."""
    latent, books, bits = problem()
    quality, masking = 93, 1.5
    plan = plan_search(quality, ENERGIES, 0.7)
    assert plan.stages == STAGES
    assert plan.last_share == 1
    codes = new_search(masking=masking, effort=3).at_quality(quality)
    weights = set()
    for place in itertools.product(range(11), range(13)):
        row = latent[:, *place]
        octave = round(math.log2((float(row.square().mean()) / ENERGIES[0]) ** masking))
        weight = 2.0 ** min(max(octave, -4), 2)
        weights.add(weight)
        alone, _ = beam_codes(row[None], books, weight * plan.price * bits, beams=2)
        assert torch.equal(codes[:, *place], alone[0])
    assert len(weights) > 4


@pytest.mark.parametrize("quality", [15.0, 40.0, 75.0])
def test_masking_moves_bits_from_loud_to_soft_positions(quality: float) -> None:
    latent, _, bits = problem()
    loud = latent.square().mean(0) > ENERGIES[0]

    def paid(masking: float) -> tuple[float, float]:
        codes = new_search(masking=masking).at_quality(quality)
        each = torch.stack([bits[stage][of] for stage, of in enumerate(codes)]).sum(0)
        return float(each[loud].sum()), float(each[~loud].sum())

    (loud_before, soft_before), (loud_after, soft_after) = paid(0.0), paid(0.75)
    assert loud_after < loud_before
    assert soft_after > soft_before


def refining(effort: int, latent: Tensor, look: Look | None) -> LatentSearch:
    _, books, bits = problem()
    return LatentSearch(
        latent,
        books,
        bits=[bits[: 1 + stage] for stage in range(STAGES)],
        residual_energy=torch.tensor(ENERGIES),
        mu=1.0,
        effort=effort,
        look=look,
    )


def refined(effort: int, latent: Tensor, look: Look | None) -> Tensor:
    """Its codes at quality 64."""
    return refining(effort, latent, look).at_quality(64)


@pytest.mark.parametrize(("effort", "steps"), [(7, 0), (8, 2), (9, 3)])
def test_refinement_moves_the_latent_against_the_slope(effort: int, steps: int) -> None:
    """With a synthesis that errs by the same everywhere, what is searched is known beforehand."""
    latent, _, _ = problem()
    slope = torch.linspace(-1, 1, latent.numel()).reshape(latent.shape)
    looked: list[Tensor] = []

    def look(codes: Tensor) -> tuple[float, Tensor]:
        looked.append(codes)
        return -1e6 * len(looked), slope

    found = refined(effort, latent, look)
    assert torch.equal(found, refined(effort, latent - steps * 0.15 * slope, None))
    wanted = [refined(effort, latent - n * 0.15 * slope, None) for n in range(steps + 1)]
    assert len(looked) == (steps + 1 if steps else 0)
    for codes, other in zip(looked, wanted, strict=False):
        assert torch.equal(codes, other)


@pytest.mark.parametrize("best", [0, 1, 2, 3])
def test_refinement_keeps_the_best_that_it_saw(best: int) -> None:
    latent, _, _ = problem()
    looked: list[Tensor] = []

    def look(codes: Tensor) -> tuple[float, Tensor]:
        looked.append(codes)
        return (0.0 if len(looked) == best + 1 else 1e6), torch.ones_like(latent)

    assert torch.equal(refined(9, latent, look), looked[best])


def test_a_draft_is_what_is_found_without_looking() -> None:
    latent, _, _ = problem()
    looked: list[Tensor] = []

    def look(codes: Tensor) -> tuple[float, Tensor]:
        looked.append(codes)
        return -1.0 * len(looked), torch.ones_like(latent)

    search = refining(9, latent, look)
    assert torch.equal(search.at_quality(64, draft=True), refined(9, latent, None))
    assert not looked
    assert not torch.equal(search.at_quality(64), refined(9, latent, None))


@pytest.mark.parametrize("quality", [0, 12.5, 33.4, 50, 71, 99, 100])
def test_codes_of_a_quality(quality: float) -> None:
    codes = new_search().at_quality(quality)
    plan = plan_search(quality, ENERGIES, 0.7)
    assert codes.shape == (plan.stages, 11, 13)
    assert codes.dtype == torch.int64
    assert 0 <= int(codes.min()) <= int(codes.max()) < SIZE
    if plan.stages > 1:
        spoken = float((codes[-1] != 0).float().mean())
        assert spoken <= plan.last_share + 1 / 143


def said_by(search: LatentSearch) -> list[int]:
    """How many codes are not 0, from quality to quality."""
    return [int((search.at_quality(quality) != 0).sum()) for quality in range(0, 101, 5)]


@pytest.mark.parametrize("effort", [1, 2, 3, 4])
def test_more_quality_says_more_at_given_costs(effort: int) -> None:
    said = said_by(new_search(effort=effort))
    assert said == sorted(said)


def test_more_quality_says_more() -> None:
    said = said_by(new_search())
    # Costs fitted to the picture may turn a code or two the other way.
    assert all(after >= 0.99 * before for before, after in itertools.pairwise(said))
    assert said[-1] > 4 * said[1] > 0


def test_order_of_questions_does_not_matter() -> None:
    search = new_search()
    forth = [search.at_quality(quality) for quality in (10, 50, 90)]
    other = new_search()
    back = [other.at_quality(quality) for quality in (90, 50, 10)][::-1]
    for a, b in zip(forth, back, strict=True):
        assert torch.equal(a, b)
    assert torch.equal(search.at_quality(50), forth[1])


@pytest.mark.parametrize("effort", [0, 10, -1])
def test_effort_out_of_range(effort: int) -> None:
    with pytest.raises(InputError, match="effort must be 1 to 9"):
        new_search(effort=effort)


def thin_example() -> tuple[Tensor, Tensor, Tensor]:
    """Codes (N, 2), errors (N, 2) and bits (K,) of ten rows whose worth is the row's number."""
    codes = torch.ones(10, 2, dtype=torch.int64)
    errors = torch.stack([torch.full((10,), 20.0), 20 - torch.arange(10.0)], 1)
    return codes, errors, torch.tensor([1.0, 3.0])


@pytest.mark.parametrize("share", [0.01, 0.1, 0.35, 0.5, 0.99])
def test_thinning_keeps_what_is_worth_most(share: float) -> None:
    codes, errors, bits = thin_example()
    thinned = _thin_last_stage(codes, errors, bits, share)
    kept = max(1, round(share * 10))
    assert thinned[:, 1].tolist() == [0] * (10 - kept) + [1] * kept
    assert thinned[:, 0].tolist() == [1] * 10
    assert codes.tolist() == [[1, 1]] * 10, "the input is left alone"


def test_thinning_counts_gain_per_bit() -> None:
    codes = torch.tensor([[0, 1], [0, 2], [0, 0]])
    errors = torch.tensor([[9.0, 5.0], [9.0, 4.0], [9.0, 9.0]])
    # 4 for 2 bits more than the zero code, 5 for 5 bits more, and nothing at all.
    thinned = _thin_last_stage(codes, errors, torch.tensor([1.0, 3.0, 6.0]), 0.34)
    assert thinned[:, 1].tolist() == [1, 0, 0]


def test_thinning_keeps_the_first_of_equals() -> None:
    codes, errors, bits = thin_example()
    errors[:, 1] = 10
    assert _thin_last_stage(codes, errors, bits, 0.3)[:, 1].tolist() == [1] * 3 + [0] * 7
