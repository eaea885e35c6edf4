"""Everything that vqcodec raises on purpose, one family.

VqcodecError
 ├─ FormatError             the bytes are not a whole, undamaged, readable stream
 │   ├─ BadMagicError           not a vqcodec stream at all
 │   ├─ UnsupportedVersionError written by a newer vqcodec, or needs a part this one lacks
 │   ├─ TruncatedError          ends before it should
 │   ├─ ChecksumError           a checksum does not match: damaged
 │   ├─ LimitError              declares more than the caller allows
 │   └─ CorruptError            every other contradiction inside the stream
 ├─ ModelError              the weights
 │   ├─ UnknownModelError       no such model is installed
 │   └─ BadModelError           a file of weights that is damaged, unsafe or not what it says
 ├─ BackendError            a device or backend that was asked for and is not here
 ├─ InputError              a signal that cannot be encoded (also a ValueError)
 └─ MissingDependencyError  an optional package that this call needs is not installed

The kernels know nothing of this family; `kernels_refuse` turns their errors into it, at the border.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from vqcodec_kernels import errors as kernels

__all__ = [
    "BackendError",
    "BadMagicError",
    "BadModelError",
    "ChecksumError",
    "CorruptError",
    "FormatError",
    "InputError",
    "LimitError",
    "MissingDependencyError",
    "ModelError",
    "TruncatedError",
    "UnknownModelError",
    "UnsupportedVersionError",
    "VqcodecError",
    "kernels_refuse",
]


class VqcodecError(Exception):
    """Base of every error that vqcodec raises on purpose."""


class FormatError(VqcodecError):
    """The bytes are not a whole, undamaged stream that this version can read."""


class BadMagicError(FormatError):
    """The first bytes are not those of a vqcodec stream."""


class UnsupportedVersionError(FormatError):
    """The stream was written by a newer vqcodec, or needs a part that this one lacks."""


class TruncatedError(FormatError):
    """The stream ends before it should."""


class ChecksumError(FormatError):
    """A checksum does not match: the stream is damaged."""


class LimitError(FormatError):
    """The stream declares more than the caller's limits allow.

    argument: what a caller sets this limit by, empty if nothing does.
    """

    def __init__(self, message: str, *, argument: str = "") -> None:
        super().__init__(message)
        self.argument = argument


class CorruptError(FormatError):
    """The stream contradicts itself, or the format."""


class ModelError(VqcodecError):
    """Something is wrong with a model."""


class UnknownModelError(ModelError):
    """No installed model has this name or fingerprint."""


class BadModelError(ModelError):
    """A file of weights is damaged, unsafe, or not what it says it is."""


class BackendError(VqcodecError):
    """A device or backend was asked for by name and is not here."""


class InputError(VqcodecError, ValueError):
    """A signal that cannot be encoded; the message shows the offending value."""


class MissingDependencyError(VqcodecError):
    """An optional package that this call needs is not installed."""


@contextmanager
def kernels_refuse() -> Iterator[None]:
    """Turn what the kernels refuse into errors of this family, for those who call from above.

    It stands around what a tokenizer and a codec offer, and nowhere below: there the kernels'
    errors keep their names, and who knows better what a refusal means says so itself.

    >>> with kernels_refuse():
    ...     raise kernels.BackendError("no such level")
    Traceback (most recent call last):
    vqcodec.errors.BackendError: no such level
    """
    try:
        yield
    except kernels.CorruptPayloadError as error:
        raise CorruptError(str(error)) from error
    except kernels.InvalidInputError as error:
        raise InputError(str(error)) from error
    except kernels.BackendError as error:
        raise BackendError(str(error)) from error
