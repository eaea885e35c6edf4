"""What can go wrong on the ground floor.

KernelError
 ├─ InvalidInputError     an argument with a wrong dtype, shape, device or value (also a ValueError)
 ├─ CorruptPayloadError   bytes that no encoder could have written (also a ValueError)
 └─ BackendError          a backend that was asked for and is not here (also a RuntimeError)
"""

__all__ = ["BackendError", "CorruptPayloadError", "InvalidInputError", "KernelError"]


class KernelError(Exception):
    """Base of every error that the kernels raise."""


class InvalidInputError(KernelError, ValueError):
    """An argument has a wrong dtype, shape, device or value; the message shows it."""


class CorruptPayloadError(KernelError, ValueError):
    """A payload ends too early, too late, or holds what no encoder writes."""


class BackendError(KernelError, RuntimeError):
    """A backend that was asked for by name cannot run here."""
