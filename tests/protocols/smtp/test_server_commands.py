"""Commands, their order and their bounds."""

import tracemalloc

import pytest

from freehold.protocols.smtp.address import POSTMASTER, EmailAddress
from freehold.protocols.smtp.events import NEED_DATA, Hello, Mail, Quit, Rcpt, Refused, StartTls
from freehold.protocols.smtp.options import ServerOptions
from freehold.protocols.smtp.reply import Reply
from freehold.protocols.smtp.server import ServerConnection
from freehold.protocols.smtp.states import State
from tests.protocols.smtp.dialogue import ENVELOPE, OPTIONS, converse, replies

EHLO = b"EHLO c.example\r\n"


def test_a_whole_dialogue_is_answered_literally() -> None:
    _, sent = converse(ENVELOPE + b"DATA\r\nHi\r\n.\r\nQUIT\r\n")
    assert sent == (
        b"220 mx.example ESMTP\r\n"
        b"250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
        b"250-CHUNKING\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n"
        b"250 2.1.0 Sender OK\r\n250 2.1.5 Recipient OK\r\n"
        b"354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 OK\r\n221 2.0.0 Goodbye\r\n"
    )


def test_helo_is_answered_with_the_host_name_alone() -> None:
    assert converse(b"HELO c.example\r\n")[1] == b"220 mx.example ESMTP\r\n250 mx.example\r\n"


def test_verbs_are_read_in_any_case() -> None:
    events, _ = converse(b"ehlo C.Example\r\nmail from:<>\r\nrcpt to:<PostMaster>\r\nquit\r\n")
    assert events[0] == Hello("c.example", extended=True)
    assert isinstance(events[1], Mail)
    assert isinstance(events[2], Rcpt)
    assert (events[1].reverse_path, events[2].forward_path) == (None, POSTMASTER)
    assert events[3] == Quit()


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"MAIL FROM:<a@b.example>\r\n", "503 5.5.1"),
        (EHLO + b"RCPT TO:<a@b.example>\r\n", "503 5.5.1"),
        (EHLO + b"DATA\r\n", "503 5.5.1"),
        (EHLO + b"MAIL FROM:<a@b.example>\r\nDATA\r\n", "503 5.5.1"),
        (EHLO + b"MAIL FROM:<a@b.example>\r\nMAIL FROM:<a@b.example>\r\n", "503 5.5.1"),
        (ENVELOPE + b"RSET\r\nRCPT TO:<a@b.example>\r\n", "503 5.5.1"),
        (ENVELOPE + b"EHLO c.example\r\nDATA\r\n", "503 5.5.1"),
        (b"STARTTLS\r\n", "503 5.5.1"),
        (ENVELOPE + b"STARTTLS\r\n", "503 5.5.1"),
        (b"LHLO c.example\r\n", "500 5.5.1"),
        (b"WIZ\r\n", "500 5.5.1"),
        (b"\r\n", "500 5.5.1"),
        (b"EXPN staff\r\n", "502 5.5.1"),
        (b"VRFY root\r\n", "252 2.0.0"),
        (b"NOOP whatever\r\n", "250 2.0.0"),
        (b"HELP\r\n", "214 2.0.0"),
        (b"QUIT now\r\n", "501 5.5.4"),
        (EHLO + b"AUTH PLAIN\r\n", "502 5.5.1"),
        (EHLO + b"MAIL FROM:<a@b.example> SIZE=1001\r\n", "552 5.3.4"),
        (b"HELO c.example\r\nMAIL FROM:<a@b.example> SIZE=1\r\n", "555 5.5.4"),
        (EHLO + b"MAIL FROM:<a@b.example> FOO=1\r\n", "555 5.5.4"),
        (EHLO + b"MAIL a@b.example\r\n", "501 5.5.4"),
        (EHLO + b"MAIL FROM:a@b.example\r\n", "501 5.1.7"),
        (EHLO + b"MAIL FROM:<postmaster>\r\n", "501 5.1.7"),
        (EHLO + b"MAIL FROM:<>\r\nRCPT TO:<>\r\n", "501 5.1.3"),
        (EHLO + b"MAIL FROM:<>\r\nRCPT TO:<a@b..c>\r\n", "501 5.1.3"),
    ],
)
def test_a_command_gets_its_code(stream: bytes, expected: str) -> None:
    assert replies(stream)[-1] == expected


@pytest.mark.parametrize(
    "name",
    [
        b"",
        b"a b",
        b"a_b.example",
        b"-a.example",
        b"a..b",
        b"a.example.",
        b"192.0.2.1",
        b"[192.0.2.256]",
        b"[1]",
        b"<x>",
    ],
)
def test_a_bad_hello_name_is_refused(name: bytes) -> None:
    assert replies(b"EHLO " + name + b"\r\n") == ["501 5.5.4"]


@pytest.mark.parametrize(
    "line", [b"NOOP \x00", b"NOOP \x7f", b"NOOP\ta", b"NO\rOP", b"MAIL FROM:<a\xc2\x85@b>", b"\xff"]
)
def test_control_characters_and_junk_are_refused(line: bytes) -> None:
    assert replies(EHLO + line + b"\r\n")[-1] == "500 5.5.2"


def test_utf8_is_taken_only_after_smtputf8() -> None:
    mail = "MAIL FROM:<jörg@bücher.example>".encode()
    assert replies(EHLO + mail + b"\r\n")[-1] == "553 5.6.7"
    assert replies(EHLO + b"MAIL FROM:<>\r\n" + "RCPT TO:<jörg@b.example>\r\n".encode())[-1] == "553 5.6.7"
    events, _ = converse(EHLO + mail + b" SMTPUTF8\r\n" + "RCPT TO:<ü@b.example>\r\n".encode())
    assert isinstance(events[1], Mail)
    assert events[1].reverse_path == EmailAddress("jörg", "bücher.example")
    assert isinstance(events[2], Rcpt)
    assert replies("VRFY jörg\r\n".encode()) == ["500 5.5.2"]


def test_a_line_ended_by_lf_alone_is_refused() -> None:
    assert replies(b"NOOP\nNOOP\r\n") == ["500 5.5.2", "250 2.0.0"]


def test_a_line_of_the_longest_length_is_read_and_one_more_octet_refused_once() -> None:
    longest = b"NOOP " + b"x" * 2041 + b"\r\n"
    assert replies(longest + b"NOOP\r\n") == ["250 2.0.0", "250 2.0.0"]
    assert replies(b"x" + longest + b"NOOP\r\n") == ["500 5.5.2", "250 2.0.0"]


def test_an_endless_line_takes_no_memory_and_one_refusal() -> None:
    connection = ServerConnection(OPTIONS)
    connection.greet()
    piece = b"x" * 65536
    events = []
    tracemalloc.start()
    try:
        for _ in range(200):
            connection.receive(piece)
            events.append(connection.next_event())
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert used < 20_000
    assert [event for event in events if event is not NEED_DATA] == [
        Refused(Reply.of(500, "5.5.2", "Line too long"))
    ]
    connection.receive(b"\r\nQUIT\r\n")
    assert connection.next_event() == Quit()


def test_an_idle_connection_takes_less_than_two_kib() -> None:
    def introduce() -> ServerConnection:
        connection = ServerConnection(OPTIONS)
        connection.greet()
        connection.receive(EHLO)
        connection.next_event()
        connection.accept()
        connection.bytes_to_send()
        return connection

    introduce()
    tracemalloc.start()
    try:
        connections = [introduce() for _ in range(100)]
        used = tracemalloc.get_traced_memory()[0] / len(connections)
    finally:
        tracemalloc.stop()
    assert used < 2048


def test_plaintext_sent_ahead_of_the_handshake_is_forgotten() -> None:
    connection = ServerConnection(OPTIONS)
    connection.greet()
    connection.receive(EHLO + b"STARTTLS\r\nMAIL FROM:<evil@b.example>\r\n")
    connection.next_event()
    connection.accept()
    assert connection.next_event() == StartTls()
    early = [connection.has_early_bytes]
    connection.accept()
    assert [*early, connection.has_early_bytes] == [True, False]
    connection.receive(b"RSET\r\n")
    assert connection.next_event() is NEED_DATA
    connection.bytes_to_send()
    connection.tls_started()
    assert connection.next_event() is NEED_DATA
    assert connection.state is State.START
    connection.receive(b"MAIL FROM:<a@b.example>\r\n")
    assert isinstance(connection.next_event(), Refused)
    assert connection.bytes_to_send() == b"503 5.5.1 Bad sequence of commands\r\n"


def test_starttls_is_not_offered_again_after_tls() -> None:
    _, sent = converse(EHLO + b"STARTTLS\r\n")
    assert sent.endswith(b"250 STARTTLS\r\n220 2.0.0 Ready to start TLS\r\n")
    assert replies(EHLO, ServerOptions("mx.example", starttls=True, tls=True))[-1] == "250 ENHAN"
    assert (
        replies(EHLO + b"STARTTLS\r\n", ServerOptions("mx.example", starttls=True, tls=True))[-1]
        == "503 5.5.1"
    )
    assert replies(EHLO + b"STARTTLS\r\n", ServerOptions("mx.example"))[-1] == "502 5.5.1"


def test_nothing_is_read_before_the_greeting_and_early_bytes_show() -> None:
    connection = ServerConnection(OPTIONS)
    connection.receive(b"QUIT\r\n")
    assert connection.next_event() is NEED_DATA
    assert connection.has_early_bytes
    connection.greet(Reply.of(554, "5.7.1", "No mail from you"))
    assert connection.next_event() == Quit()
    assert connection.bytes_to_send() == b"554 5.7.1 No mail from you\r\n221 2.0.0 Goodbye\r\n"


def test_a_client_turned_away_can_only_quit() -> None:
    connection = ServerConnection(OPTIONS)
    connection.greet(Reply.of(554, None, "No"))
    connection.receive(EHLO)
    assert connection.next_event() == Refused(Reply.of(503, "5.5.1", "Bad sequence of commands"))


def test_an_event_that_waits_must_be_answered_first() -> None:
    connection = ServerConnection(OPTIONS)
    connection.greet()
    connection.receive(EHLO + EHLO)
    connection.next_event()
    with pytest.raises(RuntimeError, match="Hello waits"):
        connection.next_event()


def test_a_refused_recipient_does_not_open_the_way_to_data() -> None:
    connection = ServerConnection(OPTIONS)
    connection.greet()
    connection.receive(ENVELOPE + b"DATA\r\n")
    for reply in (None, None, Reply.of(550, "5.1.1", "Unknown")):
        connection.next_event()
        connection.reply(reply) if reply else connection.accept()
    assert connection.next_event() == Refused(Reply.of(503, "5.5.1", "No valid recipients"))


def test_after_close_nothing_is_read() -> None:
    connection = ServerConnection(OPTIONS)
    connection.greet()
    connection.close(Reply.of(421, "4.3.2", "Going down"))
    connection.receive(EHLO)
    assert connection.next_event() is NEED_DATA
    assert connection.bytes_to_send().endswith(b"421 4.3.2 Going down\r\n")
