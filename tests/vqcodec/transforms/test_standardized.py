"""The standardized transform: the convolutional one, whatever the unit of each channel."""

import pytest
import torch
from torch import Tensor

from vqcodec.errors import InputError
from vqcodec.grid import Region
from vqcodec.transforms.convolutional import ConvolutionalTransform, principal_axes
from vqcodec.transforms.standardized import StandardizedTransform

NUMBERS = {
    "stride": (4, 4),
    "latent_dim": 10,
    "analysis_width": 8,
    "analysis_depth": 1,
    "synthesis_width": 8,
    "synthesis_depth": 2,
}
UNITS = torch.tensor([[1.0, 0.0], [3e-4, 2e-3], [-450.0, 101325.0]])


def smooth(seed: int = 0) -> Tensor:
    """Three channels of smooth noise about zero, float (4, 3, 32, 24)."""
    white = torch.randn(4, 3, 36, 28, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.avg_pool2d(white, 5, 1)


def in_units(samples: Tensor) -> Tensor:
    return samples * UNITS[:, 0, None, None] + UNITS[:, 1, None, None]


def made(seed: int = 0) -> StandardizedTransform:
    torch.manual_seed(seed)
    return StandardizedTransform(3, **NUMBERS)  # type: ignore[arg-type]


def test_it_is_the_convolutional_one_on_values_in_spans() -> None:
    transform, samples = made(), smooth()
    transform.start(samples)
    plain = ConvolutionalTransform(3, **NUMBERS)  # type: ignore[arg-type]
    state = transform.state_dict()
    names = plain.state_dict().keys()
    plain.load_state_dict({name: state[name] for name in names})
    mean = samples.mean((0, 2, 3))[:, None, None]
    span = 5 * samples.std((0, 2, 3), correction=0)[:, None, None]
    assert {*state} - {*names} == {
        f"{side}.{name}" for side in ("analysis", "synthesis") for name in ("mean", "span")
    }
    latent = plain.analyse((samples - mean) / span + 0.5)
    torch.testing.assert_close(transform.analyse(samples), latent, rtol=1e-4, atol=1e-4)
    wanted = (plain.synthesise(latent) - 0.5) * span + mean
    torch.testing.assert_close(transform.synthesise(latent), wanted, rtol=1e-5, atol=1e-5)


def test_the_unit_does_not_matter() -> None:
    here, there, samples = made(), made(), smooth()
    here.start(samples)
    there.start(in_units(samples))
    latent, same = here.analyse(samples), there.analyse(in_units(samples))
    # Channels may differ in sign, and so may the axes: what is decoded does not.
    decoded = here.synthesise(latent)
    torch.testing.assert_close(latent.abs().mean(), same.abs().mean(), rtol=0.01, atol=0)
    ours = there.error(in_units(decoded), in_units(samples))
    torch.testing.assert_close(ours, here.error(decoded, samples), rtol=1e-3, atol=0)


def test_the_error_is_in_spans_of_each_channel() -> None:
    transform, samples = made(), in_units(smooth())
    transform.start(samples)
    span = 5 * samples.std((0, 2, 3), correction=0)[:, None, None]
    off = samples + 0.1 * span
    assert float(transform.error(off, samples)) == pytest.approx(0.01, rel=1e-3)


def test_a_channel_that_does_not_vary_stays_as_it_is() -> None:
    transform, samples = made(), smooth()
    samples[:, 1] = 273.15
    transform.start(samples)
    decoded = transform.synthesise(transform.analyse(samples))
    assert decoded.isfinite().all()
    # The networks have not learned that nothing happens there; a span of it is 1.
    assert float((decoded.detach()[:, 1] - 273.15).abs().max()) < 0.1


def test_values_far_from_all_that_was_learned_are_finite() -> None:
    transform, samples = made(), smooth()
    transform.start(samples)
    samples[0, 0, 3, 4] = 3e38
    samples[0, 1, 3, 4] = -3e38
    latent = transform.analyse(samples)
    assert latent.isfinite().all()
    assert transform.synthesise(latent).isfinite().all()


@pytest.mark.parametrize("piece", [(slice(2, 5), slice(1, 4)), (slice(0, 1), slice(5, 6))])
def test_a_piece_is_a_piece_of_the_whole(piece: Region) -> None:
    transform, samples = made(), in_units(smooth())
    transform.start(samples)
    latent = transform.analyse(samples)
    found = transform.analyse(samples, piece=piece)
    torch.testing.assert_close(found, latent[:, :, *piece], rtol=1e-4, atol=1e-4)
    whole = transform.synthesise(latent)
    part = tuple(slice(4 * axis.start, 4 * axis.stop) for axis in piece)
    decoded = transform.synthesise(latent, piece=piece)
    torch.testing.assert_close(decoded, whole[:, :, *part], rtol=1e-4, atol=0.05)


def test_what_is_missing_counts_for_nothing() -> None:
    here, there, samples = made(), made(), in_units(smooth())
    here.start(samples)
    samples = torch.cat([samples, samples])
    samples[4:, 1] = torch.nan
    there.start(samples)
    for name in ("mean", "span"):
        ours, theirs = (t.synthesis.get_buffer(name) for t in (here, there))
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=0)
    latent = there.analyse(samples)
    filled = samples.clone()
    filled[4:, 1] = there.synthesis.get_buffer("mean")[1]
    torch.testing.assert_close(latent, there.analyse(filled))
    decoded = there.synthesise(latent)
    off = decoded.detach().clone()
    off[4:, 1] += 1.0
    off.requires_grad_()
    torch.testing.assert_close(there.error(off, samples), there.error(decoded, samples))
    (slope,) = torch.autograd.grad(there.error(off, samples), off)
    assert slope.isfinite().all()
    assert not slope[4:, 1].any()
    # What diverges is not hidden.
    off.data[0, 0, 0, 0] = torch.nan
    assert there.error(off, samples).isnan()


def test_units_are_measured_anew_for_learned_networks() -> None:
    transform, samples = made(), smooth()
    transform.start(samples)
    latent = transform.analyse(samples)
    # A unit may turn a channel over, as the last one; networks would see that.
    others = in_units(samples * UNITS[:, 0].sign()[:, None, None])
    transform.measure(others)
    torch.testing.assert_close(transform.analyse(others), latent, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(
    ("scale", "offset", "says"),
    [
        (1e31, 0.0, "channel 0 has values about"),
        (1.0, 1e6, "which float32 hardly tells apart"),
        (float("nan"), 0.0, "channel 0 has no value"),
    ],
)
def test_units_that_float32_cannot_hold_are_refused(scale: float, offset: float, says: str) -> None:
    with pytest.raises(InputError, match=says):
        made().start(smooth() * scale + offset)


def test_axes_of_large_patches_are_nearly_the_exact_ones() -> None:
    generator = torch.Generator().manual_seed(4)
    directions = torch.linalg.qr(torch.randn(2600, 12, generator=generator))[0].T
    sizes = torch.arange(24, 0, -2)
    rows = torch.randn(900, 12, generator=generator) * sizes @ directions
    basis, unit = principal_axes(rows, 8)
    torch.testing.assert_close(basis @ basis.T, torch.eye(8), rtol=0, atol=1e-4)
    _, _, exact = torch.linalg.svd(rows, full_matrices=False)
    # The space that they span, whatever their signs.
    kept = (exact[:8] @ basis.T).square().sum() / 8
    assert kept > 0.999
    wanted = (rows @ exact[:8].T).square().mean().sqrt()
    torch.testing.assert_close(unit, wanted, rtol=1e-3, atol=0)
    few, _ = principal_axes(rows[:3], 8)
    torch.testing.assert_close(few @ few.T, torch.eye(8), rtol=0, atol=1e-4)
