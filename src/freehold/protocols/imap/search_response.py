"""SEARCH, SORT and ESEARCH responses as octets, in pieces of bounded size (RFC 9051 §7.3.4, RFC 5256 §4)."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from freehold.protocols.imap.search_return import ReturnOptions, SearchReturn
from freehold.protocols.imap.sequence_set import format_number_ranges, format_numbers
from freehold.protocols.imap.wire_string import quote_string

NUMBERS_PER_CHUNK = 4096
"""How many numbers or ranges are written at a time."""


def search_chunks(
    numbers: Iterable[int], mod_sequence: int | None = None, *, name: bytes = b"SEARCH"
) -> Iterator[bytes]:
    """Write one SEARCH response (RFC 3501 §7.2.5), or SORT, which has the same form."""
    yield b"* " + name
    iterator = iter(numbers)
    while chunk := tuple(islice(iterator, NUMBERS_PER_CHUNK)):
        yield b" %d" * len(chunk) % chunk
    yield b"\r\n" if mod_sequence is None else b" (MODSEQ %d)\r\n" % mod_sequence


def esearch_chunks(
    tag: bytes,
    numbers: Sequence[int],
    returns: ReturnOptions,
    *,
    uid: bool,
    mod_sequence: int | None = None,
) -> Iterator[bytes]:
    """Write one ESEARCH response; `numbers` are ascending, or in the order of a SORT (RFC 5267 §3.1)."""
    yield _head(tag, uid=uid)
    if numbers:
        if SearchReturn.MIN in returns.told:
            yield b" MIN %d" % numbers[0]
        if SearchReturn.MAX in returns.told:
            yield b" MAX %d" % numbers[-1]
    if SearchReturn.COUNT in returns.told:
        yield b" COUNT %d" % len(numbers)
    if numbers and SearchReturn.ALL in returns.told:
        yield b" ALL "
        yield from _set_chunks(numbers)
    if returns.partial is not None:
        page = returns.partial.indexes(len(numbers))
        yield b" PARTIAL (%b " % returns.partial.to_bytes()
        yield from _set_chunks(numbers[page.start : page.stop]) if page else (b"NIL",)
        yield b")"
    if mod_sequence is not None and numbers:
        yield b" MODSEQ %d" % mod_sequence
    yield b"\r\n"


def added_to(tag: bytes, entries: Iterable[tuple[int, Sequence[int]]], *, uid: bool) -> Iterator[bytes]:
    """Write what came into a result: positions and numbers (RFC 5267 §4.3.3); position 0 says "in order"."""
    return _change_chunks(tag, b"ADDTO", entries, uid=uid)


def removed_from(tag: bytes, entries: Iterable[tuple[int, Sequence[int]]], *, uid: bool) -> Iterator[bytes]:
    """Write what left a result (RFC 5267 §4.3.4)."""
    return _change_chunks(tag, b"REMOVEFROM", entries, uid=uid)


def _change_chunks(
    tag: bytes, name: bytes, entries: Iterable[tuple[int, Sequence[int]]], *, uid: bool
) -> Iterator[bytes]:
    """Write one response for each chunk of entries."""
    iterator = iter(entries)
    while chunk := list(islice(iterator, NUMBERS_PER_CHUNK)):
        members = b" ".join(b"%d %b" % (position, format_numbers(numbers)) for position, numbers in chunk)
        yield b"%b %b (%b)\r\n" % (_head(tag, uid=uid), name, members)


def _head(tag: bytes, *, uid: bool) -> bytes:
    return b"* ESEARCH (TAG %b)%b" % (quote_string(tag), b" UID" if uid else b"")


def _set_chunks(numbers: Sequence[int]) -> Iterator[bytes]:
    ranges = format_number_ranges(numbers)
    separator = b""
    while chunk := b",".join(islice(ranges, NUMBERS_PER_CHUNK)):
        yield separator + chunk
        separator = b","
