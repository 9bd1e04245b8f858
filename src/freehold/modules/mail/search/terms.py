"""Terms: the pieces of folded text that the index knows, and which of them a text to be found needs.

A run of letters and digits is a term, so that a text found within a term is found within the message. Two
rules keep terms short and shared: a run of Chinese or Japanese characters becomes overlapping pairs, and one
longer than LONG_RUN becomes overlapping pieces, in which every text of up to MAX_LOOKED_UP characters lies
whole.
"""

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import AnyStr

import msgspec

from freehold.protocols.mime.fold import fold

LONG_RUN = 48
"""Characters of a term at most."""
STEP = LONG_RUN // 2
"""Between the starts of a long run's pieces."""
MAX_LOOKED_UP = STEP
"""Characters of a run that are looked up; a longer one is looked for where its beginning is."""
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

    A message that contains the text has every one of `parts` within a term (with `at_start`, at its
    beginning). `is_exact`: and the other way round.
    """

    parts: tuple[bytes, ...]
    is_exact: bool
    at_start: bool = False


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
    runs = _RUN.findall(folded)
    parts = dict.fromkeys(part.encode() for run in runs[:MAX_RUNS] for part in _looked_up(run))
    is_exact = len(parts) == 1 and folded.encode("utf-8", "replace") in parts
    return Runs(tuple(parts), is_exact)


def words_of(text: str) -> Runs:
    """Return what to look up for words in any order, by their stems (RFC 6203 §3)."""
    runs = _RUN.findall(fold(text))
    parts = dict.fromkeys(part.encode() for run in runs[:MAX_RUNS] for part in _stems(run))
    return Runs(tuple(parts), len(runs) <= MAX_RUNS and bool(parts), at_start=True)


def has_all(terms: Iterable[bytes], runs: Runs) -> bool:
    """Tell whether terms have all parts of a text, as the index would."""
    joined = b"\n" + b"\n".join(terms)
    return all((b"\n" + part if runs.at_start else part) in joined for part in runs.parts)


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


def _looked_up(run: str) -> Iterator[str]:
    if _IS_CJK.match(run) is not None:
        yield from _pairs(run[:MAX_LOOKED_UP])
    else:
        yield run[:MAX_LOOKED_UP]


def _stems(run: str) -> Iterator[str]:
    if _IS_CJK.match(run) is not None:
        yield from _pairs(run[:MAX_LOOKED_UP])
    else:
        yield run[: min(MAX_LOOKED_UP, max(MIN_STEM, len(run) * 3 // 4))]


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for start in range(len(run) - 1):
        yield run[start : start + 2]


def _pieces(run: AnyStr) -> Iterator[AnyStr]:
    for start in range(0, max(1, len(run) - STEP), STEP):
        yield run[start : start + LONG_RUN]
