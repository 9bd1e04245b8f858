"""Command lines, the order they come in, exchanges, and what is no command."""

import base64

import pytest

from freehold.protocols.pop3.connection import ServerConnection
from freehold.protocols.pop3.events import (
    NEED_DATA,
    Auth,
    AuthAborted,
    AuthList,
    AuthResponse,
    BadCommand,
    Capa,
    Dele,
    Event,
    List,
    Login,
    Noop,
    Quit,
    Reset,
    Retr,
    StartTls,
    Stat,
    Top,
    Uidl,
    User,
)
from freehold.protocols.pop3.limits import MAX_COMMAND_OCTETS, MAX_CREDENTIAL_OCTETS
from freehold.protocols.pop3.states import State
from tests.protocols.pop3.dialogue import converse

ENTERED = b"USER ann\r\nPASS secret\r\n"


def after_login(stream: bytes) -> list[Event]:
    """Return what follows a login."""
    return converse(ENTERED + stream)[2:]


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (b"CAPA", Capa()),
        (b"capa ", Capa()),
        (b"QUIT", Quit()),
        (b"STLS", StartTls()),
        (b"USER ann@example.test", User(b"ann@example.test")),
        (b"user  ann smith ", User(b"ann smith")),
        (b"AUTH", AuthList()),
        (b"AUTH PLAIN", Auth("PLAIN", None)),
        (b"AUTH plain =", Auth("PLAIN", b"")),
        (b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,,n=ann,r=x"), Auth("SCRAM-SHA-256", b"n,,n=ann,r=x")),
    ],
)
def test_a_stranger_may_say_this(line: bytes, event: Event) -> None:
    assert converse(line + b"\r\n") == [event]


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (b"STAT", Stat()),
        (b"LIST", List(None)),
        (b"LIST ", List(None)),
        (b"LIST 2", List(2)),
        (b"UIDL", Uidl(None)),
        (b"uidl 0012", Uidl(12)),
        (b"RETR 4294967295", Retr(4294967295)),
        (b"TOP 1 0", Top(1, 0)),
        (b"TOP 1  10 ", Top(1, 10)),
        (b"DELE 1", Dele(1)),
        (b"NOOP", Noop()),
        (b"RSET", Reset()),
        (b"CAPA", Capa()),
        (b"QUIT", Quit()),
    ],
)
def test_who_has_logged_in_may_say_this(line: bytes, event: Event) -> None:
    assert after_login(line + b"\r\n") == [event]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"", "Unknown command"),
        (b"HELO x", "Unknown command"),
        (b"\xff\x00", "Unknown command"),
        (b" STAT", "Unknown command"),
        (b"APOP ann c4c9334bac560ecc979e58001b3e22fb", "Unknown command"),
        (b"UTF8", "Unknown command"),
        (b"STAT", "Not allowed in this state"),
        (b"RETR 1", "Not allowed in this state"),
        (b"CAPA x", "No argument is allowed"),
        (b"USER", "A name is needed"),
        (b"USER ", "A name is needed"),
        (b"PASS secret", "USER comes first"),
        (b"PASS", "A password is needed"),
        (b"AUTH PLAIN x", "Not base64"),
        (b"AUTH PLAIN a b", "Syntax error"),
        (b"AUTH P!AIN", "Syntax error"),
        (b"AUTH " + b"X" * 21, "Syntax error"),
    ],
)
def test_a_stranger_is_refused(line: bytes, text: str) -> None:
    assert converse(line + b"\r\n") == [BadCommand(text)]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"USER bob", "Not allowed in this state"),
        (b"STLS", "Not allowed in this state"),
        (b"AUTH PLAIN", "Not allowed in this state"),
        (b"STAT 1", "No argument is allowed"),
        (b"LIST -1", "A number is needed"),
        (b"LIST 1 2", "A number is needed"),
        (b"RETR", "A number is needed"),
        (b"RETR 12345678901", "A number is needed"),
        ("RETR ١".encode(), "A number is needed"),
        (b"TOP 1", "A number is needed"),
        (b"TOP 1 2 3", "A number is needed"),
        (b"DELE x", "A number is needed"),
    ],
)
def test_who_has_logged_in_is_refused(line: bytes, text: str) -> None:
    assert after_login(line + b"\r\n") == [BadCommand(text)]


def test_a_password_is_taken_to_its_last_octet() -> None:
    assert converse(b"USER ann\r\nPASS  two words \r\n")[1] == Login(b"ann", b" two words ")


def test_a_password_belongs_to_the_user_named_just_before() -> None:
    assert converse(b"USER ann\r\nCAPA\r\nPASS x\r\n")[2] == BadCommand("USER comes first")
    assert converse(b"USER ann\r\nUSER bob\r\nPASS x\r\n")[2] == Login(b"bob", b"x")


def test_passwords_do_not_show_in_logs() -> None:
    assert "secret" not in repr(converse(ENTERED))
    assert "secret" not in repr(converse(b"AUTH PLAIN " + base64.b64encode(b"secret") + b"\r\n"))


def test_a_line_may_end_in_lf_alone() -> None:
    assert converse(b"CAPA\nQUIT\n") == [Capa(), Quit()]


def test_an_exchange_goes_on_until_the_session_is_content() -> None:
    again, done = base64.b64encode(b"again"), base64.b64encode(b"done")
    stream = b"AUTH PLAIN\r\n" + again + b"\r\n" + done + b"\r\nNOOP\r\n"
    assert converse(stream) == [Auth("PLAIN", None), AuthResponse(b"again"), AuthResponse(b"done"), Noop()]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"*", "Authentication cancelled"),
        (b"!!", "Not base64"),
        (b"QUIT ", "Not base64"),
        (b"A" * MAX_CREDENTIAL_OCTETS, "Line too long"),
    ],
)
def test_an_exchange_ends_and_commands_are_read_again(line: bytes, text: str) -> None:
    assert converse(b"AUTH PLAIN\r\n" + line + b"\r\nCAPA\r\n") == [
        Auth("PLAIN", None),
        AuthAborted(text),
        Capa(),
    ]


def test_an_empty_response_is_one() -> None:
    assert converse(b"AUTH PLAIN\r\n\r\n")[1] == AuthResponse(b"")


def test_lines_are_bounded_and_credentials_may_be_longer() -> None:
    longest = b"RETR " + b"1" * (MAX_COMMAND_OCTETS - 7)
    assert after_login(longest + b"\r\n") == [BadCommand("A number is needed")]
    assert after_login(longest + b"1\r\nNOOP\r\n") == [BadCommand("Line too long"), Noop()]
    password = b"p" * (MAX_CREDENTIAL_OCTETS - 7)
    assert converse(b"USER ann\r\nPASS " + password + b"\r\n")[1] == Login(b"ann", password)
    assert converse(b"PASS " + password + b"p\r\nCAPA\r\n") == [BadCommand("Line too long"), Capa()]


def test_an_endless_line_costs_one_reply_and_no_memory() -> None:
    connection = ServerConnection()
    for count in range(1000):
        connection.receive(b"x" * 4096)
        assert connection.next_event() == (NEED_DATA if count else BadCommand("Line too long"))
    connection.receive(b"\r\nQUIT\r\n")
    assert connection.next_event() == Quit()


def test_nothing_said_before_tls_is_remembered() -> None:
    connection = ServerConnection()
    connection.receive(b"USER ann\r\nSTLS\r\nPASS injected\r\n")
    assert [connection.next_event(), connection.next_event()] == [User(b"ann"), StartTls()]
    connection.tls_started()
    assert connection.next_event() is NEED_DATA
    connection.receive(b"PASS x\r\n")
    assert connection.next_event() == BadCommand("USER comes first")
    assert connection.state is State.AUTHORIZATION
