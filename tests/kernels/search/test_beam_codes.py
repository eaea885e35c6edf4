"""Beam search against a brute force over all codes, greedy search, and itself in plain torch."""

import itertools

import pytest
import torch

from vqcodec_kernels import BackendError, InvalidInputError, beam_codes, residual_codes
from vqcodec_kernels.search import native as native_search
from vqcodec_kernels.search import reference
from vqcodec_kernels.search.backend import find_operator
from vqcodec_kernels.search.level import LEVELS

# Sums of a few dozen float32 products near 1.
TOLERANCE = 1e-4


def draw(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def exhaustive_cost(x: torch.Tensor, codebooks: torch.Tensor, biases: torch.Tensor) -> torch.Tensor:
    """The lowest cost of each row over all combinations of codes, in float64."""
    stages, size, _ = codebooks.shape
    costs = []
    for choice in itertools.product(range(size), repeat=stages):
        value = sum(codebooks[s, k].double() for s, k in enumerate(choice))
        bias = sum(biases[s, k].double() for s, k in enumerate(choice))
        costs.append((x.double() - value).square().sum(1) + bias)
    return torch.stack(costs).amin(0)


def cost_of(
    x: torch.Tensor, codebooks: torch.Tensor, biases: torch.Tensor, codes: torch.Tensor
) -> torch.Tensor:
    stages = range(codes.shape[1])
    value = torch.stack([codebooks[s, codes[:, s]] for s in stages]).double().sum(0)
    bias = torch.stack([biases[s, codes[:, s]] for s in stages]).double().sum(0)
    return (x.double() - value).square().sum(1) + bias


@pytest.mark.parametrize("backend", ["torch", "native"])
@pytest.mark.parametrize("dim", [1, 5, 17])
def test_enough_beams_find_what_brute_force_finds(backend: str, dim: int) -> None:
    x, codebooks = draw(23, dim, seed=1), draw(3, 4, dim, seed=2)
    biases = draw(3, 4, seed=3).abs()
    codes, _ = beam_codes(x, codebooks, biases, beams=64, backend=backend)
    torch.testing.assert_close(
        cost_of(x, codebooks, biases, codes),
        exhaustive_cost(x, codebooks, biases),
        atol=TOLERANCE,
        rtol=TOLERANCE,
    )


@pytest.mark.parametrize("backend", ["torch", "native"])
def test_one_beam_is_greedy(backend: str) -> None:
    x, codebooks, biases = draw(201, 13, seed=4), draw(5, 37, 13, seed=5), draw(5, 37, seed=6)
    codes, errors = beam_codes(x, codebooks, biases, beams=1, backend=backend)
    assert torch.equal(codes, residual_codes(x, codebooks, biases))
    left = x.double()
    for stage in range(5):
        left = left - codebooks[stage, codes[:, stage]]
        expected = left.square().sum(1).float()
        torch.testing.assert_close(errors[:, stage], expected, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("size", "beams"), [(1, 3), (7, 5), (49, 2), (256, 4), (300, 16)])
def test_every_level_agrees_with_plain_torch(level: str, size: int, beams: int) -> None:
    x, codebooks = draw(67, 24, seed=7), draw(4, size, 24, seed=8)
    biases = draw(4, size, seed=9).abs()
    expected_codes, expected_errors = beam_codes(x, codebooks, biases, beams=beams, backend="torch")
    codes, errors = native_search.beam_codes(x, codebooks, biases, beams=beams, level=level)
    assert torch.equal(codes, expected_codes)
    torch.testing.assert_close(errors, expected_errors, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("beams", [1, 2, 4, 9])
@pytest.mark.parametrize("silent", [0, 5])
def test_silence_that_is_sure_to_be_best_costs_nothing(level: str, beams: int, silent: int) -> None:
    """Rows of all sizes, where codes other than the zero vector are worth their price or not."""
    x = draw(531, 24, seed=14) * torch.linspace(0.1, 2.5, 531)[:, None]
    codebooks = draw(5, 49, 24, seed=15) * torch.tensor([1.5, 1.0, 0.8, 0.6, 0.5])[:, None, None]
    biases = 8 + draw(5, 49, seed=16)
    codebooks[:, silent], biases[:, silent] = 0, 0.2
    expected_codes, _ = beam_codes(x, codebooks, biases, beams=beams, backend="torch")
    codes, errors = native_search.beam_codes(x, codebooks, biases, beams=beams, level=level)
    cost, expected = (cost_of(x, codebooks, biases, c) for c in (codes, expected_codes))
    assert (cost <= expected + TOLERANCE).all()
    assert (codes == expected_codes).all(1).float().mean() > 0.99
    quiet = (codes[:, 1:] == silent).float().mean()
    assert 0.3 < quiet < 0.95
    left = x.double()
    for stage in range(5):
        left = left - codebooks[stage, codes[:, stage]]
        torch.testing.assert_close(
            errors[:, stage], left.square().sum(1).float(), atol=TOLERANCE, rtol=TOLERANCE
        )


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("beams", [1, 3])
def test_a_code_that_leaves_nothing_speaks_where_it_just_pays(level: str, beams: int) -> None:
    """Silence may be taken for granted only up to the very price of the cheapest code."""
    codebooks = torch.nn.functional.normalize(draw(2, 33, 24, seed=20), dim=2)
    biases = torch.full((2, 33), 4.0)
    codebooks[0] *= 20
    # Squares from 5 % below the price of speaking to 6 % above it, and none at it.
    codebooks[1] *= (3.8 * torch.linspace(0.95, 1.06, 33)).sqrt()[:, None]
    codebooks[:, 0], biases[:, 0] = 0, 0.2
    first, second = torch.cartesian_prod(torch.arange(1, 33), torch.arange(1, 33)).T
    codes, _ = native_search.beam_codes(
        codebooks[0, first] + codebooks[1, second], codebooks, biases, beams=beams, level=level
    )
    pays = codebooks[1, second].square().sum(1) > 3.8
    assert torch.equal(codes[:, 0], first)
    assert torch.equal(codes[:, 1], torch.where(pays, second, 0))


def test_silence_only_where_every_later_stage_has_it() -> None:
    x, codebooks = draw(97, 6, seed=17), draw(3, 4, 6, seed=18)
    biases = 3 + draw(3, 4, seed=19).abs()
    codebooks[1, 2], biases[1, 2] = 0, 0.1
    codes, _ = native_search.beam_codes(x, codebooks, biases, beams=16)
    torch.testing.assert_close(
        cost_of(x, codebooks, biases, codes),
        exhaustive_cost(x, codebooks, biases),
        atol=TOLERANCE,
        rtol=TOLERANCE,
    )


def test_more_beams_leave_less() -> None:
    x, codebooks = draw(500, 16, seed=10), draw(6, 32, 16, seed=11)
    left = [float(beam_codes(x, codebooks, beams=m)[1][:, -1].mean()) for m in (1, 2, 4, 8, 16)]
    assert left == sorted(left, reverse=True)
    assert left[-1] < 0.9 * left[0]


def test_no_bias_is_a_bias_of_zero() -> None:
    x, codebooks = draw(40, 8, seed=12), draw(3, 9, 8, seed=13)
    bare = beam_codes(x, codebooks, beams=3)
    zero = beam_codes(x, codebooks, torch.zeros(3, 9), beams=3)
    assert torch.equal(bare[0], zero[0])
    assert torch.equal(bare[1], zero[1])


@pytest.mark.parametrize("backend", ["torch", "native"])
def test_one_bias_serves_all_stages(backend: str) -> None:
    x, codebooks, bias = draw(40, 8, seed=12), draw(3, 9, 8, seed=13), draw(9, seed=14)
    shared = beam_codes(x, codebooks, bias, beams=3, backend=backend)
    repeated = beam_codes(x, codebooks, bias.repeat(3, 1), beams=3, backend=backend)
    assert torch.equal(shared[0], repeated[0])
    assert torch.equal(shared[1], repeated[1])


def test_threads_do_not_matter() -> None:
    x, codebooks = draw(3000, 48, seed=14), draw(4, 256, 48, seed=15)
    alone = native_search.beam_codes(x, codebooks, beams=4, threads=1)
    both = native_search.beam_codes(x, codebooks, beams=4, threads=2)
    assert torch.equal(alone[0], both[0])
    assert torch.equal(alone[1], both[1])


def test_rows_are_searched_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    x, codebooks = draw(23, 5, seed=21), draw(3, 7, 5, seed=22)
    whole = reference.beam_codes(x, codebooks, beams=3)
    monkeypatch.setattr(reference, "_BEAM_ROWS", 10)
    parts = reference.beam_codes(x, codebooks, beams=3)
    assert torch.equal(parts[0], whole[0])
    torch.testing.assert_close(parts[1], whole[1], atol=TOLERANCE, rtol=TOLERANCE)


def test_no_rows() -> None:
    codes, errors = beam_codes(torch.zeros(0, 3), draw(2, 5, 3, seed=16), beams=2)
    assert codes.shape == errors.shape == (0, 2)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["x", "codebooks", "biases"])
@pytest.mark.parametrize("backend", ["torch", "native"])
def test_what_is_not_finite_is_refused(where: str, value: float, backend: str) -> None:
    arguments = {"x": draw(9, 3, seed=1), "codebooks": draw(2, 5, 3, seed=2)}
    arguments["biases"] = draw(2, 5, seed=3)
    arguments[where].view(-1)[4] = value
    if where == "biases" and value > 0:
        # Forbids a code, see test_awkward_codebooks.py.
        value = arguments[where][0, 4] = -value
    shown = "finite or .inf" if where == "biases" else "finite"
    with pytest.raises(InvalidInputError, match=f"{where} must be {shown}, got {value}"):
        beam_codes(**arguments, beams=2, backend=backend)


def test_wrong_arguments_are_named() -> None:
    x, codebooks = draw(9, 3, seed=1), draw(2, 5, 3, seed=2)
    with pytest.raises(InvalidInputError, match=r"beams must be in \[1, 64\], got 0"):
        beam_codes(x, codebooks, beams=0)
    with pytest.raises(InvalidInputError, match="float64"):
        beam_codes(x.double(), codebooks, beams=1)
    with pytest.raises(InvalidInputError, match="beams need a stage"):
        beam_codes(x, codebooks[:0], beams=1)
    with pytest.raises(InvalidInputError, match="'numpy'"):
        beam_codes(x, codebooks, beams=1, backend="numpy")


def test_triton_has_no_beams_and_is_not_taken_for_them() -> None:
    x, codebooks = draw(9, 3, seed=1), draw(2, 5, 3, seed=2)
    with pytest.raises(BackendError, match="'triton' has no operator 'beam_codes'"):
        beam_codes(x, codebooks, beams=1, backend="triton")
    assert find_operator("beam_codes", None, torch.device("cuda")) is reference.beam_codes
    assert find_operator("beam_codes", None, torch.device("cpu")) is native_search.beam_codes


@pytest.mark.parametrize("backend", ["torch", "native"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(dtype: torch.dtype, backend: str) -> None:
    x, codebooks = draw(2, 19, 7, seed=23).to(dtype), draw(3, 11, 7, seed=24).to(dtype)
    codes, errors = beam_codes(x, codebooks, beams=3, backend=backend)
    wide = beam_codes(x.float(), codebooks.float(), beams=3, backend=backend)
    assert errors.dtype == torch.float32
    assert torch.equal(codes, wide[0])
    assert torch.equal(errors, wide[1])


@pytest.mark.parametrize("backend", ["torch", "native"])
@pytest.mark.parametrize("leading", [(1,), (5, 3), (2, 0)])
def test_leading_axes(leading: tuple[int, ...], backend: str) -> None:
    x, codebooks, biases = draw(*leading, 9, 7, seed=25), draw(3, 11, 7, seed=26), draw(11, seed=27)
    codes, errors = beam_codes(x, codebooks, biases, beams=3, backend=backend)
    assert codes.shape == errors.shape == (*leading, 9, 3)
    flat = beam_codes(x.reshape(-1, 7), codebooks, biases, beams=3, backend=backend)
    assert torch.equal(codes.reshape(-1, 3), flat[0])
    assert torch.equal(errors.reshape(-1, 3), flat[1])


@pytest.mark.parametrize("size", [2, 3, 5, 17])
def test_a_code_at_the_end_of_float32_hides_no_near_one(size: int) -> None:
    """The mean of the codes would take the others there, where no square is finite."""
    x, codebooks = torch.randn(20, 3), torch.randn(1, size, 3)
    codebooks[0, 0] = 1e20
    for backend in ("native", "torch"):
        codes, errors = beam_codes(x, codebooks, beams=1, backend=backend)
        wanted = residual_codes(x, codebooks)
        assert torch.equal(codes, wanted)
        assert bool(errors.isfinite().all())
