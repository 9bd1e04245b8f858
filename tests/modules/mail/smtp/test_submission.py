"""Ports 587 and 465: mail from people who log in first."""

import base64

import pytest

from freehold.modules.mail.queue.manage import QueueFilter, list_entries
from freehold.modules.mail.smtp.service import Door
from freehold.protocols.sasl.scram_client import ScramSha256Client
from tests.mail_host import PASSWORD, Client, MailHost, connected


def plain(login: str, password: str, acting_for: str = "") -> str:
    return base64.b64encode(f"{acting_for}\0{login}\0{password}".encode()).decode()


async def begin(client: Client) -> None:
    assert (await client.reply()).startswith("220")
    assert "AUTH SCRAM-SHA-256 PLAIN LOGIN" in await client.ask("EHLO laptop.test")


async def log_in(client: Client, login: str = "ann@example.test") -> None:
    await begin(client)
    assert (await client.ask(f"AUTH PLAIN {plain(login, PASSWORD)}")).startswith("235 2.7.0")


async def submit(client: Client, message: bytes, *recipients: str) -> str:
    assert (await client.ask("MAIL FROM:<ann@example.test>")).startswith("250")
    for recipient in recipients:
        assert (await client.ask(f"RCPT TO:<{recipient}>")).startswith("250")
    assert (await client.ask("DATA")).startswith("354")
    client.send(message + b".\r\n")
    return await client.reply()


async def test_nothing_is_taken_before_a_login(host: MailHost) -> None:
    async with host.listening(host.smtp(Door.SUBMISSION)) as port, connected(port) as client:
        await begin(client)
        assert (await client.ask("MAIL FROM:<ann@example.test>")).startswith("530 5.7.0")


async def test_a_submitted_message_gets_date_and_message_id_and_leaves_through_the_queue(
    host: MailHost,
) -> None:
    async with host.listening(host.smtp(Door.SUBMISSION)) as port, connected(port) as client:
        await log_in(client)
        message = b"From: Ann <ann@example.test>\r\nSubject: hi\r\n\r\nHi\r\n"
        answer = await submit(client, message, "bob@example.test", "carl@elsewhere.test")
        assert answer.startswith("250 2.0.0")
    (stored,) = await host.messages_of("bob@example.test")
    assert stored.endswith(message)
    assert b"with ESMTPA id" in stored
    assert b"\r\nDate: " in stored
    assert b"\r\nMessage-ID: <" in stored
    (entry,) = await host.runtime.database.read(list_entries, QueueFilter(), now_ms=0, most=10)
    assert entry.recipient == "carl@elsewhere.test"


async def test_a_message_with_date_and_message_id_keeps_its_own(host: MailHost) -> None:
    header = (
        b"From: ann@example.test\r\nmessage-id: <own@laptop>\r\nDATE: Sat, 21 Nov 2026 07:00:00 +0000\r\n\r\n"
    )
    async with host.listening(host.smtp(Door.SUBMISSION)) as port, connected(port) as client:
        await log_in(client)
        await submit(client, header, "bob@example.test")
    (stored,) = await host.messages_of("bob@example.test")
    assert stored.lower().count(b"message-id:") == stored.lower().count(b"\r\ndate:") == 1


@pytest.mark.parametrize("login", ["ann@example.test", "ANN@EXAMPLE.TEST"])
async def test_login_asks_for_name_and_password(host: MailHost, login: str) -> None:
    async with host.listening(host.smtp(Door.SUBMISSION)) as port, connected(port) as client:
        await begin(client)
        assert await client.ask("AUTH LOGIN") == "334 VXNlcm5hbWU6"
        assert await client.ask(base64.b64encode(login.encode()).decode()) == "334 UGFzc3dvcmQ6"
        assert (await client.ask(base64.b64encode(PASSWORD.encode()).decode())).startswith("235")


async def test_scram_proves_the_password_without_sending_it(host: MailHost) -> None:
    async with host.listening(host.smtp(Door.SUBMISSION)) as port, connected(port) as client:
        await begin(client)
        scram = ScramSha256Client("ann@example.test", PASSWORD, "fyko+d2lbbFgONRv9qkxdawL")
        first = base64.b64encode(scram.first()).decode()
        challenge = await client.ask(f"AUTH SCRAM-SHA-256 {first}")
        final = scram.final(base64.b64decode(challenge.removeprefix("334 ")))
        verdict = await client.ask(base64.b64encode(final).decode())
        scram.check(base64.b64decode(verdict.removeprefix("334 ")))
        assert (await client.ask("")).startswith("235")


@pytest.mark.parametrize(
    "response",
    [
        plain("ann@example.test", "wrong"),
        plain("nobody@example.test", PASSWORD),
        plain("ann@example.test", PASSWORD, acting_for="bob@example.test"),
        base64.b64encode(b"no nul at all").decode(),
    ],
)
async def test_wrong_credentials_all_read_the_same(host: MailHost, response: str) -> None:
    async with host.listening(host.smtp(Door.SUBMISSION)) as port, connected(port) as client:
        await begin(client)
        assert await client.ask(f"AUTH PLAIN {response}") == (
            "535 5.7.8 Login failed: name or password is wrong"
        )
        assert (await client.ask("MAIL FROM:<ann@example.test>")).startswith("530")


async def test_a_login_sends_only_as_its_own_addresses(host: MailHost) -> None:
    await host.add_alias("info@example.test", "ann@example.test")
    async with host.listening(host.smtp(Door.SUBMISSION)) as port, connected(port) as client:
        await log_in(client)
        assert (await client.ask("MAIL FROM:<bob@example.test>")).startswith("553 5.7.1")
        assert (await client.ask("MAIL FROM:<ann@elsewhere.test>")).startswith("553 5.7.1")
        assert (await client.ask("MAIL FROM:<info@example.test>")).startswith("250")
        await client.ask("RSET")
        answer = await submit(client, b"From: Bob <bob@example.test>\r\n\r\nx\r\n", "bob@example.test")
        assert answer.startswith("550 5.7.1")
        answer = await submit(client, b"Subject: nobody\r\n\r\nx\r\n", "bob@example.test")
        assert answer.startswith("550 5.6.0")
        answer = await submit(client, b"From: info+news@example.test\r\n\r\nx\r\n", "bob@example.test")
        assert answer.startswith("250")
    assert len(await host.messages_of("bob@example.test")) == 1
