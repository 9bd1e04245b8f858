"""Port 25: mail from other servers, over real sockets."""

import asyncio
import re
import ssl

import pytest

from freehold.kernel.resolver import ResolverUnavailableError
from freehold.modules.mail.queue.manage import QueueFilter, list_entries
from freehold.modules.mail.smtp.service import Door
from freehold.modules.mail.smtp.settings import SmtpSettings
from freehold.modules.mail.trace import find_by_address
from tests.mail_host import Client, MailHost, connected

MESSAGE = b"Subject: hello\r\nMessage-ID: <1@remote.test>\r\n\r\nHello,\r\n..dots and \xc3\xa9.\r\n"
STUFFED = MESSAGE.replace(b"\r\n..dots", b"\r\n...dots") + b".\r\n"


async def begin(client: Client, sender: str = "<eve@remote.test>") -> None:
    assert (await client.reply()).startswith("220 mail.example.test ESMTP")
    assert "PIPELINING" in await client.ask("EHLO remote.test")
    assert (await client.ask(f"MAIL FROM:{sender}")).startswith("250 2.1.0")


async def deliver(client: Client, recipient: str = "<ann@example.test>") -> str:
    assert (await client.ask(f"RCPT TO:{recipient}")).startswith("250 2.1.5")
    assert (await client.ask("DATA")).startswith("354")
    client.send(STUFFED)
    return await client.reply()


async def test_a_message_is_stored_with_its_bytes_unchanged_behind_our_trace_lines(
    any_host: MailHost,
) -> None:
    async with any_host.listening(any_host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client)
        answer = await deliver(client)
        assert answer.startswith("250 2.0.0 Accepted as ")
        assert (await client.ask("QUIT")).startswith("221")
    (stored,) = await any_host.messages_of("ann@example.test")
    prefix = stored.removesuffix(MESSAGE)
    trace_id = answer.rsplit(" ", 1)[1]
    assert prefix.startswith(
        b"Return-Path: <eve@remote.test>\r\nReceived: from remote.test ([127.0.0.1])\r\n"
    )
    assert re.search(rb"by mail.example.test with ESMTP id " + trace_id.encode(), prefix)
    assert b"for <ann@example.test>;" in prefix
    ((trace, (line,)),) = await any_host.runtime.database.read(find_by_address, "ann@example.test", most=10)
    assert (trace.message_id, trace.reverse_path, line.state.value) == (
        "1@remote.test",
        "eve@remote.test",
        "delivered",
    )


async def test_several_recipients_share_one_copy_and_no_recipient_is_named(host: MailHost) -> None:
    async with host.listening(host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client)
        assert (await client.ask("RCPT TO:<bob@example.test>")).startswith("250")
        await deliver(client)
    (ann,) = await host.messages_of("ann@example.test")
    (bob,) = await host.messages_of("bob@example.test")
    assert ann == bob
    assert b"for <" not in ann


async def test_a_subaddress_and_any_letter_case_reach_the_mailbox(host: MailHost) -> None:
    async with host.listening(host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client, "<>")
        await deliver(client, "<ANN+lists@Example.TEST>")
    (stored,) = await host.messages_of("ann@example.test")
    assert stored.startswith(b"Return-Path: <>\r\n")


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("RCPT TO:<nobody@example.test>", "550 5.1.1"),
        ("RCPT TO:<ann@elsewhere.test>", "550 5.7.1"),
        ("RCPT TO:<ann@localhost>", "550 5.1.3"),
        ("RCPT TO:<ann@@example.test>", "501"),
        ("RCPT TO:<postmaster>", "250 2.1.5"),
        ("RCPT TO:<abuse@example.test>", "250 2.1.5"),
        ("VRFY ann", "252"),
        ("EXPN ann", "502"),
        ("DATA", "503 5.5.1"),
        ("MAIL FROM:<again@remote.test>", "503 5.5.1"),
        ("BDAT 2000000000 LAST", "552 5.3.4"),
        ("NONSENSE", "500 5.5.1"),
    ],
)
async def test_each_command_gets_its_answer(host: MailHost, command: str, answer: str) -> None:
    async with host.listening(host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client)
        assert (await client.ask(command)).startswith(answer)


@pytest.mark.parametrize("hello", ["EHLO", "EHLO under_score..dots", "HELO -", "EHLO <script>"])
async def test_a_malformed_hello_is_refused(host: MailHost, hello: str) -> None:
    async with host.listening(host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await client.reply()
        assert (await client.ask(hello)).startswith("501")


async def test_a_sender_domain_must_exist_unless_the_network_is_trusted(host: MailHost) -> None:
    settings = SmtpSettings(trusted_networks=())
    host.resolver.hosts["real.test"] = []
    async with host.listening(host.smtp(Door.EXCHANGE, settings)) as port, connected(port) as client:
        await client.reply()
        await client.ask("EHLO remote.test")
        assert (await client.ask("MAIL FROM:<a@nowhere.test>")).startswith("550 5.1.8")
        assert (await client.ask("MAIL FROM:<a@localhost>")).startswith("553 5.1.8")
        host.resolver.error = ResolverUnavailableError()
        assert (await client.ask("MAIL FROM:<a@real.test>")).startswith("450 4.1.8")
        host.resolver.error = None
        assert (await client.ask("MAIL FROM:<a@real.test>")).startswith("250")


async def test_a_sender_domain_is_only_noted_when_so_set(host: MailHost) -> None:
    settings = SmtpSettings(trusted_networks=(), check_sender_domain="warn")
    async with host.listening(host.smtp(Door.EXCHANGE, settings)) as port, connected(port) as client:
        await begin(client, "<a@nowhere.test>")


async def test_a_relay_network_may_send_elsewhere_and_the_mail_is_queued(host: MailHost) -> None:
    settings = SmtpSettings(relay_networks=("127.0.0.0/8",))
    async with host.listening(host.smtp(Door.EXCHANGE, settings)) as port, connected(port) as client:
        await begin(client)
        await deliver(client, "<ann@elsewhere.test>")
    (entry,) = await host.runtime.database.read(list_entries, QueueFilter(), now_ms=0, most=10)
    assert (entry.recipient, entry.reverse_path, entry.state) == (
        "ann@elsewhere.test",
        "eve@remote.test",
        "ready",
    )


async def test_an_alias_delivers_here_and_queues_elsewhere(host: MailHost) -> None:
    await host.add_alias("team@example.test", "ann@example.test", "carl@elsewhere.test", "discard:")
    async with host.listening(host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client)
        await deliver(client, "<team@example.test>")
    assert len(await host.messages_of("ann@example.test")) == 1
    (entry,) = await host.runtime.database.read(list_entries, QueueFilter(), now_ms=0, most=10)
    assert entry.recipient == "carl@elsewhere.test"


async def test_bytes_sent_ahead_of_tls_are_thrown_away(host: MailHost) -> None:
    async with host.listening(host.smtp(Door.EXCHANGE)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        client = Client(reader, writer)
        await client.reply()
        assert "STARTTLS" in await client.ask("EHLO remote.test")
        client.send(b"STARTTLS\r\nMAIL FROM:<injected@remote.test>\r\n")
        assert (await client.reply()).startswith("220")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await writer.start_tls(context)
        assert (await client.ask("RCPT TO:<ann@example.test>")).startswith("503")
        assert "STARTTLS" not in await client.ask("EHLO remote.test")
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"HELO remote.test\r\nMAIL FROM:<eve@remote.test>\r\n",
        b"EHLO remote.test\r\nMAIL FROM:<eve@remote.test>\r\n",
    ],
)
async def test_unauthorised_pipelining_ends_the_connection(host: MailHost, sent: bytes) -> None:
    async with host.listening(host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await client.reply()
        client.send(sent)
        assert (await client.rest()).startswith(b"503 5.5.1")


async def test_authorised_pipelining_is_answered_in_order(host: MailHost) -> None:
    async with host.listening(host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await client.reply()
        await client.ask("EHLO remote.test")
        client.send(
            b"MAIL FROM:<e@remote.test>\r\nRCPT TO:<ann@example.test>\r\n"
            b"RCPT TO:<no@example.test>\r\nDATA\r\n"
        )
        assert [(await client.reply())[:3] for _ in range(4)] == ["250", "250", "550", "354"]
        client.send(STUFFED + b"QUIT\r\n")
        assert (await client.reply()).startswith("250")
        assert (await client.reply()).startswith("221")


@pytest.mark.parametrize("ending", [b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r"])
async def test_a_bare_line_end_never_smuggles_a_second_message(host: MailHost, ending: bytes) -> None:
    smuggled = b"MAIL FROM:<a@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\nevil"
    async with host.listening(host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client)
        await client.ask("RCPT TO:<ann@example.test>")
        await client.ask("DATA")
        client.send(b"Subject: x\r\n\r\nbody" + ending + smuggled + b"\r\n.\r\n")
        assert (await client.reply()).startswith("5")
    assert await host.messages_of("ann@example.test") == []
    assert await host.messages_of("bob@example.test") == []


async def test_a_message_over_the_limit_is_refused_announced_or_not(host: MailHost) -> None:
    settings = SmtpSettings(max_message_bytes=1000)
    async with host.listening(host.smtp(Door.EXCHANGE, settings)) as port, connected(port) as client:
        await client.reply()
        assert "SIZE 1000" in await client.ask("EHLO remote.test")
        assert (await client.ask("MAIL FROM:<e@remote.test> SIZE=1001")).startswith("552 5.3.4")
        await client.ask("MAIL FROM:<e@remote.test>")
        await client.ask("RCPT TO:<ann@example.test>")
        await client.ask("DATA")
        client.send(b"x" * 70 + b"\r\n" + b"y" * 998 + b"\r\n.\r\n")
        assert (await client.reply()).startswith("552 5.3.4")
    assert await host.messages_of("ann@example.test") == []


async def test_chunks_are_joined_in_order(host: MailHost) -> None:
    async with host.listening(host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client)
        await client.ask("RCPT TO:<ann@example.test>")
        client.send(b"BDAT 17\r\nSubject: x\r\n\r\n.\r\n")
        assert (await client.reply()).startswith("250")
        client.send(b"BDAT 6 LAST\r\nlast\r\n")
        assert (await client.reply()).startswith("250 2.0.0 Accepted")
    (stored,) = await host.messages_of("ann@example.test")
    assert stored.endswith(b"Subject: x\r\n\r\n.\r\nlast\r\n")


async def test_too_many_errors_end_the_connection(host: MailHost) -> None:
    settings = SmtpSettings(errors_before_close=4, error_delay_seconds=0)
    async with host.listening(host.smtp(Door.EXCHANGE, settings)) as port, connected(port) as client:
        await client.reply()
        client.send(b"X\r\n" * 10)
        assert (await client.rest()).splitlines()[-1].startswith(b"421 4.7.0")


async def test_too_many_commands_in_a_minute_end_the_connection(host: MailHost) -> None:
    settings = SmtpSettings(max_commands_per_minute=3)
    async with host.listening(host.smtp(Door.EXCHANGE, settings)) as port, connected(port) as client:
        await begin(client)
        assert (await client.ask("NOOP")).startswith("250")
        assert (await client.ask("NOOP")).startswith("250")
        assert (await client.rest()).startswith(b"421 4.7.0")


async def test_a_hosted_sender_domain_need_not_be_in_the_dns(host: MailHost) -> None:
    settings = SmtpSettings(trusted_networks=())
    async with host.listening(host.smtp(Door.EXCHANGE, settings)) as port, connected(port) as client:
        await begin(client, "<ann@example.test>")


async def test_recipients_beyond_the_limit_are_for_the_next_message(host: MailHost) -> None:
    settings = SmtpSettings(max_recipients=1)
    async with host.listening(host.smtp(Door.EXCHANGE, settings)) as port, connected(port) as client:
        await begin(client)
        await client.ask("RCPT TO:<bob@example.test>")
        assert (await client.ask("RCPT TO:<ann@example.test>")).startswith("452 4.5.3")


async def test_a_looping_message_is_refused(host: MailHost) -> None:
    async with host.listening(host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client)
        await client.ask("RCPT TO:<ann@example.test>")
        await client.ask("DATA")
        client.send(b"Received: from a by b\r\n" * 51 + b"\r\n.\r\n")
        assert (await client.reply()).startswith("554 5.4.6")


async def test_lmtp_answers_for_each_recipient(host: MailHost) -> None:
    async with host.listening(host.smtp(Door.LMTP), tls=False) as port, connected(port) as client:
        assert "LMTP" in await client.reply()
        assert (await client.ask("EHLO remote.test")).startswith("500")
        await client.ask("LHLO remote.test")
        await client.ask("MAIL FROM:<e@remote.test>")
        await client.ask("RCPT TO:<ann@example.test>")
        assert (await client.ask("RCPT TO:<no@example.test>")).startswith("550 5.1.1")
        await client.ask("RCPT TO:<bob@example.test>")
        await client.ask("DATA")
        client.send(STUFFED)
        assert (await client.reply()).startswith("250")
        assert (await client.reply()).startswith("250")
    assert len(await host.messages_of("bob@example.test")) == 1


async def test_a_client_that_leaves_within_a_message_leaves_nothing(host: MailHost) -> None:
    async with host.listening(host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client)
        await client.ask("RCPT TO:<ann@example.test>")
        await client.ask("DATA")
        client.send(b"Subject: cut\r\n\r\n" + b"x" * 70_000)
        client.writer.write_eof()
        await client.rest()
    assert await host.messages_of("ann@example.test") == []
