"""Whatever the octets and however they are cut: the same events, and no exception but ProtocolError."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.fuzz_imap import check

CORPUS = sorted((Path(__file__).parents[2] / "fuzz" / "corpus" / "imap").iterdir())

WORDS = (
    b"a", b"*",
    b"NOOP", b"LOGIN", b"AUTHENTICATE", b"PLAIN", b"AGEAYg==", b"IDLE", b"DONE", b"SELECT", b"inbox",
    b"UID", b"FETCH",
    b"STORE", b"+FLAGS", b"SORT", b"(REVERSE DATE TO)", b"THREAD", b"REFS", b"$", b"PARTIAL", b"-1:-9",
    b"SEARCH", b"OR", b"NOT", b"TEXT", b"CHARSET", b"utf-8", b"RETURN",
    b"LIST", b"STATUS",
    b"GETMETADATA", b"SETMETADATA", b"/private/x", b"DEPTH", b"GETQUOTAROOT", b"SETQUOTA", b"STORAGE",
    b"EMAILID", b"SAVEDON", b"PREVIEW", b"LAZY", b"SETACL", b"GETACL", b"LISTRIGHTS", b"anyone", b"+lrs",
    b"MESSAGES", b"APPEND", b"full", b"later", b"CREATE", b"USE", b"\\Sent", b"\\Seen", b"ID",
    b"BODY[",
    b"BODY.PEEK[1.TEXT]<0.5>", b"HEADER.FIELDS", b"]", b"QRESYNC", b"CONDSTORE", b"1:*", b"1,3:5", b"0",
    b"(", b")", b'"', b'"x"', b"\\", b"NIL", b"{3}\r\n", b"{3+}\r\n", b"{0+}\r\n", b"{99+}\r\n", b"{199}\r\n",
    b"{401+}\r\n", b"{501+}\r\n", b"abc", b"\r\n", b"\n", b"\r", b" ", b"&AOQ-", b"1-Feb-2026",
    b'" 1-Feb-2026 12:00:00 +0100"', b"\xc3\xa4", b"\x00", b"x" * 120, b"%", b"~{3+}\r\n",
)  # fmt: skip


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: str(path.name))
def test_the_corpus_gives_the_same_events_however_it_is_cut(path: Path) -> None:
    check(path.read_bytes())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(b" ".join))
def test_words_of_the_grammar_give_the_same_events_however_they_are_cut(data: bytes) -> None:
    check(data)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(b"".join))
def test_words_without_spaces_give_the_same_events_however_they_are_cut(data: bytes) -> None:
    check(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_random_octets_raise_nothing_but_a_protocol_error(data: bytes) -> None:
    check(data)
