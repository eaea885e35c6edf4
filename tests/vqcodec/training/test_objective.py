"""The loss against its formula."""

import math

import pytest
import torch
from torch import Tensor

from vqcodec.model.network import Reconstruction
from vqcodec.quantizers.base import Quantized
from vqcodec.training.objective import Objective
from vqcodec.transforms.base import Transform


class Unit(Transform):
    """A transform of which only the unit is asked."""

    unit = 0.01


class Doubled(Unit):
    """One that calls twice the difference an error."""

    def error(self, decoded: Tensor, samples: Tensor) -> Tensor:
        return 2 * (decoded - samples).mean()


@pytest.mark.parametrize("extent", [(12,), (4, 3), (2, 3, 2)])
def test_it_adds_its_parts(extent: tuple[int, ...]) -> None:
    samples = torch.full((1, 1, *extent), 0.5)
    latent = torch.full((1, 2, 2), 2.0)
    commitment = torch.tensor(3.0)
    quantized = Quantized(latent, latent, commitment, commitment)
    seen: list[tuple[Tensor, Tensor]] = []

    def distortion(decoded: Tensor, original: Tensor, error: Tensor) -> Tensor:
        seen.append((decoded, original))
        return 10 * error

    objective = Objective(distortion, commitment=0.25)
    loss, error = objective(samples, Reconstruction(samples + 0.1, latent, quantized), Unit())
    assert float(error) == pytest.approx(0.01)
    # 10 * MSE + 0.25 * unit * commitment + 0.05 * MSE * ln(mean square of the latent)^2
    assert float(loss) == pytest.approx(0.1 + 0.0075 + 0.05 * 0.01 * math.log(4.0) ** 2)
    assert torch.equal(seen[0][0], samples + 0.1)
    assert torch.equal(seen[0][1], samples)


def test_the_pin_pulls_the_latent_and_nothing_else() -> None:
    samples = torch.full((1, 1, 6), 0.5)
    decoded = (samples + 0.1).requires_grad_()
    latent = torch.full((1, 2, 3), 2.0, requires_grad=True)
    zero = torch.zeros(())
    output = Reconstruction(decoded, latent, Quantized(latent.detach(), latent, zero, zero))
    loss, error = Objective(lambda _, __, error: error, commitment=0.25)(samples, output, Unit())
    loss.backward()  # type: ignore[no-untyped-call]
    assert decoded.grad is not None
    assert latent.grad is not None
    torch.testing.assert_close(decoded.grad, torch.full_like(decoded, 2 * 0.1 / 6))
    # d/dz of 0.05 * MSE * ln(mean z^2)^2, with six numbers of 2.
    slope = 0.05 * float(error) * 2 * math.log(4.0) * 2 * 2 / 6 / 4
    torch.testing.assert_close(latent.grad, torch.full_like(latent, slope))


def test_error_is_what_the_transform_says() -> None:
    samples, zero = torch.zeros(1, 1, 6), torch.zeros(())
    latent = torch.ones(1, 2, 3)
    output = Reconstruction(samples + 0.25, latent, Quantized(latent, latent, zero, zero))
    objective = Objective(lambda _, __, error: 3 * error, commitment=0.25)
    loss, error = objective(samples, output, Doubled())
    assert float(error) == pytest.approx(0.5)
    assert float(loss) == pytest.approx(1.5)
