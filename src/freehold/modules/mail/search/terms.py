"""Terms: the pieces of folded text that the index knows, and which of them a text to be found needs.

A run of letters and digits is a term, so that a text found within a term is found within the message. Two
rules keep terms short and shared: a run of Chinese or Japanese characters becomes overlapping pairs, and one
longer than LONG_RUN becomes overlapping pieces, in which every text of up to MAX_LOOKED_UP characters lies
whole.
"""

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from itertools import islice
from typing import AnyStr

import msgspec

from freehold.protocols.mime.fold import fold

LONG_RUN = 48
"""Characters of a term at most."""
STEP = LONG_RUN // 2
"""Between the starts of a long run's pieces."""
MAX_LOOKED_UP = STEP
"""Characters of a run that are looked up where it may begin or end within a word."""
MAX_RUNS = 16
"""Of one text, as many are looked up at most."""
MIN_STEM = 3

PARTIAL = b"*"
"""In place of a term: not all of this field is in the index, the message has to be looked through."""


class Field(IntEnum):
    """The parts of a message that are searched apart; the numbers are those of `search_words.field`."""

    SUBJECT = 0
    FROM = 1
    TO = 2
    CC = 3
    BCC = 4
    HEADER = 5
    """All other fields of the header, and the names of all."""
    BODY = 6


class Runs(msgspec.Struct, frozen=True):
    """What to look up in the index for a text.

    A message that contains the text has every one of `parts` in its terms, each written between line feeds.
    `is_exact`: and the other way round.
    """

    parts: tuple[bytes, ...]
    is_exact: bool


_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_FIRST_CJK = "\u3005"
_IS_CJK = re.compile(f"[{_CJK}]")
_SPACE = 32
# Letters become small, digits stay, all else parts words.
_ASCII_WORDS = bytes(octet if bytes((octet,)).isalnum() else _SPACE for octet in bytes(range(256)).lower())


def terms_of(text: str) -> set[bytes]:
    """Return the terms of a text."""
    if not text.isascii():
        text = fold(text)
        if not text.isascii():
            return _wide_terms(text)
    words = set(text.encode("ascii").translate(_ASCII_WORDS).split())
    if any(len(word) > LONG_RUN for word in words):
        return {piece for word in words for piece in _pieces(word)}
    return words


def runs_of(text: str) -> Runs:
    """Return what to look up for a substring (RFC 9051 §6.4.4)."""
    folded = fold(text)
    found = list(islice(_RUN.finditer(folded), MAX_RUNS))
    parts = [
        part
        for run in found
        for part in _looked_up(run[0], starts=run.start() > 0, ends=run.end() < len(folded))
    ]
    unique = dict.fromkeys(part.encode() for part in parts)
    is_exact = bool(found) and found[0][0] == folded and parts in ([folded], [f"\n{folded}\n"])
    return Runs(tuple(unique), is_exact)


def words_of(text: str) -> Runs:
    """Return what to look up for words in any order, by their stems (RFC 6203 §3)."""
    found = list(islice(_RUN.finditer(fold(text)), MAX_RUNS + 1))
    parts = dict.fromkeys(part.encode() for run in found[:MAX_RUNS] for part in _stems(run[0]))
    return Runs(tuple(parts), len(found) <= MAX_RUNS and bool(parts))


def has_all(terms: Iterable[bytes], runs: Runs) -> bool:
    """Tell whether terms have all parts of a text, as the index would."""
    joined = b"\n%b\n" % b"\n".join(terms)
    return all(part in joined for part in runs.parts)


def _wide_terms(folded: str) -> set[bytes]:
    words: set[str] = set()
    for run in set(_RUN.findall(folded)):
        if run >= _FIRST_CJK and _IS_CJK.match(run) is not None:
            words.update(_pairs(run))
        elif len(run) > LONG_RUN:
            words.update(_pieces(run))
        else:
            words.add(run)
    return {word.encode() for word in words}


def _looked_up(run: str, *, starts: bool, ends: bool) -> Iterator[str]:
    """Yield what a run of a text is looked up by; `starts`, `ends`: the message's run does so there too."""
    before, behind = "\n" if starts else "", "\n" if ends else ""
    if _IS_CJK.match(run) is not None:
        if len(run) == 1:
            yield before + run + behind
        else:
            yield from (f"\n{pair}\n" for pair in _pairs(run[:MAX_LOOKED_UP]))
    elif starts:
        yield before + run[:LONG_RUN] + behind
    elif ends:
        yield run[-MAX_LOOKED_UP:] + behind
    else:
        yield run[:MAX_LOOKED_UP]


def _stems(run: str) -> Iterator[str]:
    if _IS_CJK.match(run) is not None:
        yield from _looked_up(run, starts=False, ends=False)
    else:
        yield "\n" + run[: min(MAX_LOOKED_UP, max(MIN_STEM, len(run) * 3 // 4))]


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]


def _pieces(run: AnyStr) -> Iterator[AnyStr]:
    for start in range(0, max(1, len(run) - STEP), STEP):
        yield run[start : start + LONG_RUN]
