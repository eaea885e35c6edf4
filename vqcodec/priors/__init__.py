"""Models of the code indices for the entropy coder: integers only, exact on every machine."""

from vqcodec.priors.base import Prior
from vqcodec.priors.mixing import MixingPrior
from vqcodec.priors.raw import RawPrior
from vqcodec.priors.static import StaticPrior

__all__ = [
    "MixingPrior",
    "Prior",
    "RawPrior",
    "StaticPrior",
    "prior_class",
]

_CLASSES: tuple[type[Prior], ...] = (RawPrior, StaticPrior, MixingPrior)


def prior_class(mode: int) -> type[Prior]:
    """Return the class whose mode is this number, as a stream writes it. Raises ValueError.

    >>> prior_class(2).name
    'mixing'
    """
    for prior in _CLASSES:
        if prior.mode == mode:
            return prior
    raise ValueError(f"no prior has mode {mode}, known are {[p.mode for p in _CLASSES]}")
