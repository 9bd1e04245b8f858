"""DATA and BDAT: exact octets, smuggling, bounds."""

import pytest

from freehold.protocols.smtp.events import (
    BdatEnd,
    BdatStarted,
    MessageChunk,
    MessageEnd,
    MessageRefused,
    ProtocolError,
    Quit,
    Refused,
)
from freehold.protocols.smtp.options import ServerOptions
from freehold.protocols.smtp.reply import Reply
from freehold.protocols.smtp.server import ServerConnection
from freehold.protocols.smtp.states import State
from tests.protocols.smtp.dialogue import ENVELOPE, OPTIONS, content, converse, replies

DATA = ENVELOPE + b"DATA\r\n"
LMTP = ServerOptions("mx.example", lmtp=True)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b"..a\r\n..\r\n...\r\n.\r\n", b".a\r\n.\r\n..\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"a.\r\n.\r\n", b"a.\r\n"),
        (b"a\r\n\r\n\r\n.\r\n", b"a\r\n\r\n\r\n"),
        (b"\x00\xff\r\n.\r\n", b"\x00\xff\r\n"),
    ],
)
def test_content_is_kept_exactly_with_dots_unstuffed(sent: bytes, kept: bytes) -> None:
    for cuts in (range(0), range(1, len(DATA + sent))):
        events, _ = converse(DATA + sent + b"QUIT\r\n", cuts=cuts)
        assert content(events) == kept
        assert events[-2:] == [MessageEnd(len(kept)), Quit()]


@pytest.mark.parametrize(
    "smuggled",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\r\n.\r\r\n",
        b"\r\r\n.\r\r\n",
        b"\n\n",
        b"\r",
        b"\n",
    ],
)
def test_a_line_end_that_is_not_crlf_never_ends_data_and_refuses_the_message(smuggled: bytes) -> None:
    message = b"Subject: a\r\n\r\nb" + smuggled + b"MAIL FROM:<evil@b.example>\r\n"
    for cuts in (range(0), range(1, len(DATA + message) + 4)):
        events, sent = converse(DATA + message + b".\r\nQUIT\r\n", cuts=cuts)
        refusal = Reply.of(550, "5.6.0", "CR and LF must form CRLF")
        assert events[-2:] == [MessageRefused(refusal), Quit()]
        assert content(events).startswith(b"Subject: a\r\n\r\nb")
        assert b"evil" not in content(events)
        assert sent.count(b"\r\n550 5.6.0") == 1


def test_a_bare_line_end_as_the_first_octet_is_refused() -> None:
    for first in (b"\n", b"\r", b"\n.\r\n", b".\n", b".\r\r\n"):
        events, _ = converse(DATA + first + b"a\r\n.\r\n")
        assert isinstance(events[-1], MessageRefused)


def test_after_a_refused_message_the_next_one_is_welcome() -> None:
    codes = replies(DATA + b"a\nb\r\n.\r\nMAIL FROM:<a@b.example>\r\n")
    assert codes[-2:] == ["550 5.6.0", "250 2.1.0"]


def test_content_of_the_largest_size_is_taken_and_one_octet_more_is_refused_after_all_was_read() -> None:
    fits = b"x" * 998 + b"\r\n"
    assert content(converse(DATA + fits + b".\r\n")[0]) == fits
    events, _ = converse(DATA + b"x" + fits + b".\r\nQUIT\r\n")
    assert events[-2:] == [MessageRefused(Reply.of(552, "5.3.4", "Message exceeds the size limit")), Quit()]
    assert len(content(events)) == 1000


def test_stuffed_dots_do_not_count_as_size() -> None:
    events, _ = converse(DATA + b"..\r\n" * 333 + b".\r\n")
    assert events[-1] == MessageEnd(999)


def test_a_client_that_never_ends_an_oversized_message_is_cut_off() -> None:
    events, sent = converse(DATA + b"x" * 2001)
    assert isinstance(events[-1], ProtocolError)
    assert events[-1].reply.code == 552
    assert sent.endswith(b"552 5.3.4 Message exceeds the size limit\r\n")


def test_the_excess_that_is_read_is_bounded() -> None:
    assert ServerOptions("a", max_message_bytes=50 << 20).discard_bound_bytes == 100 << 20
    assert ServerOptions("a", max_message_bytes=500 << 20).discard_bound_bytes == 600 << 20


def test_bdat_keeps_octets_and_counts_them() -> None:
    events, sent = converse(ENVELOPE + b"BDAT 6\r\na\r\n.\r\nBDAT 0\r\nBDAT 3 last\r\n..aQUIT\r\n")
    assert [event for event in events[3:] if not isinstance(event, MessageChunk)] == [
        BdatStarted(6, last=False),
        BdatEnd(6),
        BdatStarted(0, last=False),
        BdatEnd(0),
        BdatStarted(3, last=True),
        MessageEnd(9),
        Quit(),
    ]
    assert content(events) == b"a\r\n.\r\n..a"
    assert sent.endswith(b"250 2.0.0 OK\r\n" * 3 + b"221 2.0.0 Goodbye\r\n")


def test_an_empty_last_bdat_ends_the_message() -> None:
    events, _ = converse(ENVELOPE + b"BDAT 3\r\na\r\nBDAT 0 LAST\r\n")
    assert events[-1] == MessageEnd(3)


def test_crlf_may_be_cut_between_two_bdat() -> None:
    events, _ = converse(ENVELOPE + b"BDAT 2\r\na\rBDAT 1 LAST\r\n\n")
    assert events[-1] == MessageEnd(3)
    assert content(events) == b"a\r\n"


@pytest.mark.parametrize(
    "chunks", [b"BDAT 2 LAST\r\na\r", b"BDAT 3 LAST\r\na\nb", b"BDAT 2\r\na\rBDAT 1 LAST\r\nb"]
)
def test_bare_line_ends_are_refused_in_bdat_too(chunks: bytes) -> None:
    assert replies(ENVELOPE + chunks + b"MAIL FROM:<>\r\n")[-2:] == ["550 5.6.0", "250 2.1.0"]


def test_octets_after_a_failed_bdat_are_consumed_and_reset_helps() -> None:
    codes = replies(
        ENVELOPE + b"BDAT 3\r\na\nbBDAT 6 LAST\r\nQUIT\r\nMAIL FROM:<>\r\nRSET\r\nMAIL FROM:<>\r\n"
    )
    assert codes[-5:] == ["550 5.6.0", "503 5.5.1", "503 5.5.1", "250 2.0.0", "250 2.1.0"]


def test_octets_of_a_bdat_out_of_order_are_not_read_as_commands() -> None:
    assert replies(b"BDAT 6\r\nQUIT\r\nNOOP\r\n") == ["503 5.5.1", "250 2.0.0"]
    assert replies(b"HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")[-2:] == [
        "502 5.5.1",
        "250 2.0.0",
    ]


def test_data_and_bdat_do_not_mix() -> None:
    assert replies(ENVELOPE + b"BDAT 3\r\na\r\nDATA\r\nBDAT 0 LAST\r\n")[-3:] == [
        "250 2.0.0",
        "503 5.5.1",
        "250 2.0.0",
    ]


@pytest.mark.parametrize("argument", [b"", b"x", b"-1", b"1 LAST x", b"99999999999999999999", b"2001"])
def test_a_bdat_that_cannot_be_framed_ends_the_connection(argument: bytes) -> None:
    for before in (ENVELOPE, b""):
        events, _ = converse(before + b"BDAT " + argument + b"\r\nQUIT\r\n")
        assert isinstance(events[-1], ProtocolError)


def test_many_bdat_together_are_bounded() -> None:
    events, _ = converse(ENVELOPE + b"BDAT 900\r\n" + b"x" * 900 + b"BDAT 1101\r\n")
    assert isinstance(events[-1], ProtocolError)


def test_a_bdat_refused_by_the_session_spoils_the_transaction() -> None:
    connection = ServerConnection(OPTIONS)
    connection.greet()
    connection.receive(ENVELOPE + b"BDAT 1\r\naBDAT 1 LAST\r\nb")
    for _ in range(3):
        connection.next_event()
        connection.accept()
    assert connection.next_event() == BdatStarted(1, last=False)
    assert connection.next_event() == MessageChunk(b"a")
    assert connection.next_event() == BdatEnd(1)
    connection.reply(Reply.of(452, "4.3.1", "Disk full"))
    assert connection.state is State.BDAT_FAILED
    assert connection.next_event() == Refused(Reply.of(503, "5.5.1", "Bad sequence of commands"))


def lmtp_connection_after_content(message: bytes) -> ServerConnection:
    connection = ServerConnection(LMTP)
    connection.greet()
    connection.receive(
        b"LHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n"
    )
    for _ in range(5):
        connection.next_event()
        connection.accept()
    connection.bytes_to_send()
    connection.receive(message)
    return connection


def test_lmtp_answers_for_each_recipient() -> None:
    connection = lmtp_connection_after_content(b".\r\n")
    assert connection.next_event() == MessageEnd(0)
    with pytest.raises(RuntimeError):
        connection.reply_each([Reply.of(250, "2.1.5", "OK")])
    connection.reply_each([Reply.of(250, "2.1.5", "OK"), Reply.of(452, "4.2.2", "Full")])
    assert connection.bytes_to_send() == b"250 2.1.5 OK\r\n452 4.2.2 Full\r\n"
    assert connection.state is State.READY


def test_lmtp_refuses_bad_content_once_for_each_recipient() -> None:
    connection = lmtp_connection_after_content(b"a\nb\r\n.\r\n")
    assert connection.next_event() == MessageChunk(b"a")
    assert isinstance(connection.next_event(), MessageRefused)
    assert connection.bytes_to_send() == b"550 5.6.0 CR and LF must form CRLF\r\n" * 2


def test_lmtp_knows_no_ehlo_and_says_so_in_its_greeting() -> None:
    assert converse(b"EHLO a\r\n", LMTP)[1] == b"220 mx.example LMTP\r\n500 5.5.1 Command not recognised\r\n"
