"""Guesses what a mistyped word was meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches

MIN_LIKENESS = 0.6
"""difflib's ratio from which a guess helps more than it confuses."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` most resembles, or None."""
    matches = get_close_matches(word, list(known), n=1, cutoff=MIN_LIKENESS)
    return matches[0] if matches else None
