"""The standardized transform: the convolutional one, whatever the unit of each channel."""

import pytest
import torch
from torch import Tensor

from vqcodec.grid import Region
from vqcodec.transforms.convolutional import ConvolutionalTransform
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
