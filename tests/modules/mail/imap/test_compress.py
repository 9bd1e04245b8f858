"""COMPRESS=DEFLATE: literal dialogues on both sides of it, large and hostile ones too (RFC 4978)."""

import asyncio
import base64
import hashlib
import os
import ssl
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from freehold.modules.mail.imap.settings import ImapSettings
from tests.deflating import DeflatingWriter, InflatingReader
from tests.mail_host import MailHost
from tests.modules.mail.folders.store import open_box
from tests.modules.mail.imap.client import ImapTalk, imap, member, stranger

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
KIB = 1024
MIB = 1024 * KIB


class DeflatedTalk(ImapTalk):
    """A client behind COMPRESS."""

    def __init__(self, talk: ImapTalk) -> None:
        self.inflating = InflatingReader(talk.reader)
        self.deflating = DeflatingWriter(talk.writer)
        super().__init__(self.inflating, self.deflating)  # type: ignore[arg-type]


async def compress(talk: ImapTalk) -> DeflatedTalk:
    assert await talk.ask(b"COMPRESS DEFLATE") == [b"a OK DEFLATE active"]
    return DeflatedTalk(talk)


@asynccontextmanager
async def deflated(port: int) -> AsyncIterator[DeflatedTalk]:
    """Connect, log in and compress."""
    async with member(port) as talk:
        yield await compress(talk)


async def test_it_is_offered_after_login_until_it_is_active(port: int) -> None:
    async with stranger(port) as talk:
        assert b"COMPRESS" not in (await talk.done(b"CAPABILITY"))[0]
        assert (await talk.refused(b"COMPRESS DEFLATE")).startswith(b"BAD ")
        await talk.log_in()
        assert b" COMPRESS=DEFLATE" in (await talk.done(b"CAPABILITY"))[0]
        for wrong in (b"COMPRESS", b"COMPRESS LZW", b"COMPRESS DEFLATE x", b'COMPRESS "DEFLATE"'):
            assert (await talk.refused(wrong)).startswith(b"BAD ")
        behind = await compress(talk)
        assert b"COMPRESS" not in (await behind.done(b"CAPABILITY"))[0]
        assert await behind.refused(b"COMPRESS deflate") == (
            b"NO [COMPRESSIONACTIVE] DEFLATE is active already"
        )
        await behind.done(b"NOOP")


async def test_a_session_goes_on_behind_it(any_port: int) -> None:
    async with deflated(any_port) as talk, member(any_port, select=b"INBOX") as other:
        assert (await talk.append(b"INBOX", MESSAGE)).startswith(b"a OK [APPENDUID ")
        await talk.done(b"SELECT INBOX")
        assert await talk.done(b"FETCH 1 (UID BODY.PEEK[])") == [
            b"* 1 FETCH (UID 1 BODY[] {%d}\r\n" % len(MESSAGE) + MESSAGE + b")"
        ]
        assert await talk.ask(b"IDLE") == [b"+ idling"]
        await other.append(b"INBOX", MESSAGE)
        assert await talk.line() == b"* 2 EXISTS"
        assert (await talk.line()).endswith(b" RECENT")
        talk.send(b"DONE\r\n")
        assert await talk.replies() == [b"a OK Idle completed"]
        talk.send(b"a LOGOUT\r\n")
        assert (await talk.rest()).startswith(b"* BYE ")


async def test_what_comes_along_with_the_command_is_deflated_already(port: int) -> None:
    async with member(port) as talk:
        deflating = DeflatingWriter(talk.writer)
        talk.send(b"a COMPRESS DEFLATE\r\n" + deflating.deflated(b"b NOOP\r\nc LOGOUT\r\n"))
        assert await talk.line() == b"a OK DEFLATE active"
        rest = await InflatingReader(talk.reader).read()
        assert rest.startswith(b"b OK NOOP completed\r\n* BYE ")


async def test_octets_that_come_one_by_one_are_the_same_commands(port: int) -> None:
    async with deflated(port) as talk:
        dialogue = (
            b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(MESSAGE), MESSAGE) + b"b STATUS INBOX (MESSAGES)\r\n"
        )
        for octet in talk.deflating.deflated(dialogue):
            talk.deflating.below.write(bytes((octet,)))
            await asyncio.sleep(0)
        assert (await talk.replies())[-1].startswith(b"a OK [APPENDUID ")
        assert (await talk.replies(b"b"))[0] == b"* STATUS INBOX (MESSAGES 1)"


async def test_plain_text_behind_it_closes_the_connection(port: int) -> None:
    async with member(port) as talk:
        await talk.done(b"COMPRESS DEFLATE")
        talk.send(b"a NOOP\r\n")
        assert await talk.rest() == b""


async def test_it_goes_on_top_of_tls(host: MailHost) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with host.listening(imap(host, has_starttls=True)) as port, stranger(port) as plain:
        await plain.done(b"STARTTLS")
        await plain.writer.start_tls(context)
        await plain.log_in()
        talk = await compress(plain)
        body = base64.encodebytes(bytes(range(256)) * 2000).replace(b"\n", b"\r\n")
        await talk.append(b"INBOX", MESSAGE + body)
        await talk.done(b"SELECT INBOX")
        (line,) = await talk.done(b"FETCH 1 BODY.PEEK[]")
        assert line.endswith(MESSAGE + body + b")")
        assert talk.inflating.octets_read < len(body) // 4


async def test_a_bomb_meets_the_limit_of_a_line(port: int) -> None:
    async with deflated(port) as talk:
        talk.deflating.below.write(talk.deflating.deflated(b"a NOOP " + b" " * (32 * MIB) + b"\r\n"))
        assert await talk.replies(b"a") == [b"a BAD command line too long"]
        await talk.done(b"NOOP")
        talk.deflating.below.write(talk.deflating.deflated(b"a NOOP " + b" " * (80 * MIB) + b"\r\n"))
        assert (await talk.rest()).startswith(b"* BYE ")


async def test_a_bomb_meets_the_limit_of_a_message(host: MailHost) -> None:
    settings = ImapSettings(max_message_bytes=100 * KIB)
    async with host.listening(imap(host, settings), tls=False) as port, deflated(port) as talk:
        talk.send(b"a APPEND INBOX {%d+}\r\n" % (8 * MIB) + bytes(8 * MIB) + b"\r\n")
        assert (await talk.replies())[-1].startswith(b"a NO [TOOBIG]")
        await talk.done(b"NOOP")


@pytest.mark.parametrize("is_deflated", [False, True])
async def test_a_slow_reader_of_a_large_message_costs_little_memory(
    host: MailHost, port: int, is_deflated: bool
) -> None:
    block = base64.encodebytes(os.urandom(MIB)).replace(b"\n", b"\r\n")
    message = b"Subject: large\r\n\r\n" + block * (100 * MIB // len(block))
    digest, size = hashlib.sha256(message).digest(), len(message)
    await (await open_box(host, "ann@example.test")).append("INBOX", message)
    del message
    async with member(port, select=b"INBOX") as plain, member(port) as other:
        talk = await compress(plain) if is_deflated else plain
        tracemalloc.start()
        try:
            talk.send(b"a FETCH 1 BODY.PEEK[]\r\n")
            for _ in range(200):  # the server does what it can for one who does not read
                await other.done(b"NOOP")
            assert await talk.reader.readline() == b"* 1 FETCH (BODY[] {%d}\r\n" % size
            got = hashlib.sha256()
            while size:
                piece = await talk.reader.readexactly(min(64 * KIB, size))
                got.update(piece)
                size -= len(piece)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert got.digest() == digest
        assert peak < 6 * MIB
