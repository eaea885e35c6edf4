"""The source of chance behind samples, in Python integers: the twin of random_bits.hpp."""

__all__ = ["RandomBits"]

_WHOLE = (1 << 64) - 1


class RandomBits:
    """SplitMix64 (Steele, Lea, Flood 2014): the same numbers for a seed on every machine.

    >>> random = RandomBits(1)
    >>> [random.draw(8) for _ in range(4)]
    [145, 190, 248, 113]
    """

    def __init__(self, seed: int) -> None:
        self._state = seed

    def draw(self, bits: int) -> int:
        """A number in [0, 2^bits), each as likely; bits in [1, 32]."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _WHOLE
        mixed = self._state
        mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & _WHOLE
        mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & _WHOLE
        return (mixed ^ mixed >> 31) >> (64 - bits)

    def decision(self, one: int) -> int:
        """A bit that is 1 with the probability `one`, in units of 2^-16."""
        return int(self.draw(16) < one)
