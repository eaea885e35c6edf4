"""What names a video in a header, and the letters of its side chunks."""

__all__ = ["FACTS", "LETTERS", "NUMBER", "TRACKS"]

NUMBER = 2
FACTS, TRACKS = "F", "a"
LETTERS = frozenset((FACTS, TRACKS))
