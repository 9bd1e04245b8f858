"""What a search asks the index, and what its answers leave to be looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from freehold.modules.mail.imap.search.content import Needle
from freehold.modules.mail.search.document import NAMED_FIELDS
from freehold.modules.mail.search.lookup import Answers, Question
from freehold.modules.mail.search.terms import Field, Runs, runs_of
from freehold.protocols.imap.search_keys import (
    And,
    BodyContains,
    HeaderContains,
    Not,
    Or,
    SearchKey,
    TextContains,
)

ContentKey = HeaderContains | BodyContains | TextContains

_ALL = frozenset(Field)
_BODY = frozenset({Field.BODY})
_HEADER = frozenset({Field.HEADER})


@dataclass(frozen=True, slots=True)
class Bounds:
    """The contents that may match a key; with `is_sure` they all do, and it needs nothing else."""

    ids: frozenset[int]
    is_sure: bool


def questions_of(key: SearchKey) -> Iterator[Question]:
    """Yield what to ask the index for a key."""
    match key:
        case And(keys) | Or(keys):
            for each in keys:
                yield from questions_of(each)
        case Not(inner):
            yield from questions_of(inner)
        case HeaderContains() | BodyContains() | TextContains():
            question = question_of(key)
            if question.runs.parts:
                yield question


def question_of(key: ContentKey) -> Question:
    """Return the question for one key; it may have no parts to look up."""
    match key:
        case HeaderContains(name, text, fuzzy):
            return _header_question(name, Needle(text, fuzzy=fuzzy).runs)
        case BodyContains(text, fuzzy):
            runs = Needle(text, fuzzy=fuzzy).runs
            return Question(_BODY, runs, runs.is_exact)
        case TextContains(text, fuzzy):
            runs = Needle(text, fuzzy=fuzzy).runs
            return Question(_ALL, runs, runs.is_exact)


def bounds_of(key: SearchKey, index: Answers) -> Bounds | None:
    """Return which contents a key can match among those that the index knows; None: it does not tell."""
    match key:
        case And(keys):
            return _common([bounds_of(each, index) for each in keys])
        case Or(keys):
            return _together([bounds_of(each, index) for each in keys])
        case HeaderContains() | BodyContains() | TextContains():
            answer = index.by_question.get(question_of(key))
            if answer is not None:
                return Bounds(frozenset(answer.matching).union(answer.possible), not answer.possible)
    return None


def _common(every: Sequence[Bounds | None]) -> Bounds | None:
    known = [each for each in every if each is not None]
    if not known:
        return None
    is_sure = len(known) == len(every) and all(each.is_sure for each in known)
    return Bounds(known[0].ids.intersection(*(each.ids for each in known[1:])), is_sure)


def _together(every: Sequence[Bounds | None]) -> Bounds | None:
    known = [each for each in every if each is not None]
    if len(known) < len(every):
        return None
    return Bounds(frozenset[int]().union(*(each.ids for each in known)), all(each.is_sure for each in known))


def _header_question(name: str, runs: Runs) -> Question:
    """Return the question for a field; one without an index of its own shares that of the others."""
    field = NAMED_FIELDS.get(name)
    if field is not None and runs.parts:
        return Question(frozenset({field}), runs, runs.is_exact)
    parts = dict.fromkeys((*runs.parts, *runs_of(f" {name} ").parts))
    return Question(_HEADER, Runs(tuple(parts), is_exact=False), is_exact=False)
