"""What names an array in a header, and the letters of its side chunks."""

__all__ = ["COEFFICIENTS", "DESCRIPTION", "LETTERS", "NUMBER", "RANKS"]

NUMBER = 3
DESCRIPTION, COEFFICIENTS, RANKS = "A", "K", "R"
LETTERS = frozenset((DESCRIPTION, COEFFICIENTS, RANKS))
