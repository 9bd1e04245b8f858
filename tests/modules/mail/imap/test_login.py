"""Greeting, login, and all that a stranger may and may not do."""

import base64
import dataclasses
import ssl
from ipaddress import ip_address

import pytest

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.kernel.stream import Peer
from freehold.modules.mail.addresses.mailboxes import set_mailbox_disabled
from freehold.modules.mail.imap.settings import ImapSettings
from freehold.protocols.sasl.scram_client import ScramSha256Client
from tests.far_peer import FarPeer, say
from tests.mail_host import PASSWORD, MailHost
from tests.modules.mail.imap.client import imap, member, stranger

PLAIN = base64.b64encode(b"\0ann@example.test\0" + PASSWORD.encode())


async def test_a_login_is_told_what_it_can_do(any_port: int) -> None:
    async with stranger(any_port) as talk:
        (reply,) = await talk.ask(b"LOGIN ann@example.test " + PASSWORD.encode())
        assert reply.startswith(b"a OK [CAPABILITY IMAP4rev1 ")
        for name in (b"CONDSTORE", b"MOVE", b"UIDPLUS", b"SPECIAL-USE", b"APPENDLIMIT=52428800"):
            assert b" " + name in reply
        assert b"AUTH=" not in reply


async def test_plain_logs_in_with_and_without_an_initial_response(port: int) -> None:
    async with stranger(port) as talk:
        (reply,) = await talk.ask(b"AUTHENTICATE PLAIN " + PLAIN)
        assert reply.startswith(b"a OK")
    async with stranger(port) as talk:
        assert await talk.ask(b"AUTHENTICATE PLAIN") == [b"+ "]
        talk.send(PLAIN + b"\r\n")
        assert (await talk.replies())[-1].startswith(b"a OK")


async def test_login_mechanism_asks_for_name_and_password(port: int) -> None:
    async with stranger(port) as talk:
        assert await talk.ask(b"AUTHENTICATE LOGIN") == [b"+ " + base64.b64encode(b"Username:")]
        talk.send(base64.b64encode(b"ann@example.test") + b"\r\n")
        assert await talk.replies() == [b"+ " + base64.b64encode(b"Password:")]
        talk.send(base64.b64encode(PASSWORD.encode()) + b"\r\n")
        assert (await talk.replies())[-1].startswith(b"a OK")


async def test_scram_proves_the_password_without_sending_it(port: int) -> None:
    async with stranger(port) as talk:
        client = ScramSha256Client("ann@example.test", PASSWORD, "bm9uY2Vub25jZQ")
        (challenge,) = await talk.ask(b"AUTHENTICATE SCRAM-SHA-256 " + base64.b64encode(client.first()))
        talk.send(base64.b64encode(client.final(base64.b64decode(challenge[2:]))) + b"\r\n")
        (last,) = await talk.replies()
        client.check(base64.b64decode(last[2:]))
        talk.send(b"\r\n")
        assert (await talk.replies())[-1].startswith(b"a OK [CAPABILITY")


async def test_a_wrong_scram_proof_is_refused(port: int) -> None:
    async with stranger(port) as talk:
        client = ScramSha256Client("ann@example.test", "wrong", "bm9uY2Vub25jZQ")
        (challenge,) = await talk.ask(b"AUTHENTICATE SCRAM-SHA-256 " + base64.b64encode(client.first()))
        talk.send(base64.b64encode(client.final(base64.b64decode(challenge[2:]))) + b"\r\n")
        assert (await talk.replies())[-1].startswith(b"a NO [AUTHENTICATIONFAILED]")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"LOGIN ann@example.test wrong", b"NO [AUTHENTICATIONFAILED]"),
        (b"LOGIN nobody@example.test wrong", b"NO [AUTHENTICATIONFAILED]"),
        (b"LOGIN {2+}\r\n\xff\xfe wrong", b"NO [AUTHENTICATIONFAILED]"),
        (b"AUTHENTICATE PLAIN AGFubgBib2I=", b"NO [AUTHENTICATIONFAILED]"),
        (b"AUTHENTICATE PLAIN !!!!", b"BAD"),
        (b"AUTHENTICATE GSSAPI", b"NO [CANNOT]"),
        (b"SELECT INBOX", b"BAD"),
        (b"FETCH 1 FLAGS", b"BAD"),
        (b"STARTTLS", b"BAD"),
        (b"APPEND INBOX {5+}\r\nhello", b"BAD"),
        (b"IDLE", b"BAD"),
        (b"NONSENSE", b"BAD"),
    ],
)
async def test_a_stranger_is_refused(port: int, command: bytes, answer: bytes) -> None:
    async with stranger(port) as talk:
        assert (await talk.refused(command)).startswith(answer)
        await talk.done(b"NOOP")


async def test_an_exchange_can_be_given_up(port: int) -> None:
    async with stranger(port) as talk:
        await talk.ask(b"AUTHENTICATE PLAIN")
        talk.send(b"*\r\n")
        assert (await talk.replies())[-1].startswith(b"a BAD")
        await talk.log_in()


async def test_nobody_acts_for_somebody_else(port: int) -> None:
    other = base64.b64encode(b"bob@example.test\0ann@example.test\0" + PASSWORD.encode())
    async with stranger(port) as talk:
        reply = await talk.refused(b"AUTHENTICATE PLAIN " + other)
        assert reply.startswith(b"NO [AUTHENTICATIONFAILED]")


async def test_guessing_ends_the_connection(host: MailHost) -> None:
    settings = ImapSettings(max_login_failures=2)
    async with host.listening(imap(host, settings), tls=False) as port, stranger(port) as talk:
        await talk.refused(b"LOGIN ann@example.test wrong")
        talk.send(b"a LOGIN ann@example.test wrong\r\n")
        assert (await talk.rest()).endswith(b"* BYE Too many failed logins\r\n")


async def test_a_disabled_mailbox_cannot_be_opened(host: MailHost, port: int) -> None:
    async with member(port, select=b"INBOX") as talk, member(port) as sender:
        await host.runtime.database.write(
            set_mailbox_disabled, HOST_ADMINISTRATOR, "ann@example.test", is_disabled=True, now_ms=2
        )
        talk.send(b"a NOOP\r\n")
        assert await talk.rest() == b"* BYE the mailbox is no longer available\r\n"
        sender.send(b"a APPEND INBOX {1+}\r\nx\r\n")
        assert await sender.rest() == b"* BYE the mailbox is no longer available\r\n"
    async with stranger(port) as talk:
        await talk.refused(b"LOGIN ann@example.test " + PASSWORD.encode())


async def test_nonsense_ends_the_connection_after_a_while(host: MailHost) -> None:
    settings = ImapSettings(max_bad_commands=3)
    async with host.listening(imap(host, settings), tls=False) as port, stranger(port) as talk:
        await talk.refused(b"WHAT")
        await talk.refused(b"WHAT")
        await talk.done(b"NOOP")
        await talk.refused(b"WHAT")
        await talk.refused(b"WHAT")
        talk.send(b"a WHAT\r\n")
        assert (await talk.rest()).endswith(b"* BYE Too many invalid commands\r\n")


async def test_an_endless_literal_ends_the_connection(port: int) -> None:
    async with stranger(port) as talk:
        talk.send(b"a LOGIN {999999999+}\r\n")
        assert b"* BYE" in await talk.rest()


async def test_starttls_forgets_what_was_said_and_offers_plain_then(host: MailHost) -> None:
    async with host.listening(imap(host, has_starttls=True)) as port, stranger(port) as talk:
        (capability,) = await talk.done(b"CAPABILITY")
        assert b" STARTTLS" in capability
        talk.send(b"a STARTTLS\r\nb LOGIN ann@example.test " + PASSWORD.encode() + b"\r\n")
        assert (await talk.replies())[-1].startswith(b"a OK")
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        await talk.writer.start_tls(context)
        (capability,) = await talk.done(b"CAPABILITY")
        assert b" STARTTLS" not in capability
        assert b" AUTH=PLAIN" in capability
        await talk.refused(b"STARTTLS")
        await talk.log_in()


async def test_a_password_is_not_taken_in_plain_text_from_another_host(host: MailHost) -> None:
    far = FarPeer()
    peer: Peer = far
    session = imap(host, has_starttls=True)(peer)
    greeting = await say(session, far, b"")
    assert b" LOGINDISABLED" in greeting
    assert b" AUTH=SCRAM-SHA-256" in greeting
    assert b"AUTH=PLAIN" not in greeting
    password = PASSWORD.encode()
    for command in (
        b"LOGIN ann@example.test " + password,
        b"AUTHENTICATE PLAIN " + PLAIN,
        b"AUTHENTICATE LOGIN",
    ):
        assert (await say(session, far, b"a " + command + b"\r\n")).startswith(b"a NO [PRIVACYREQUIRED]")
    client = ScramSha256Client("ann@example.test", PASSWORD, "bm9uY2Vub25jZQ")
    first = base64.b64encode(client.first())
    assert (await say(session, far, b"a AUTHENTICATE SCRAM-SHA-256 " + first + b"\r\n")).startswith(b"+ ")
    session.ended()


class StoppedClock:
    """A clock by which nothing takes time."""

    def now_ms(self) -> int:
        return 1_800_000_000_000


async def test_a_silent_client_has_three_minutes_and_a_member_thirty(host: MailHost) -> None:
    far = FarPeer()
    runtime = dataclasses.replace(host.runtime, clock=StoppedClock())
    session = imap(dataclasses.replace(host, runtime=runtime))(far)
    assert session.idle_seconds == 180
    far.address = ip_address("127.0.0.1")
    await say(session, far, b"a LOGIN ann@example.test " + PASSWORD.encode() + b"\r\n")
    assert session.idle_seconds == 1800
    session.timed_out()
    assert far.sent.endswith(b"* BYE Autologout; idle for too long\r\n")
    session.shutting_down()
    assert far.sent.endswith(b"* BYE [UNAVAILABLE] Server is shutting down, try again soon\r\n")
    session.ended()


async def test_logout_says_bye_before_its_reply(port: int) -> None:
    async with stranger(port) as talk:
        talk.send(b"a LOGOUT\r\n")
        assert await talk.rest() == b"* BYE Logging out\r\na OK Logout completed\r\n"
