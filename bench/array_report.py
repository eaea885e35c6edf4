"""The tables of bench/arrays.py, from its JSON."""

from pathlib import Path


def write_report(result: Path, page: Path) -> None:
    """Put the tables between their markers."""
