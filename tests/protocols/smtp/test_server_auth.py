"""AUTH over SMTP (RFC 4954)."""

import pytest

from freehold.protocols.smtp.events import AuthAborted, AuthResponse, AuthStarted
from freehold.protocols.smtp.options import ServerOptions
from freehold.protocols.smtp.reply import Reply
from freehold.protocols.smtp.server import ServerConnection
from tests.protocols.smtp.dialogue import converse, replies

MECHANISMS = ("PLAIN", "LOGIN", "SCRAM-SHA-256")
SUBMISSION = ServerOptions("mx.example", starttls=True, tls=True, auth_mechanisms=MECHANISMS)
PLAINTEXT = ServerOptions("mx.example", starttls=True, auth_mechanisms=MECHANISMS)
LOOPBACK = ServerOptions("mx.example", loopback=True, auth_mechanisms=MECHANISMS)
EHLO = b"EHLO c.example\r\n"


def test_auth_is_offered_only_on_a_channel_that_nobody_overhears() -> None:
    assert b"250 AUTH PLAIN LOGIN SCRAM-SHA-256\r\n" in converse(EHLO, SUBMISSION)[1]
    assert b"250 AUTH PLAIN LOGIN SCRAM-SHA-256\r\n" in converse(EHLO, LOOPBACK)[1]
    assert b"AUTH" not in converse(EHLO, PLAINTEXT)[1]
    assert replies(EHLO + b"AUTH PLAIN AGEAYg==\r\n", PLAINTEXT)[-1] == "538 5.7.11"[:9]


def test_an_initial_response_is_decoded_and_accepted() -> None:
    events, sent = converse(EHLO + b"AUTH plain AGEAYg==\r\n", SUBMISSION)
    assert events[1] == AuthStarted("PLAIN", b"\0a\0b")
    assert sent.endswith(b"235 2.7.0 Authentication succeeded\r\n")


def test_an_equals_sign_is_an_empty_initial_response() -> None:
    assert converse(EHLO + b"AUTH PLAIN =\r\n", SUBMISSION)[0][1] == AuthStarted("PLAIN", b"")


def test_a_challenge_is_answered_by_a_response() -> None:
    events, sent = converse(EHLO + b"AUTH LOGIN\r\nYWxpY2U=\r\n", SUBMISSION)
    assert events[1:] == [AuthStarted("LOGIN", None), AuthResponse(b"alice")]
    assert b"334 \r\n235 2.7.0" in sent


@pytest.mark.parametrize(
    ("line", "expected"),
    [(b"*", "501 5.7.0"), (b"not base64", "501 5.5.2"), (b"YQ=", "501 5.5.2"), (b"A" * 12288, "500 5.5.6")],
)
def test_an_exchange_is_aborted_and_the_dialogue_goes_on(line: bytes, expected: str) -> None:
    stream = EHLO + b"AUTH LOGIN\r\n" + line + b"\r\n"
    assert isinstance(converse(stream, SUBMISSION)[0][-1], AuthAborted)
    assert replies(stream + b"NOOP\r\n", SUBMISSION)[-2:] == [expected, "250 2.0.0"]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [(b"", "501 5.5.4"), (b"CRAM-MD5", "504 5.5.4"), (b"PLAIN a b", "501 5.5.4"), (b"PLAIN YQ", "501 5.5.2")],
)
def test_a_malformed_auth_is_refused(argument: bytes, expected: str) -> None:
    assert replies(EHLO + b"AUTH " + argument + b"\r\n", SUBMISSION)[-1] == expected


def test_auth_is_refused_twice_in_a_transaction_and_before_ehlo() -> None:
    auth = b"AUTH PLAIN AGEAYg==\r\n"
    assert replies(EHLO + auth + auth, SUBMISSION)[-1] == "503 5.5.1"
    assert replies(EHLO + b"MAIL FROM:<>\r\n" + auth, SUBMISSION)[-1] == "503 5.5.1"
    assert replies(b"HELO a\r\n" + auth, SUBMISSION)[-1] == "503 5.5.1"


def test_a_long_initial_response_fits_on_the_command_line() -> None:
    assert replies(EHLO + b"AUTH PLAIN " + b"QUFB" * 3000 + b"\r\n", SUBMISSION)[-1] == "235 2.7.0"
    assert replies(EHLO + b"AUTH PLAIN " + b"QUFB" * 3100 + b"\r\n", SUBMISSION)[-1] == "500 5.5.2"


def test_a_wrong_password_leaves_the_connection_unauthenticated() -> None:
    connection = ServerConnection(SUBMISSION)
    connection.greet()
    connection.receive(EHLO + b"AUTH PLAIN AGEAYg==\r\n")
    connection.next_event()
    connection.accept()
    connection.next_event()
    connection.reply(Reply.of(535, "5.7.8", "Wrong"))
    assert not connection.is_authenticated


def test_starttls_forgets_who_was_authenticated() -> None:
    connection = ServerConnection(
        ServerOptions("mx", starttls=True, loopback=True, auth_mechanisms=MECHANISMS)
    )
    connection.greet()
    connection.receive(EHLO + b"AUTH PLAIN AGEAYg==\r\nSTARTTLS\r\n")
    for _ in range(3):
        connection.next_event()
        connection.accept()
    connection.tls_started()
    assert not connection.is_authenticated
    assert not connection.is_extended
