"""What names an array in a header, and the letters of its side chunks."""

__all__ = ["COEFFICIENTS", "DESCRIPTION", "LETTERS", "NUMBER", "PRIOR", "RANKS"]

NUMBER = 3
PRIOR = "bounded"
DESCRIPTION, COEFFICIENTS, RANKS = "A", "K", "R"
LETTERS = frozenset((DESCRIPTION, COEFFICIENTS, RANKS))
