"""A segment: the terms of some hundred messages, as two blobs for each field.

`words` holds each term once, between line feeds, so that a substring of any of them is found by one pass
of `bytes.find`, which reads gigabytes in a second. `postings` tells for each term, by its place in `words`,
which messages have it. Nothing here knows the database.
"""

import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from freehold.modules.mail.search.terms import Field

MAX_DOCUMENTS: Final = 0xFFFF
"""Messages of one segment: their numbers have 16 bits."""

_COUNT_BYTES: Final = 4

FieldTerms = Mapping[Field, Set[bytes]]


@dataclass(frozen=True, slots=True)
class FieldIndex:
    """The two blobs of one field."""

    words: bytes
    postings: bytes

    @property
    def size_bytes(self) -> int:
        """The length of both."""
        return len(self.words) + len(self.postings)


@dataclass(frozen=True, slots=True)
class Segment:
    """Contents, by the order in which postings count them, and what they say."""

    documents: Sequence[int]
    fields: Mapping[Field, FieldIndex] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """The octets of all words and postings."""
        return sum(each.size_bytes for each in self.fields.values())


def build_segment(documents: Sequence[tuple[int, FieldTerms]]) -> Segment:
    """Return the segment of contents, each with its terms by field."""
    postings: dict[Field, dict[bytes, list[int]]] = {}
    for number, (_, fields) in enumerate(documents):
        for name, terms in fields.items():
            known = postings.setdefault(name, {})
            for term in terms:
                numbers = known.get(term)
                if numbers is None:
                    known[term] = [number]
                else:
                    numbers.append(number)
    return _segment([blob_id for blob_id, _ in documents], postings)


def merge_segments(segments: Sequence[Segment], dead: Set[int] = frozenset()) -> Segment:
    """Return one segment with the contents of several, without those in `dead` and their words."""
    documents: list[int] = []
    postings: dict[Field, dict[bytes, list[int]]] = {}
    for segment in segments:
        places: list[int] = []  # the new number of each content, -1 for the dead
        for blob_id in segment.documents:
            places.append(-1 if blob_id in dead else len(documents))
            if places[-1] >= 0:
                documents.append(blob_id)
        for name, index in segment.fields.items():
            _add_postings(postings.setdefault(name, {}), index, places, has_dead=-1 in places)
    return _segment(documents, postings)


def find_part(index: FieldIndex, part: bytes, document_count: int) -> set[int]:
    """Return the numbers of the contents that have a term with `part` in it.

    A line feed before or behind `part` asks for terms that begin or end with it.
    """
    words = index.words
    at = words.find(part)
    found: set[int] = set()
    if at < 0:
        return found
    starts, numbers = _parse_postings(index.postings)
    ordinal, counted = -1, 0
    at += part.startswith(b"\n")
    while at >= 0:
        ordinal += words.count(b"\n", counted, at)
        found.update(numbers[starts[ordinal] : starts[ordinal + 1]])
        if len(found) == document_count:
            break
        counted = at
        at = words.find(part, words.find(b"\n", at))
        if at >= 0:
            at += part.startswith(b"\n")
    return found


def pack_documents(documents: Sequence[int]) -> bytes:
    """Return ids as 8 octets each."""
    return _octets(array("q", documents))


def unpack_documents(data: bytes) -> "array[int]":
    """Return ids from octets."""
    return _numbers("q", data)


def _segment(documents: list[int], postings: Mapping[Field, Mapping[bytes, Sequence[int]]]) -> Segment:
    assert len(documents) <= MAX_DOCUMENTS
    return Segment(documents, {name: _pack(terms) for name, terms in postings.items() if terms})


def _pack(terms: Mapping[bytes, Sequence[int]]) -> FieldIndex:
    starts, numbers = array("I", [0]), array("H")
    for each in terms.values():
        numbers.extend(each)
        starts.append(len(numbers))
    count = len(terms).to_bytes(_COUNT_BYTES, "little")
    return FieldIndex(b"\n%b\n" % b"\n".join(terms), count + _octets(starts) + _octets(numbers))


def _parse_postings(data: bytes) -> tuple["array[int]", "array[int]"]:
    """Return where each term's numbers start (and one more), and the numbers."""
    end = _COUNT_BYTES + 4 * (int.from_bytes(data[:_COUNT_BYTES], "little") + 1)
    return _numbers("I", data[_COUNT_BYTES:end]), _numbers("H", data[end:])


def _add_postings(
    known: dict[bytes, list[int]], index: FieldIndex, places: Sequence[int], *, has_dead: bool
) -> None:
    starts, numbers = _parse_postings(index.postings)
    moved: Iterable[int] = map(places.__getitem__, numbers)
    all_moved = list(moved)
    for ordinal, term in enumerate(index.words[1:-1].split(b"\n")):
        kept = all_moved[starts[ordinal] : starts[ordinal + 1]]
        if has_dead:
            kept = [number for number in kept if number >= 0]
        if not kept:
            continue
        before = known.get(term)
        if before is None:
            known[term] = kept
        else:
            before += kept


def _octets(numbers: "array[int]") -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _numbers(kind: str, data: bytes) -> "array[int]":
    numbers = array(kind, data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
