"""Greeting, capabilities, login, and all that a stranger may and may not do."""

import base64
import ssl
from ipaddress import ip_address

import pytest

from freehold.accounts.app_passwords import add_app_password, make_secret
from freehold.accounts.model import HOST_ADMINISTRATOR, Use
from freehold.kernel.stream import Verdict
from freehold.modules.mail.addresses.mailboxes import set_mailbox_disabled
from freehold.modules.mail.pop3.settings import Pop3Settings
from freehold.protocols.sasl.scram_client import ScramSha256Client
from tests.far_peer import FarPeer, say
from tests.mail_host import PASSWORD, MailHost
from tests.modules.mail.pop3.client import Pop3Talk, pop3, stranger

ANN = b"ann@example.test"
PLAIN = base64.b64encode(b"\0ann@example.test\0" + PASSWORD.encode())
NONCE = "bm9uY2Vub25jZQ"


async def test_a_stranger_is_told_what_there_is(port: int) -> None:
    async with stranger(port) as talk:
        assert (await talk.ask_lines(b"CAPA")).split(b"\r\n") == [
            *(b"TOP", b"UIDL", b"RESP-CODES", b"AUTH-RESP-CODE", b"PIPELINING", b"EXPIRE NEVER", b"USER"),
            *(b"SASL SCRAM-SHA-256 PLAIN LOGIN", b"IMPLEMENTATION Freehold", b""),
        ]
        assert await talk.ask_lines(b"AUTH") == b"SCRAM-SHA-256\r\nPLAIN\r\nLOGIN\r\n"


async def test_user_and_pass_log_in(any_port: int) -> None:
    async with stranger(any_port) as talk:
        assert await talk.ask(b"USER ann@example.test") == b"+OK Now the password"
        assert await talk.ask(b"PASS " + PASSWORD.encode()) == b"+OK Logged in: 0 messages"
        assert await talk.ask(b"STAT") == b"+OK 0 0"
        await talk.quit()


async def test_plain_logs_in_with_and_without_an_initial_response(port: int) -> None:
    async with stranger(port) as talk:
        assert (await talk.ask(b"AUTH PLAIN " + PLAIN)).startswith(b"+OK")
    async with stranger(port) as talk:
        assert await talk.ask(b"AUTH PLAIN") == b"+ "
        assert (await talk.ask(PLAIN)).startswith(b"+OK")


async def test_login_mechanism_asks_for_name_and_password(port: int) -> None:
    async with stranger(port) as talk:
        assert await talk.ask(b"AUTH LOGIN") == b"+ " + base64.b64encode(b"Username:")
        assert await talk.ask(base64.b64encode(ANN)) == b"+ " + base64.b64encode(b"Password:")
        assert (await talk.ask(base64.b64encode(PASSWORD.encode()))).startswith(b"+OK")


async def prove(talk: Pop3Talk, password: str, *, initial: bool) -> bytes:
    """Go through SCRAM; returns the last answer."""
    client = ScramSha256Client("ann@example.test", password, NONCE)
    first = base64.b64encode(client.first())
    if initial:
        challenge = await talk.ask(b"AUTH SCRAM-SHA-256 " + first)
    else:
        assert await talk.ask(b"AUTH SCRAM-SHA-256") == b"+ "
        challenge = await talk.ask(first)
    last = await talk.ask(base64.b64encode(client.final(base64.b64decode(challenge[2:]))))
    if not last.startswith(b"+ "):
        return last
    client.check(base64.b64decode(last[2:]))
    return await talk.ask(b"")


@pytest.mark.parametrize("initial", [True, False])
async def test_scram_proves_the_password_without_sending_it(port: int, initial: bool) -> None:
    async with stranger(port) as talk:
        assert (await prove(talk, "wrong", initial=initial)).startswith(b"-ERR [AUTH] ")
        assert (await prove(talk, PASSWORD, initial=initial)).startswith(b"+OK Logged in")


async def test_an_app_password_for_pop3_logs_in_and_one_for_imap_does_not(host: MailHost, port: int) -> None:
    secrets = {use: make_secret() for use in (Use.POP3, Use.IMAP)}
    for use, secret in secrets.items():
        await host.runtime.database.write(
            add_app_password,
            HOST_ADMINISTRATOR,
            "ann@example.test",
            secret=secret,
            label=use.value,
            uses=(use,),
            expires_ms=None,
            now_ms=1,
        )
    async with stranger(port) as talk:
        await talk.ask(b"USER ann@example.test")
        answer = await talk.ask(b"PASS " + secrets[Use.IMAP].encode())
        assert answer.startswith(b"-ERR [AUTH] ")
        await talk.ask(b"USER ann@example.test")
        assert (await talk.ask(b"PASS " + secrets[Use.POP3].encode())).startswith(b"+OK")


@pytest.mark.parametrize(
    ("commands", "answer"),
    [
        ([b"USER ann@example.test", b"PASS wrong"], b"-ERR [AUTH] Login failed"),
        ([b"USER nobody@example.test", b"PASS wrong"], b"-ERR [AUTH] Login failed"),
        ([b"USER \xff\xfe", b"PASS wrong"], b"-ERR [AUTH] Login failed"),
        ([b"PASS wrong"], b"-ERR USER comes first"),
        ([b"AUTH PLAIN AGFubgBib2I="], b"-ERR [AUTH] Login failed"),
        ([b"AUTH PLAIN !!!!"], b"-ERR Not base64"),
        ([b"AUTH PLAIN", b"*"], b"-ERR Authentication cancelled"),
        ([b"AUTH GSSAPI"], b"-ERR Authentication mechanism is not offered"),
        ([b"APOP ann 0123456789abcdef"], b"-ERR Unknown command"),
        ([b"STAT"], b"-ERR Not allowed in this state"),
        ([b"RETR 1"], b"-ERR Not allowed in this state"),
        ([b"STLS"], b"-ERR TLS is not to be had here"),
        ([b"x" * 300], b"-ERR Line too long"),
    ],
)
async def test_a_stranger_is_refused(port: int, commands: list[bytes], answer: bytes) -> None:
    async with stranger(port) as talk:
        for command in commands:
            last = await talk.ask(command)
        assert last.startswith(answer)
        await talk.log_in()


async def test_nobody_acts_for_somebody_else(port: int) -> None:
    other = base64.b64encode(b"bob@example.test\0ann@example.test\0" + PASSWORD.encode())
    async with stranger(port) as talk:
        assert (await talk.ask(b"AUTH PLAIN " + other)).startswith(b"-ERR [AUTH] ")


async def test_guessing_ends_the_connection(host: MailHost) -> None:
    settings = Pop3Settings(max_login_failures=2)
    async with host.listening(pop3(host, settings), tls=False) as port, stranger(port) as talk:
        for _ in range(2):
            await talk.ask(b"USER ann@example.test")
            assert (await talk.ask(b"PASS wrong")).startswith(b"-ERR [AUTH] ")
        assert await talk.rest() == b""


async def test_a_disabled_mailbox_cannot_be_opened(host: MailHost, port: int) -> None:
    await host.runtime.database.write(
        set_mailbox_disabled, HOST_ADMINISTRATOR, "ann@example.test", is_disabled=True, now_ms=2
    )
    async with stranger(port) as talk:
        await talk.ask(b"USER ann@example.test")
        assert (await talk.ask(b"PASS " + PASSWORD.encode())).startswith(b"-ERR [AUTH] ")


async def test_nonsense_ends_the_connection_after_a_while(host: MailHost) -> None:
    settings = Pop3Settings(max_bad_commands=3)
    async with host.listening(pop3(host, settings), tls=False) as port, stranger(port) as talk:
        for command in (b"WHAT", b"WHAT", b"CAPA x", b"WHAT"):
            if command == b"CAPA x":
                await talk.ask_lines(b"CAPA")
            assert (await talk.ask(command)).startswith(b"-ERR")
        talk.send(b"\r\n")
        assert await talk.rest() == b"-ERR Too many invalid commands\r\n"


async def test_stls_forgets_what_was_said_and_offers_plain_then(host: MailHost) -> None:
    async with host.listening(pop3(host, has_starttls=True)) as port, stranger(port) as talk:
        assert b"STLS\r\n" in await talk.ask_lines(b"CAPA")
        assert await talk.ask(b"USER ann@example.test") == b"+OK Now the password"
        talk.send(b"STLS\r\nPASS " + PASSWORD.encode() + b"\r\n")
        assert await talk.line() == b"+OK Begin TLS negotiation now\r\n"
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await talk.writer.start_tls(context)
        assert await talk.ask(b"PASS " + PASSWORD.encode()) == b"-ERR USER comes first"
        assert b"STLS\r\n" not in await talk.ask_lines(b"CAPA")
        assert await talk.ask(b"STLS") == b"-ERR TLS is not to be had here"
        await talk.log_in()


async def test_a_password_is_not_taken_in_plain_text_from_another_host(host: MailHost) -> None:
    far = FarPeer()
    session = pop3(host, has_starttls=True)(far)
    await say(session, far, b"")
    capabilities = await say(session, far, b"CAPA\r\n")
    assert b"STLS\r\n" in capabilities
    assert b"SASL SCRAM-SHA-256\r\n" in capabilities
    assert b"USER\r\n" not in capabilities
    for command in (b"USER ann@example.test", b"AUTH PLAIN " + PLAIN, b"AUTH LOGIN"):
        assert (await say(session, far, command + b"\r\n")).startswith(b"-ERR [AUTH] Start TLS first")
    first = base64.b64encode(ScramSha256Client("ann@example.test", PASSWORD, NONCE).first())
    assert (await say(session, far, b"AUTH SCRAM-SHA-256 " + first + b"\r\n")).startswith(b"+ ")
    session.ended()


async def test_a_silent_client_has_three_minutes_and_a_member_ten(host: MailHost) -> None:
    far = FarPeer()
    session = pop3(host)(far)
    assert 179 < session.idle_seconds <= 180
    far.address = ip_address("127.0.0.1")
    await say(session, far, b"AUTH PLAIN " + PLAIN + b"\r\n")
    assert 599 < session.idle_seconds <= 600
    far.sent = b""
    session.timed_out()
    assert far.sent == b""
    session.shutting_down()
    assert far.sent == b"-ERR [SYS/TEMP] Server is shutting down, try again soon\r\n"
    session.ended()


async def test_quit_before_login_only_says_goodbye(host: MailHost, port: int) -> None:
    far = FarPeer()
    session = pop3(host)(far)
    session.receive(b"QUIT\r\n")
    assert await session.advance() is Verdict.CLOSE
    assert far.sent.endswith(b"ready\r\n+OK Goodbye\r\n")
    async with stranger(port) as talk:
        await talk.quit()


async def test_commands_may_be_sent_ahead(port: int) -> None:
    async with stranger(port) as talk:
        talk.send(b"USER ann@example.test\r\nPASS " + PASSWORD.encode() + b"\r\nSTAT\r\nNOOP\r\nQUIT\r\n")
        assert await talk.rest() == (
            b"+OK Now the password\r\n+OK Logged in: 0 messages\r\n"
            b"+OK 0 0\r\n+OK Nothing done\r\n+OK Goodbye\r\n"
        )
