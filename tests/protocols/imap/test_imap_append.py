"""APPEND in all its forms, and REPLACE: literal octets in, events out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.imap.any_state import Noop
from freehold.protocols.imap.connection import ServerConnection
from freehold.protocols.imap.errors import ProtocolError, Status
from freehold.protocols.imap.events import (
    AppendFinished,
    AppendMessageEnd,
    AppendStarted,
    BadCommand,
    CatenateText,
    CatenateUrl,
    LiteralChunk,
    Replaced,
)
from freehold.protocols.imap.limits import MAX_CATENATE_PARTS, MEMBER_LIMITS, Limits
from freehold.protocols.imap.sequence_set import SequenceSet
from freehold.protocols.imap.states import State
from tests.fuzz.fuzz_imap import check
from tests.protocols.imap.events import pull

DONE = [AppendMessageEnd(), AppendFinished(b"a")]


def member(limits: Limits = MEMBER_LIMITS, state: State = State.SELECTED) -> ServerConnection:
    return ServerConnection(limits, state)


def test_a_literal8_may_hold_nul() -> None:
    assert pull(member(), b"a APPEND x (\\Seen) ~{3+}\r\na\0b\r\n") == [
        AppendStarted(b"a", "x", ("\\Seen",), None, 3, 1, binary=True),
        LiteralChunk(b"a\0b"),
        *DONE,
    ]


def test_nul_in_a_plain_literal_ends_the_command() -> None:
    events = pull(member(), b"a APPEND x {5+}\r\nab\0cd {2+}\r\nee\r\nb NOOP\r\n")
    assert events == [
        AppendStarted(b"a", "x", (), None, 5, 1),
        LiteralChunk(b"ab"),
        BadCommand(b"a", "APPEND: NUL in a literal; send a literal8", Status.BAD, None, b"APPEND"),
        Noop(b"b"),
    ]


@pytest.mark.parametrize("marker", [b"~{4294967296}", b"~{4294967296+}", b"{4294967296}"])
def test_a_literal_beyond_32_bits_is_refused_before_it_comes(marker: bytes) -> None:
    connection = member()
    connection.receive(b"a APPEND x " + marker + b"\r\n")
    if b"+" in marker:
        with pytest.raises(ProtocolError):
            connection.next_event()
        return
    too_big = BadCommand(b"a", "APPEND: message too big", Status.NO, b"TOOBIG", b"APPEND")
    assert connection.next_event() == too_big


def test_the_largest_literal8_is_offered_and_costs_nothing_when_refused() -> None:
    connection = member()
    connection.receive(b"a APPEND x ~{4294967295}\r\n")
    assert connection.next_event() == AppendStarted(b"a", "x", (), None, 4_294_967_295, 1, binary=True)
    connection.refuse("too large", b"TOOBIG")
    assert connection.bytes_to_send() == b"a NO [TOOBIG] too large\r\n"
    assert pull(connection, b"b NOOP\r\n") == [Noop(b"b")]


def test_a_message_is_put_together_from_texts_and_urls() -> None:
    data = b'a APPEND x (\\Seen) CATENATE (URL "/y/;UID=1" TEXT {2+}\r\nhi URL ab TEXT ~{1+}\r\n\0)\r\n'
    assert pull(member(), data) == [
        AppendStarted(b"a", "x", ("\\Seen",), None, None, 1),
        CatenateUrl(b"/y/;UID=1"),
        CatenateText(2, binary=False),
        LiteralChunk(b"hi"),
        CatenateUrl(b"ab"),
        CatenateText(1, binary=True),
        LiteralChunk(b"\0"),
        *DONE,
    ]


def test_a_url_and_the_mailbox_may_be_literals_which_are_asked_for_one_by_one() -> None:
    connection = member()
    assert pull(connection, b"a APPEND {1}\r\n") == []
    assert connection.bytes_to_send() == b"+ go on\r\n"
    assert pull(connection, b"x CATENATE (URL {2}\r\n") == [AppendStarted(b"a", "x", (), None, None, 1)]
    assert connection.bytes_to_send() == b"+ go on\r\n"
    assert pull(connection, b"ab TEXT {1}\r\n") == [CatenateUrl(b"ab"), CatenateText(1, binary=False)]
    assert connection.bytes_to_send() == b"+ go on\r\n"
    assert pull(connection, b"z)\r\n") == [LiteralChunk(b"z"), *DONE]


def test_whole_and_composed_messages_go_with_one_command() -> None:
    data = b"a APPEND x CATENATE (URL a) (\\Answered) {1+}\r\nb CATENATE (TEXT {1+}\r\nc)\r\n"
    assert pull(member(), data) == [
        AppendStarted(b"a", "x", (), None, None, 1),
        CatenateUrl(b"a"),
        AppendMessageEnd(),
        AppendStarted(b"a", "x", ("\\Answered",), None, 1, 2),
        LiteralChunk(b"b"),
        AppendMessageEnd(),
        AppendStarted(b"a", "x", (), None, None, 3),
        CatenateText(1, binary=False),
        LiteralChunk(b"c"),
        *DONE,
    ]


def test_an_append_without_a_literal_can_be_refused_when_all_of_it_is_there() -> None:
    connection = member()
    connection.receive(b"a APPEND x CATENATE (URL a URL b)\r\nb NOOP\r\n")
    assert isinstance(connection.next_event(), AppendStarted)
    assert connection.next_event() == CatenateUrl(b"a")
    connection.refuse("no such message", b"BADURL a")
    assert connection.bytes_to_send() == b"a NO [BADURL a] no such message\r\n"
    assert connection.next_event() == Noop(b"b")


def test_parts_behind_a_refused_one_are_skipped() -> None:
    connection = member()
    connection.receive(b"a APPEND x CATENATE (URL a TEXT {3+}\r\nabc URL b TEXT {4}\r\n")
    assert isinstance(connection.next_event(), AppendStarted)
    assert connection.next_event() == CatenateUrl(b"a")
    connection.refuse("no such message")
    assert pull(connection, b"b NOOP\r\n") == [Noop(b"b")]
    assert connection.bytes_to_send() == b"a NO no such message\r\n"


def test_a_message_with_utf_8_headers_is_a_literal8_in_parentheses() -> None:
    data = b"a APPEND x (\\Seen) UTF8 (~{2+}\r\nhi)\r\n"
    assert pull(member(), data) == [
        AppendStarted(b"a", "x", ("\\Seen",), None, 2, 1, binary=True),
        LiteralChunk(b"hi"),
        *DONE,
    ]


@pytest.mark.parametrize(
    ("command", "replaced"),
    [
        (b"a REPLACE 4 x", Replaced(SequenceSet.parse(b"4"), uid=False)),
        (b"a replace * x", Replaced(SequenceSet.parse(b"*"), uid=False)),
        (b"a UID REPLACE 4000000000 x", Replaced(SequenceSet.parse(b"4000000000"), uid=True)),
        (b"a UID REPLACE 7 {1+}\r\nx", Replaced(SequenceSet.parse(b"7"), uid=True)),
    ],
)
def test_replace_names_one_message_and_brings_another(command: bytes, replaced: Replaced) -> None:
    started, *rest = pull(member(), command + b" (\\Draft) {2+}\r\nhi\r\n")
    assert started == AppendStarted(b"a", "x", ("\\Draft",), None, 2, 1, replaced=replaced)
    assert rest == [LiteralChunk(b"hi"), *DONE]


@pytest.mark.parametrize(
    "command",
    [
        b"a REPLACE 1:2 x {1+}\r\nA\r\n",
        b"a REPLACE 0 x {1+}\r\nA\r\n",
        b"a REPLACE x {1+}\r\nA\r\n",
        b"a REPLACE 1 x {1+}\r\nA {1+}\r\nB\r\n",
        b"a REPLACE 1 x\r\n",
        b"a APPEND x CATENATE ()\r\n",
        b"a APPEND x CATENATE (URL)\r\n",
        b"a APPEND x CATENATE (TEXT a)\r\n",
        b"a APPEND x CATENATE (FOO {1+}\r\nA)\r\n",
        b"a APPEND x CATENATE (URL a\r\n",
        b"a APPEND x CATENATE (URL a)URL b\r\n",
        b"a APPEND x CATENATE (TEXT {1+}\r\nAURL b)\r\n",
        b"a APPEND x CATENATE URL a\r\n",
        b"a APPEND x UTF8 ({1+}\r\nA)\r\n",
        b"a APPEND x UTF8 (~{1+}\r\nA\r\n",
        b"a APPEND x UTF8 ~{1+}\r\nA\r\n",
        b"a APPEND ~{1+}\r\nx {1+}\r\nA\r\n",
        b"a APPEND x (\\Seen {1+}\r\nA\r\n",
        b"a APPEND x FOO {1+}\r\nA\r\n",
        b"a APPEND x\r\n",
        b"a APPEND x (\\Seen)\r\n",
        b"a APPEND x {1+}\r\nA (\r\n",
        b"a APPEND x {1+}\r\nA{1+}\r\nB\r\n",
    ],
)
def test_what_is_malformed_ends_in_bad_and_costs_no_more_than_the_command(command: bytes) -> None:
    *_, bad, noop = pull(member(), command + b"b NOOP\r\n")
    assert isinstance(bad, BadCommand)
    assert (bad.tag, bad.status, noop) == (b"a", Status.BAD, Noop(b"b"))


def test_replace_needs_an_open_folder() -> None:
    [bad] = pull(member(state=State.AUTHENTICATED), b"a REPLACE 1 x {1}\r\n")
    assert isinstance(bad, BadCommand)
    assert bad.text == "command not allowed in this state"


def test_the_parts_of_a_message_are_bounded() -> None:
    urls = b" ".join([b"URL a"] * MAX_CATENATE_PARTS)
    assert len(pull(member(), b"a APPEND x CATENATE (" + urls + b")\r\n")) == MAX_CATENATE_PARTS + 3
    [bad] = pull(member(), b"a APPEND x CATENATE (" + urls + b" URL b)\r\n")
    assert isinstance(bad, BadCommand)
    assert bad.text == "APPEND: too many parts of a message"


WORDS = (
    b"a APPEND x", b"a REPLACE 1 full", b"a UID REPLACE 3 later", b" ", b" (\\Seen)", b" CATENATE (",
    b"URL u", b"URL bad", b"TEXT {5+}\r\nhello", b"TEXT {3+}\r\nabc", b"TEXT ~{2+}\r\na\0", b"URL {1+}\r\nu",
    b")", b" UTF8 (~{1+}\r\nx)",
    b" {2+}\r\nhi",
    b" ~{4+}\r\nn\0n\0", b" {2+}\r\n\0\0", b"\r\n", b"\r\nb NOOP\r\n", b"TEXT {2}\r\n", b"ok", b"{401+}\r\n",
)  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=30).map(b"".join))
def test_words_of_append_give_the_same_events_however_they_are_cut(data: bytes) -> None:
    check(b"a APPEND x" + data)
