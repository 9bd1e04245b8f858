"""The commands and responses of RFC 5464, octet by octet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.imap.events import BadCommand
from freehold.protocols.imap.list import ListMailboxes
from freehold.protocols.imap.metadata import Depth, GetMetadata, SetMetadata, changed_line, metadata_line
from freehold.protocols.imap.registry import parse_command
from freehold.protocols.imap.states import State


def parse(text: bytes) -> object:
    return parse_command(text, State.AUTHENTICATED)


def test_entries_are_read_alone_or_in_a_list() -> None:
    assert parse(b'a GETMETADATA "" /shared/comment') == GetMetadata(b"a", "", ("/shared/comment",))
    assert parse(b'a getmetadata INBOX (/shared/Comment "/private/a b" /shared/Comment)') == GetMetadata(
        b"a", "INBOX", ("/shared/Comment", "/private/a b")
    )


def test_options_stand_before_or_behind_the_mailbox() -> None:
    wanted = GetMetadata(b"a", "INBOX", ("/private",), Depth.INFINITY, 1024)
    assert parse(b"a GETMETADATA (MAXSIZE 1024 DEPTH infinity) INBOX /private") == wanted
    assert parse(b"a GETMETADATA INBOX (DEPTH Infinity MAXSIZE 1024) (/private)") == wanted
    assert parse(b"a GETMETADATA (DEPTH 1) INBOX ( /private )") == GetMetadata(
        b"a", "INBOX", ("/private",), Depth.ONE
    )


def test_values_are_strings_literals_or_nil() -> None:
    assert parse(
        b'a SETMETADATA INBOX (/private/a "x" /private/b {3}\r\n\r\n) /shared/c ~{2+}\r\n\0) /shared/d nil)'
    ) == SetMetadata(
        b"a",
        "INBOX",
        (("/private/a", b"x"), ("/private/b", b"\r\n)"), ("/shared/c", b"\0)"), ("/shared/d", None)),
    )


@pytest.mark.parametrize(
    "text",
    [
        b"a GETMETADATA INBOX",
        b"a GETMETADATA INBOX ()",
        b"a GETMETADATA INBOX comment",
        b"a GETMETADATA INBOX /comment",
        b"a GETMETADATA INBOX /privately/x",
        b"a GETMETADATA INBOX /private/",
        b"a GETMETADATA INBOX /private//x",
        b'a GETMETADATA INBOX "/private/*"',
        b'a GETMETADATA INBOX "/private/%"',
        b'a GETMETADATA INBOX "/private/\xc3\xa4"',
        b"a GETMETADATA INBOX /private/" + b"x" * 256,
        b"a GETMETADATA (DEPTH 2) INBOX /private",
        b"a GETMETADATA (SIZE 2) INBOX /private",
        b"a GETMETADATA (DEPTH 1) INBOX (DEPTH 1) /private",
        b"a GETMETADATA INBOX (" + b" ".join(b"/private/%d" % number for number in range(101)) + b")",
        b"a SETMETADATA INBOX ()",
        b"a SETMETADATA INBOX (/private/x)",
        b"a SETMETADATA INBOX (/private/x atom)",
        b"a SETMETADATA INBOX (/private/x {3}\r\n\0\0\0)",
        b"a SETMETADATA INBOX (/private/x ~{9}\r\nxxx)",
    ],
)
def test_what_is_malformed_is_refused(text: bytes) -> None:
    assert isinstance(parse(text), BadCommand)


def test_list_takes_entries_among_what_it_returns() -> None:
    command = parse(
        b'a LIST "" * RETURN (METADATA (/shared/a) SUBSCRIBED METADATA "/shared/b" METADATA /shared/a)'
    )
    assert isinstance(command, ListMailboxes)
    assert command.metadata == ("/shared/a", "/shared/b")
    many = b" ".join(b"METADATA /shared/%d" % number for number in range(101))
    assert isinstance(parse(b'a LIST "" * RETURN (' + many + b")"), BadCommand)


def test_responses_are_written() -> None:
    values = (("/shared/comment", b"my own"), ("/private/a b", None), ("/private/c", b"\0"))
    assert metadata_line("", values) == (
        b'* METADATA "" (/shared/comment "my own" "/private/a b" NIL /private/c ~{1}\r\n\0)\r\n'
    )
    assert metadata_line("in box", (("/private/x", b"\xc3\xa4"),)) == (
        b'* METADATA "in box" (/private/x {2}\r\n\xc3\xa4)\r\n'
    )


def test_changes_are_written_without_values() -> None:
    assert changed_line("", ["/shared/comment"]) == b'* METADATA "" /shared/comment\r\n'
    assert changed_line("in box", ["/private/a b", '/private/"', "/private/(c", "/private/nil"]) == (
        b'* METADATA "in box" "/private/a b" "/private/\\"" "/private/(c" /private/nil\r\n'
    )
    assert changed_line("ä", ["/private/x"]) == b'* METADATA "&AOQ-" /private/x\r\n'
    assert changed_line("ä", ["/private/x"], utf8=True) == '* METADATA "ä" /private/x\r\n'.encode()


@given(st.sampled_from([b"GETMETADATA", b"SETMETADATA"]), st.binary(max_size=80))
def test_whatever_the_arguments_no_other_error_is_raised(name: bytes, arguments: bytes) -> None:
    parse(b"a " + name + b" " + arguments)


WORDS = (
    b"(", b")", b"INBOX", b'""', b"/private", b"/shared/x", b"DEPTH", b"1", b"MAXSIZE", b"NIL", b'"v"',
    b"~{1}\r\n\0", b"{1}\r\nx", b"~{99999999999}\r\n",
)  # fmt: skip


@given(st.sampled_from([b"GETMETADATA", b"SETMETADATA"]), st.lists(st.sampled_from(WORDS), max_size=12))
def test_whatever_the_words_no_other_error_is_raised(name: bytes, words: list[bytes]) -> None:
    parse(b"a " + name + b" " + b" ".join(words))


@given(
    st.lists(st.from_regex(r"/shared(/[ !-$&-)+-.0-~]{1,9}){1,4}", fullmatch=True), min_size=1, unique=True)
)
def test_names_of_changed_entries_are_read_back(entries: list[str]) -> None:
    line = changed_line("INBOX", entries).removeprefix(b"* METADATA INBOX ").removesuffix(b"\r\n")
    assert parse(b"a GETMETADATA INBOX (" + line + b")") == GetMetadata(b"a", "INBOX", tuple(entries))


@given(
    st.dictionaries(st.from_regex(r"/private(/[a-z0-9 .]{1,9}){1,4}", fullmatch=True), st.binary(max_size=30))
)
def test_what_is_written_is_read_back(values: dict[str, bytes]) -> None:
    if values:
        line = metadata_line("INBOX", values.items()).removeprefix(b"* METADATA ").removesuffix(b"\r\n")
        assert parse(b"a SETMETADATA " + line) == SetMetadata(b"a", "INBOX", tuple(values.items()))
