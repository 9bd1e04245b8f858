"""Framing: lines, literals, their bounds, and the modes that a connection can be in."""

import sys

import pytest

from freehold.protocols.imap import response
from freehold.protocols.imap.any_state import Logout, Noop
from freehold.protocols.imap.authenticate import Authenticate, Login, StartTls
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.connection import ServerConnection
from freehold.protocols.imap.errors import ProtocolError, Status
from freehold.protocols.imap.events import (
    NEED_DATA,
    AppendFinished,
    AppendMessageEnd,
    AppendStarted,
    AuthAborted,
    AuthResponse,
    BadCommand,
    IdleDone,
    LiteralChunk,
)
from freehold.protocols.imap.idle import Idle
from freehold.protocols.imap.limits import Limits
from freehold.protocols.imap.mailbox import Delete
from freehold.protocols.imap.select import Close, Select
from freehold.protocols.imap.states import State
from tests.protocols.imap.events import pull


def member(limits: Limits | None = None) -> ServerConnection:
    return ServerConnection(limits or Limits(), state=State.AUTHENTICATED)


def test_pipelined_commands_come_one_by_one() -> None:
    connection = member()
    connection.receive(b"a1 NOOP\r\na2 delete x\r\na3 LOG")
    assert connection.next_event() == Noop(b"a1")
    assert connection.has_pending
    assert connection.next_event() == Delete(b"a2", "x")
    assert connection.next_event() is NEED_DATA
    assert pull(connection, b"OUT\r\n") == [Logout(b"a3")]
    assert not connection.has_pending


def test_a_line_may_end_in_lf_and_may_have_spaces_at_its_end() -> None:
    assert pull(member(), b"a NOOP\nb noop  \r\n") == [Noop(b"a"), Noop(b"b")]


def test_a_synchronising_literal_is_asked_for() -> None:
    connection = member()
    assert pull(connection, b"a DELETE {3}\r\n") == []
    assert connection.bytes_to_send() == b"+ go on\r\n"
    assert pull(connection, b"a b\r\n") == [Delete(b"a", "a b")]
    assert connection.bytes_to_send() == b""


def test_a_non_synchronising_literal_is_taken_without_a_word() -> None:
    connection = ServerConnection()
    assert pull(connection, b'a LOGIN {4+}\r\nj"\r\n {3}\r\n') == []
    assert connection.bytes_to_send() == b"+ go on\r\n"
    assert pull(connection, b"p w\r\n") == [Login(b"a", b'j"\r\n', b"p w")]


def test_continuations_wait_for_the_commands_before_them() -> None:
    connection = member()
    connection.receive(b"a NOOP\r\nb DELETE {1}\r\n")
    assert connection.next_event() == Noop(b"a")
    assert connection.bytes_to_send() == b""
    connection.send(b"a OK done\r\n")
    assert connection.next_event() is NEED_DATA
    assert connection.bytes_to_send() == b"a OK done\r\n+ go on\r\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"\r\n", b"* BAD empty command\r\n"),
        (b"+x NOOP\r\n", b"* BAD a command begins with a tag\r\n"),
        (b"a\r\n", b"a BAD expected a command\r\n"),
        (b"a XYZZY 1\r\n", b"a BAD unknown command\r\n"),
        (b"a UID NOOP\r\n", b"a BAD unknown command\r\n"),
        (b"a FETCH 1 FLAGS\r\n", b"a BAD command not allowed in this state\r\n"),
        (b"a LOGIN u p\r\n", b"a BAD command not allowed in this state\r\n"),
        (b"a NOOP now\r\n", b"a BAD NOOP: expected the end of the command at octet 8\r\n"),
        (b"a SELECT a\rb\r\n", b"a BAD SELECT: expected a space at octet 11\r\n"),
    ],
)
def test_what_cannot_be_understood_gets_a_tagged_bad(line: bytes, expected: bytes) -> None:
    connection = member()
    (event,) = pull(connection, line)
    assert isinstance(event, BadCommand)
    assert response.refusal(event) == expected
    assert pull(connection, b"z NOOP\r\n") == [Noop(b"z")]


def test_a_literal_of_an_unknown_command_is_not_asked_for() -> None:
    connection = member()
    assert pull(connection, b"a XYZZY {5}\r\nb NOOP\r\n") == [BadCommand(b"a", "unknown command"), Noop(b"b")]
    assert connection.bytes_to_send() == b""


def test_a_non_synchronising_literal_of_an_unknown_command_is_skipped_with_the_rest() -> None:
    data = b"a XYZZY {9+}\r\nx LOGOUT\r {2+}\r\n\r\n y\r\nb NOOP\r\n"
    assert pull(member(), data) == [BadCommand(b"a", "unknown command"), Noop(b"b")]


def test_a_line_over_the_limit_is_skipped_in_constant_memory() -> None:
    connection = member()
    for _ in range(100):
        assert pull(connection, b"a UID FETCH " + b"1," * 20_000) == []
        assert len(connection._inbox) <= 64 * 1024 + 40_012
    assert pull(connection, b"1\r\nb NOOP\r\n") == [BadCommand(b"a", "command line too long"), Noop(b"b")]


def test_a_long_line_that_ends_in_a_literal_takes_the_literal_with_it() -> None:
    data = b"a DELETE " + b"x" * 70_000 + b" {8+}\r\nb NOOP\r\n\r\nc NOOP\r\n"
    assert pull(member(), data) == [BadCommand(b"a", "command line too long"), Noop(b"c")]


def test_the_line_limit_holds_across_literals() -> None:
    data = b"a SEARCH " + b"TEXT {1+}\r\nx " * 8_000 + b"ALL\r\nb NOOP\r\n"
    connection = ServerConnection(state=State.SELECTED)
    assert pull(connection, data) == [BadCommand(b"a", "command line too long"), Noop(b"b")]


def test_a_line_exactly_at_the_limit_is_accepted() -> None:
    limits = Limits(line=20)
    assert pull(member(limits), b"a NOOP" + b" " * 14 + b"\r\n") == [Noop(b"a")]
    assert pull(member(limits), b"a NOOP" + b" " * 15 + b"\r\n") == [
        BadCommand(b"a", "command line too long")
    ]


def test_a_huge_synchronising_literal_is_refused() -> None:
    connection = member()
    (event,) = pull(connection, b"a DELETE {4294967296}\r\n")
    assert isinstance(event, BadCommand)
    assert response.refusal(event) == b"a NO [TOOBIG] literals too big\r\n"
    assert connection.bytes_to_send() == b""


def test_a_huge_non_synchronising_literal_ends_the_connection() -> None:
    connection = member()
    with pytest.raises(ProtocolError):
        pull(connection, b"a DELETE {4294967296+}\r\n")
    connection.receive(b"b NOOP\r\n")
    with pytest.raises(ProtocolError):
        connection.next_event()
    assert not connection.has_pending


def test_literals_of_one_command_are_counted_together() -> None:
    connection = member(Limits(literals=10))
    data = b"a RENAME {6+}\r\nabcdef {5+}\r\nghijk\r\nb NOOP\r\n"
    too_big = BadCommand(b"a", "literals too big", Status.NO, b"TOOBIG")
    assert pull(connection, data) == [too_big, Noop(b"b")]


def test_a_stranger_has_smaller_limits_and_only_literal_minus() -> None:
    connection = ServerConnection()
    assert pull(connection, b"a LOGIN u {4097+}\r\n" + b"p" * 4097 + b"\r\n") == [
        BadCommand(b"a", "non-synchronising literal too big", Status.NO, b"TOOBIG")
    ]
    assert pull(connection, b"b LOGIN u " + b"p" * 41_000 + b"\r\n") == [
        BadCommand(b"b", "command line too long")
    ]
    with pytest.raises(ProtocolError):
        pull(connection, b"c LOGIN u " + b"p" * 200_000)


def test_an_appended_message_is_streamed() -> None:
    connection = member()
    start = b'a APPEND "Sent" (\\seen $Label1) " 1-Feb-2026 12:00:00 +0100" {11}\r\n'
    assert pull(connection, start)[:1] == [
        AppendStarted(b"a", "Sent", ("\\Seen", "$Label1"), 1_769_943_600_000, 11, 1)
    ]
    assert connection.bytes_to_send() == b"+ go on\r\n"
    assert pull(connection, b"Subject") == [LiteralChunk(b"Subject")]
    assert pull(connection, b": x\n\r") == [LiteralChunk(b": x\n"), AppendMessageEnd()]
    assert pull(connection, b"\nb NOOP\r\n") == [AppendFinished(b"a"), Noop(b"b")]


def test_several_messages_are_appended_by_one_command() -> None:
    connection = member()
    assert pull(connection, b"a APPEND x {1+}\r\nA (\\Draft) {1+}\r\nB {0+}\r\n\r\n") == [
        AppendStarted(b"a", "x", (), None, 1, 1),
        LiteralChunk(b"A"),
        AppendMessageEnd(),
        AppendStarted(b"a", "x", ("\\Draft",), None, 1, 2),
        LiteralChunk(b"B"),
        AppendMessageEnd(),
        AppendStarted(b"a", "x", (), None, 0, 3),
        AppendMessageEnd(),
        AppendFinished(b"a"),
    ]


def test_the_mailbox_to_append_to_may_be_a_literal() -> None:
    events = pull(member(), b"a APPEND {5+}\r\ninbox (\\Seen) {2+}\r\nhi\r\n")
    assert events[0] == AppendStarted(b"a", "INBOX", ("\\Seen",), None, 2, 1)
    assert events[-1] == AppendFinished(b"a")


def test_a_refused_message_is_never_asked_for() -> None:
    connection = member()
    connection.receive(b"a APPEND nowhere {9}\r\n")
    assert isinstance(connection.next_event(), AppendStarted)
    connection.refuse("no such mailbox", b"TRYCREATE")
    assert connection.bytes_to_send() == b"a NO [TRYCREATE] no such mailbox\r\n"
    assert pull(connection, b"b NOOP\r\n") == [Noop(b"b")]


def test_a_refused_message_that_comes_anyway_is_skipped_with_all_that_follow() -> None:
    connection = member()
    connection.receive(b"a APPEND x {9+}\r\nb LOG")
    assert isinstance(connection.next_event(), AppendStarted)
    connection.refuse("mailbox is full", b"OVERQUOTA")
    assert pull(connection, b"OUT\r {4+}\r\nmore\r") == []
    assert connection.bytes_to_send() == b""
    assert pull(connection, b"\nb NOOP\r\n") == [Noop(b"b")]
    assert connection.bytes_to_send() == b"a NO [OVERQUOTA] mailbox is full\r\n"


def test_an_append_can_be_refused_in_the_middle_and_between_messages() -> None:
    connection = member()
    connection.receive(b"a APPEND x {9+}\r\n1234")
    assert isinstance(connection.next_event(), AppendStarted)
    assert connection.next_event() == LiteralChunk(b"1234")
    connection.refuse("disk is full")
    assert pull(connection, b"56789\r\n") == []
    assert connection.bytes_to_send() == b"a NO disk is full\r\n"
    assert pull(connection, b"b APPEND x {2+}\r\nhi")[-1] == AppendMessageEnd()
    connection.refuse("disk is full")
    assert pull(connection, b" {3}\r\nc NOOP\r\n") == [Noop(b"c")]
    assert connection.bytes_to_send() == b"b NO disk is full\r\n"


def test_a_message_over_the_limit_is_refused_without_asking_the_session() -> None:
    limits = Limits(append=5)
    too_big = BadCommand(b"a", "APPEND: message too big", Status.NO, b"TOOBIG", b"APPEND")
    assert pull(member(limits), b"a APPEND x {6}\r\n") == [too_big]
    assert pull(member(limits), b"a APPEND x {6+}\r\n123456\r\nb NOOP\r\n") == [too_big, Noop(b"b")]


def test_a_refused_message_too_long_to_skip_ends_the_connection() -> None:
    connection = member(Limits(discard=100))
    connection.receive(b"a APPEND x {101+}\r\n")
    assert isinstance(connection.next_event(), AppendStarted)
    connection.refuse("mailbox is full")
    with pytest.raises(ProtocolError):
        connection.next_event()


def test_authentication_is_a_dialogue() -> None:
    connection = ServerConnection()
    assert pull(connection, b"a authenticate plain\r\n") == [Authenticate(b"a", "PLAIN", None)]
    connection.challenge(b"")
    assert connection.bytes_to_send() == b"+ \r\n"
    assert pull(connection, b"AGEAYg==\r\n") == [AuthResponse(b"\0a\0b")]
    connection.challenge(b"more?")
    assert connection.bytes_to_send() == b"+ bW9yZT8=\r\n"
    assert pull(connection, b"*\r\nb NOOP\r\n") == [AuthAborted(b"a"), Noop(b"b")]


def test_an_initial_response_comes_with_the_command() -> None:
    connection = ServerConnection()
    assert pull(connection, b"a AUTHENTICATE PLAIN AGEAYg==\r\nb AUTHENTICATE EXTERNAL =\r\n") == [
        Authenticate(b"a", "PLAIN", b"\0a\0b"),
        Authenticate(b"b", "EXTERNAL", b""),
    ]


def test_an_answer_that_is_no_base64_is_bad() -> None:
    connection = ServerConnection()
    (command,) = pull(connection, b"a AUTHENTICATE PLAIN\r\n")
    connection.challenge(b"")
    (event,) = pull(connection, b"not base64!\r\n")
    assert isinstance(event, BadCommand)
    assert event.tag == b"a"
    assert isinstance(command, Authenticate)


def test_an_endless_answer_is_cut_off() -> None:
    connection = ServerConnection()
    pull(connection, b"a AUTHENTICATE PLAIN\r\n")
    connection.challenge(b"")
    assert pull(connection, b"A" * 41_000 + b"\r\n") == [BadCommand(b"a", "command line too long")]


def test_secrets_do_not_show_in_what_is_printed() -> None:
    events = pull(ServerConnection(), b"a LOGIN u hush\r\nb AUTHENTICATE PLAIN AGh1c2g=\r\n")
    assert "hush" not in repr(events)


def test_idle_ends_with_done() -> None:
    connection = member()
    assert pull(connection, b"a IDLE\r\n") == [Idle(b"a")]
    connection.start_idle()
    assert connection.bytes_to_send() == b"+ idling\r\n"
    assert pull(connection, b"do") == []
    assert pull(connection, b"ne\r\nb NOOP\r\n") == [IdleDone(b"a"), Noop(b"b")]


def test_anything_but_done_ends_idle_as_bad() -> None:
    connection = member()
    pull(connection, b"a IDLE\r\n")
    connection.start_idle()
    assert pull(connection, b"b NOOP\r\n") == [BadCommand(b"a", "expected DONE", name=b"IDLE")]


def test_plaintext_sent_ahead_of_tls_is_forgotten() -> None:
    connection = ServerConnection()
    connection.receive(b"a STARTTLS\r\nb LOGIN eve {5+}\r\nxx")
    assert connection.next_event() == StartTls(b"a")
    connection.tls_started()
    assert not connection.has_pending
    assert pull(connection, b"c NOOP\r\n") == [Noop(b"c")]


@pytest.mark.parametrize(
    ("command", "before", "after_ok", "after_no"),
    [
        (Login(b"a", b"u", b"p"), State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.NOT_AUTHENTICATED),
        (Select(b"a", "x", read_only=False), State.AUTHENTICATED, State.SELECTED, State.AUTHENTICATED),
        (Select(b"a", "x", read_only=True), State.SELECTED, State.SELECTED, State.AUTHENTICATED),
        (Close(b"a"), State.SELECTED, State.AUTHENTICATED, State.SELECTED),
        (Noop(b"a"), State.SELECTED, State.SELECTED, State.SELECTED),
        (Logout(b"a"), State.SELECTED, State.LOGOUT, State.LOGOUT),
    ],
)
def test_the_state_follows_the_table(
    command: Command, before: State, after_ok: State, after_no: State
) -> None:
    for ok, after in ((True, after_ok), (False, after_no)):
        connection = ServerConnection(state=before)
        connection.completed(command, ok=ok)
        assert connection.state is after


def test_a_call_out_of_turn_is_an_error_of_the_caller() -> None:
    with pytest.raises(RuntimeError):
        member().refuse("nothing to refuse")


def test_an_idle_connection_holds_less_than_a_kibibyte_and_a_half() -> None:
    connection = member()
    pull(connection, b"a DELETE {60000+}\r\n" + b"x" * 60_000 + b"\r\n")
    parts = (connection, connection._inbox, connection._inbox._data, connection._text, connection._outbox)
    assert sum(map(sys.getsizeof, parts)) < 1536
