"""Learned priors: networks that draw codes as a whole, for signals of one small extent."""

__all__: list[str] = []
