"""Matches mailbox names against LIST's wildcards in time linear in the name (RFC 9051 §6.3.9).

All positions that the pattern can stand at are bits of one integer, moved along for each character; there
is nothing to backtrack into, whatever the pattern.
"""

import re
from collections.abc import Callable
from unicodedata import normalize

from freehold.protocols.imap.mailbox_name import INBOX

DELIMITER = "/"

_RUN = re.compile(r"[*%]{2,}")


class ListPattern:
    """One reference and pattern, ready to be matched against many names.

    The reference is simply put in front. `*` matches everything, `%` all but the delimiter. INBOX is
    matched in any case. Whether parents that do not exist are listed is for the caller to decide.
    """

    __slots__ = ("_inbox", "_matches")

    def __init__(self, reference: str, pattern: str) -> None:
        canonical = _RUN.sub(_collapse, reference_and_pattern(reference, pattern))
        self._matches = _compile(canonical)
        self._inbox = _compile(canonical.upper())(INBOX)

    def matches(self, name: str) -> bool:
        """Tell whether the name is one that LIST should give."""
        return self._inbox if name == INBOX else self._matches(name)


def reference_and_pattern(reference: str, pattern: str) -> str:
    """Join the two, composed as names are; a pattern that begins with the delimiter stands alone."""
    joined = pattern if pattern.startswith(DELIMITER) else reference + pattern
    return joined if joined.isascii() else normalize("NFC", joined)


def _collapse(run: re.Match[str]) -> str:
    """Give the one wildcard that a run of them amounts to."""
    return "*" if "*" in run[0] else "%"


def _compile(pattern: str) -> Callable[[str], bool]:
    head, tail = pattern[:-1], pattern[-1:]
    if "*" in head or "%" in head:
        return _Automaton(pattern).matches
    if tail == "*":
        return lambda name: name.startswith(head)
    if tail == "%":
        return lambda name: name.startswith(head) and name.find(DELIMITER, len(head)) < 0
    return lambda name: name == pattern


class _Automaton:
    """The pattern's positions as bits; bit n is set when its first n characters are matched."""

    __slots__ = ("_advance", "_end", "_star", "_wild")

    def __init__(self, pattern: str) -> None:
        self._advance: dict[str, int] = {}
        self._star = self._wild = 0
        for position, character in enumerate(pattern):
            bit = 1 << position
            if character == "*":
                self._star |= bit
                self._wild |= bit
            elif character == "%":
                self._wild |= bit
            else:
                self._advance[character] = self._advance.get(character, 0) | bit
        self._end = 1 << len(pattern)

    def matches(self, name: str) -> bool:
        """Tell whether the whole name matches.

        No two wildcards are neighbours, so that one shift is enough to step over them.
        """
        wild, star, advance = self._wild, self._star, self._advance
        states = 1 | (1 & wild) << 1
        for character in name:
            stay = states & (star if character == DELIMITER else wild)
            states = stay | (states & advance.get(character, 0)) << 1
            states |= (states & wild) << 1
            if not states:
                return False
        return bool(states & self._end)
