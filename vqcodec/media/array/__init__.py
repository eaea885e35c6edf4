"""Arrays of numbers with a bound on every value's error; see `medium.py`."""
