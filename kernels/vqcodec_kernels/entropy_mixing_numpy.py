"""Placeholder until the twin stands."""
