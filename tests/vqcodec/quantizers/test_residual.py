"""The residual quantizer: its codes, its gradient, its rate, what it learns and when."""

import math

import pytest
import torch
from torch import Tensor

from vqcodec.quantizers.residual import ResidualQuantizer
from vqcodec_kernels import residual_codes
from vqcodec_kernels.errors import InvalidInputError

DIM, STAGES, SIZE = 5, 3, 8


@pytest.fixture
def latent() -> Tensor:
    """Latents of two pictures of odd sizes, (2, 5, 7, 9)."""
    return torch.randn(2, DIM, 7, 9, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def quantizer(latent: Tensor) -> ResidualQuantizer:
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(DIM, stages=STAGES, codebook_size=SIZE)
    quantizer.start(latent)
    return quantizer.eval()


def stage_by_stage(quantizer: ResidualQuantizer, latent: Tensor) -> tuple[Tensor, Tensor]:
    """Codes (B, S, *positions) and their sum (B, D, *positions), one row at a time, in float64."""
    rows = latent.movedim(1, -1).reshape(-1, DIM)
    all_codes, values = [], []
    for row in rows:
        residual, codes = row, []
        for book in quantizer.books():
            distances = (residual.double() - book.vectors.double()).square().sum(1)
            codes.append(int(distances.argmin()))
            residual = residual - book.vectors[codes[-1]]
        all_codes.append(codes)
        values.append(row - residual)
    shape = (len(latent), *latent.shape[2:])
    return (
        torch.tensor(all_codes).reshape(*shape, STAGES).movedim(-1, 1),
        torch.stack(values).reshape(*shape, DIM).movedim(-1, 1),
    )


def test_each_stage_codes_what_is_left_over(quantizer: ResidualQuantizer, latent: Tensor) -> None:
    codes, values = stage_by_stage(quantizer, latent)
    quantized = quantizer(latent)
    assert torch.equal(quantized.codes, codes)
    torch.testing.assert_close(quantized.values, values, atol=1e-6, rtol=0)
    torch.testing.assert_close(quantized.commitment, (latent - values).square().mean())


def test_codes_are_those_of_the_kernel(quantizer: ResidualQuantizer, latent: Tensor) -> None:
    books = torch.stack([book.vectors for book in quantizer.books()])
    rows = latent.movedim(1, -1).reshape(-1, DIM)
    codes = quantizer(latent).codes.movedim(1, -1).reshape(-1, STAGES)
    assert torch.equal(codes, residual_codes(rows, books))


@pytest.mark.parametrize("mu", [0.0, 0.7])
def test_beams_that_keep_everything_find_the_best_of_all_codes(
    quantizer: ResidualQuantizer, latent: Tensor, mu: float
) -> None:
    """64 beams hold every beginning of two stages: nothing is lost before the third."""
    rows = latent.movedim(1, -1).reshape(-1, DIM).double()
    every = torch.cartesian_prod(*[torch.arange(SIZE)] * STAGES)
    vectors = torch.stack([book.vectors for book in quantizer.books()]).double()
    sums = sum(vectors[stage, every[:, stage]] for stage in range(STAGES))
    assert isinstance(sums, Tensor)
    bits = quantizer.bits(STAGES).double()
    price = quantizer.lagrangian(mu)
    prices = sum(price * bits[stage, every[:, stage]] for stage in range(STAGES))
    costs = (rows[:, None] - sums).square().sum(-1) + prices
    found = quantizer(latent, mu=mu, beams=64).codes.movedim(1, -1).reshape(-1, STAGES)
    places = (found * torch.tensor([SIZE**2, SIZE, 1])).sum(1)
    torch.testing.assert_close(costs.gather(1, places[:, None])[:, 0], costs.min(1).values)
    greedy = quantizer(latent, mu=mu).codes.movedim(1, -1).reshape(-1, STAGES)
    assert not torch.equal(found, greedy)


def test_one_position_axis(quantizer: ResidualQuantizer, latent: Tensor) -> None:
    flat, square = quantizer(latent.flatten(2)), quantizer(latent)
    assert torch.equal(flat.codes, square.codes.flatten(2))
    assert torch.equal(flat.values, square.values.flatten(2))


def test_reconstruct_sums_the_stages(quantizer: ResidualQuantizer, latent: Tensor) -> None:
    codes = quantizer(latent).codes
    for stages in range(STAGES + 1):
        wanted = torch.zeros(2, DIM, 7, 9)
        for stage in range(stages):
            vectors = quantizer.books()[stage].vectors
            for code in range(SIZE):
                wanted += vectors[code, :, None, None] * (codes[:, stage] == code)[:, None]
        torch.testing.assert_close(quantizer.reconstruct(codes[:, :stages]), wanted)


def test_more_stages_leave_less(quantizer: ResidualQuantizer, latent: Tensor) -> None:
    codes = quantizer(latent).codes
    left = [
        float((latent - quantizer.reconstruct(codes[:, :stages])).square().mean())
        for stages in range(STAGES + 1)
    ]
    assert left == sorted(left, reverse=True)
    torch.testing.assert_close(quantizer.residual_energy, torch.tensor(left[1:]))


def test_gradient_passes_straight_through(quantizer: ResidualQuantizer, latent: Tensor) -> None:
    latent.requires_grad_()
    weights = torch.randn_like(latent)
    (quantizer(latent).values * weights).sum().backward()
    assert latent.grad is not None
    assert torch.equal(latent.grad, weights)


def test_commitment_pulls_the_latent_to_its_values(
    quantizer: ResidualQuantizer, latent: Tensor
) -> None:
    latent.requires_grad_()
    quantized = quantizer(latent)
    quantized.commitment.backward()
    wanted = 2 * (latent - quantized.values).detach() / latent.numel()
    assert latent.grad is not None
    torch.testing.assert_close(latent.grad, wanted)


def test_evaluation_learns_nothing(quantizer: ResidualQuantizer, latent: Tensor) -> None:
    before = {name: tensor.clone() for name, tensor in quantizer.state_dict().items()}
    quantizer(latent + 1, mu=1.0, restart=True)
    for name, tensor in quantizer.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_bits_are_the_entropy_of_the_codes(quantizer: ResidualQuantizer, latent: Tensor) -> None:
    """Right after the start the running shares are the frequencies of these very codes."""
    codes = quantizer(latent).codes
    entropy = 0.0
    for stage in range(STAGES):
        counts = torch.bincount(codes[:, stage].flatten(), minlength=SIZE).double()
        share = counts[counts > 0] / counts.sum()
        entropy -= float((share * share.log2()).sum())
    assert float(quantizer(latent).bits) == pytest.approx(entropy, rel=0.05)


def test_price_lowers_bits_and_raises_error(quantizer: ResidualQuantizer, latent: Tensor) -> None:
    for book in quantizer.books():
        book.share.copy_(2.0 ** -torch.arange(1.0, SIZE + 1))
    results = [quantizer(latent, mu=mu) for mu in (0.0, 0.3, 1.0, 3.0, 10.0)]
    bits = [float(result.bits) for result in results]
    errors = [float(result.commitment) for result in results]
    assert bits == sorted(bits, reverse=True)
    assert bits[-1] < 0.8 * bits[0]
    assert errors[0] == min(errors)
    assert errors[-1] > 1.1 * errors[0]


def test_lagrangian_is_the_slope_at_high_rate(quantizer: ResidualQuantizer) -> None:
    quantizer.residual_energy.copy_(torch.tensor([4.0, 2.0, 0.5]))
    # Per dimension the error E(b) = E0 * 2^(-2b/D) falls by 2 ln 2 / D * E per bit; over all D
    # dimensions of a vector that is 2 ln 2 * E.
    assert quantizer.lagrangian(1.0) == pytest.approx(2 * math.log(2) * 0.5)
    assert quantizer.lagrangian(0.0) == 0


def test_residual_energy_is_learned_without_a_price_alone(
    quantizer: ResidualQuantizer, latent: Tensor
) -> None:
    quantizer.train()
    before = quantizer.residual_energy.clone()
    for _ in range(5):
        quantizer(latent * 3, mu=2.0)
    assert torch.equal(quantizer.residual_energy, before)
    quantizer(latent * 3, mu=0.0)
    assert bool((quantizer.residual_energy > before).all())


def test_training_follows_the_data(quantizer: ResidualQuantizer, latent: Tensor) -> None:
    quantizer.train()
    moved = 1.5 * latent + 0.5
    first = float(quantizer(moved).commitment)
    for step in range(100):
        quantizer(moved, restart=step % 10 == 0)
    assert float(quantizer(moved).commitment) < 0.8 * first
    for book in quantizer.books():
        assert not bool(book.vectors[0].any())


def test_settled_codebooks_move_a_quarter_as_far(latent: Tensor) -> None:
    moved = []
    for settled in (False, True):
        torch.manual_seed(0)
        quantizer = ResidualQuantizer(DIM, stages=STAGES, codebook_size=SIZE)
        quantizer.start(latent)
        if settled:
            quantizer.settle()
        before = [book.share.clone() for book in quantizer.books()]
        quantizer(latent.flip(1))
        moved.append([b.share - share for b, share in zip(quantizer.books(), before, strict=True)])
    assert float(moved[0][0].abs().max()) > 1e-4
    torch.testing.assert_close(moved[1][0], moved[0][0] / 4, atol=1e-7, rtol=1e-4)


def test_values_are_those_of_the_codebooks_before_the_update(
    quantizer: ResidualQuantizer, latent: Tensor
) -> None:
    values = quantizer(latent).values
    quantizer.train()
    assert torch.equal(quantizer(latent, restart=True).values, values)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_does_not_reach_the_quantizer(
    quantizer: ResidualQuantizer, latent: Tensor, dtype: torch.dtype
) -> None:
    wanted = quantizer(latent)
    with torch.autocast("cpu", dtype):
        quantized = quantizer(latent)
    assert torch.equal(quantized.codes, wanted.codes)
    assert quantized.values.dtype == torch.float32
    assert torch.equal(quantized.values, wanted.values)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("beams", [1, 2])
def test_a_cast_does_not_reach_the_quantizer(
    quantizer: ResidualQuantizer, latent: Tensor, dtype: torch.dtype, beams: int
) -> None:
    wanted = quantizer(latent, mu=0.5, beams=beams).codes
    before = {name: tensor.clone() for name, tensor in quantizer.state_dict().items()}
    torch.nn.Sequential(quantizer).to(dtype)
    for name, tensor in quantizer.state_dict().items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, before[name])
    assert torch.equal(quantizer(latent, mu=0.5, beams=beams).codes, wanted)
    quantizer.train()
    quantizer.start(latent.to(dtype))
    quantizer(latent.to(dtype), restart=True)
    assert quantizer.to("meta").residual_energy.device.type == "meta"


@pytest.mark.parametrize("shape", [(0, DIM, 7, 9), (2, DIM, 0, 9)])
@pytest.mark.parametrize("options", [{}, {"mu": 1.0}, {"beams": 2}])
def test_an_empty_batch(
    quantizer: ResidualQuantizer, shape: tuple[int, ...], options: dict[str, float]
) -> None:
    """Quantized to nothing at no loss; refused where it would be learned from."""
    found = quantizer(torch.zeros(shape), **options)
    assert found.values.shape == shape
    assert found.codes.shape == (shape[0], STAGES, *shape[2:])
    assert (float(found.commitment), float(found.bits)) == (0, 0)
    before = [tensor.clone() for tensor in quantizer.state_dict().values()]
    with pytest.raises(InvalidInputError, match=r"not empty.*\(., 5, ., 9\)"):
        quantizer.train()(torch.zeros(shape), **options)
    after = quantizer.state_dict().values()
    assert all(torch.equal(one, other) for one, other in zip(after, before, strict=True))


def test_usage_counts_codes_and_perplexity(quantizer: ResidualQuantizer) -> None:
    for book, share in zip(
        quantizer.books(), ([0.125] * 8, [0.5, 0.5] + [0.0] * 6, [1.0] + [0.0] * 7), strict=True
    ):
        book.share.copy_(torch.tensor(share))
    usage = quantizer.usage()
    assert [alive for alive, _ in usage] == [8, 2, 1]
    assert [perplexity for _, perplexity in usage] == pytest.approx([8, 2, 1])
