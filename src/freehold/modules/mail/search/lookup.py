"""Asks a mailbox's index which messages have a text; where it cannot tell, the messages have to be read."""

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from freehold.modules.mail.model import MAX_UID, UID_BITS
from freehold.modules.mail.search.segment import FieldIndex, find_part
from freehold.modules.mail.search.store import read_documents
from freehold.modules.mail.search.terms import PARTIAL, Field, Runs
from freehold.storage.database import Transaction

ROWS_AT_ONCE = 4
"""Fields of segments in memory at once: a MiB or two each."""

MAX_QUESTIONS = 64
"""Of one search; the messages tell about further ones."""
MAX_ANSWERED = 2_000_000
"""Ids in all answers to one search; questions that would have more are left to the messages, too."""

_JOINED = (
    "JOIN search_document AS d ON d.mailbox_id = m.mailbox_id AND d.blob_id = m.blob_id"
    " WHERE m.id BETWEEN ? AND ? AND m.mailbox_id = ?"
)
_KNOWN = f"SELECT m.blob_id FROM message AS m {_JOINED}"  # noqa: S608 - this program's own words
_UNKNOWN = f"SELECT m.id FROM message AS m LEFT {_JOINED} AND d.blob_id IS NULL LIMIT 1"  # noqa: S608

_PARTIAL_MARK = b"\n" + PARTIAL + b"\n"


@dataclass(frozen=True, slots=True)
class Question:
    """A text to be found in any of some fields.

    `is_exact`: who has the parts has the text. Otherwise it has to be looked for in those who have them.
    """

    fields: frozenset[Field]
    runs: Runs
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Ids of contents that have the text, and of those that may have it."""

    matching: set[int] = field(default_factory=set)
    possible: set[int] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.matching) + len(self.possible)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the index says to some questions, for one folder.

    It knows the messages with UIDs below `next_uid`, and of the later ones those with contents in `known`.
    """

    by_question: Mapping[Question, Answer] = field(default_factory=dict)
    next_uid: int = 1
    known: frozenset[int] = frozenset()

    def knows(self, uid: int, blob_id: int) -> bool:
        """Tell whether a message is in the index."""
        return uid < self.next_uid or blob_id in self.known


NOTHING_ASKED = Answers()


@dataclass(slots=True)
class _Hits:
    """What one segment says to one question: for each part, the numbers of those who have it, some twice."""

    by_part: "list[array[int]]"
    partial: set[int] = field(default_factory=set)


async def ask_index(
    tx: Transaction, mailbox_id: int, folder_id: int, questions: Collection[Question]
) -> Answers:
    """Return the index's answers, all of one moment; it may leave questions unanswered."""
    row = await tx.fetch_one("SELECT next_uid FROM search_folder WHERE folder_id = ?", folder_id)
    next_uid = 1 if row is None else int(row[0])
    asked = [question for question in questions if question.runs.parts][:MAX_QUESTIONS]
    if not asked:
        return NOTHING_ASKED
    base = folder_id << UID_BITS
    tail = (base | next_uid, base | MAX_UID, mailbox_id)
    known: frozenset[int] = frozenset()
    if await tx.fetch_one(_UNKNOWN, *tail) is None:
        next_uid = MAX_UID + 1
    else:
        known = frozenset(blob_id for (blob_id,) in await tx.fetch(_KNOWN, *tail))
    hits: dict[Question, dict[int, _Hits]] = {question: {} for question in asked}
    for name in sorted(frozenset[Field]().union(*(question.fields for question in asked))):
        concerned = [question for question in asked if name in question.fields]
        await _scan_field(tx, mailbox_id, name, [(question, hits[question]) for question in concerned])
    return Answers(await _gather(tx, mailbox_id, hits), next_uid, known)


async def _scan_field(
    tx: Transaction,
    mailbox_id: int,
    name: Field,
    concerned: Sequence[tuple[Question, dict[int, _Hits]]],
) -> None:
    """Look for all parts in one field of all segments, some at a time."""
    last = -1
    while True:
        rows = await tx.fetch(
            "SELECT w.number, w.words, s.document_count FROM search_words AS w JOIN search_segment AS s"
            " ON s.mailbox_id = w.mailbox_id AND s.number = w.number"
            " WHERE w.mailbox_id = ? AND w.field = ? AND w.number > ? ORDER BY w.number LIMIT ?",
            mailbox_id,
            int(name),
            last,
            ROWS_AT_ONCE,
        )
        for number, words, count in rows:
            await _scan_words(tx, (mailbox_id, int(name), number), words, count, concerned)
        if len(rows) < ROWS_AT_ONCE:
            return
        last = rows[-1][0]


async def _scan_words(
    tx: Transaction,
    key: tuple[int, int, int],
    words: bytes,
    count: int,
    concerned: Sequence[tuple[Question, dict[int, _Hits]]],
) -> None:
    """Look for all parts in one field of one segment; postings are read only where something is found."""
    index: FieldIndex | None = None
    has_partial = _PARTIAL_MARK in words
    for question, segments in concerned:
        parts = question.runs.parts
        found = [part in words for part in parts]
        if not has_partial and not any(found):
            continue
        if index is None:
            row = await tx.fetch_one(
                "SELECT postings FROM search_words WHERE mailbox_id = ? AND field = ? AND number = ?", *key
            )
            assert row is not None
            index = FieldIndex(words, row[0])
        hits = segments.get(key[2])
        if hits is None:
            hits = segments[key[2]] = _Hits([array("H") for _ in parts])
        for place, part in enumerate(parts):
            if found[place]:
                hits.by_part[place].extend(find_part(index, part, count))
        if has_partial:
            hits.partial |= find_part(index, _PARTIAL_MARK, count)


async def _gather(
    tx: Transaction, mailbox_id: int, hits: Mapping[Question, Mapping[int, _Hits]]
) -> dict[Question, Answer]:
    """Turn numbers within segments into ids of contents."""
    answers = {question: Answer() for question in hits}
    for number in sorted(frozenset[int]().union(*hits.values())):
        documents = await read_documents(tx, mailbox_id, number)
        for question in list(answers):
            if number in hits[question]:
                _add(answers[question], hits[question][number], documents, is_exact=question.is_exact)
        while sum(map(len, answers.values())) > MAX_ANSWERED:
            del answers[max(answers, key=lambda question: len(answers[question]))]
    return answers


def _add(answer: Answer, hits: _Hits, documents: Sequence[int], *, is_exact: bool) -> None:
    having = set(hits.by_part[0]).intersection(*hits.by_part[1:])
    ids = documents.__getitem__
    if is_exact:
        answer.matching.update(map(ids, having - hits.partial))
        answer.possible.update(map(ids, hits.partial))
    else:
        answer.possible.update(map(ids, having | hits.partial))
