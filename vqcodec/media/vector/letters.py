"""What names vectors in a header, the letters of their side chunks, and how many there may be."""

__all__ = ["CODEBOOK", "DESCRIPTION", "DTYPES", "LETTERS", "MAX_DIM", "NUMBER"]

NUMBER = 4
DESCRIPTION, CODEBOOK = "V", "B"
LETTERS = frozenset((DESCRIPTION, CODEBOOK))
# Number in the file -> what was given, and comes back.
DTYPES = ("float32", "float16")
MAX_DIM = 4096
