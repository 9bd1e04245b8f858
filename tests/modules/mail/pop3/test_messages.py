"""A maildrop byte for byte: what is listed, what is sent, and that both agree."""

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from freehold.modules.mail.model import UID_BITS
from freehold.modules.mail.pop3.maildrop import FIRST_PAGE_MESSAGES, PAGE_MESSAGES
from freehold.modules.mail.smtp.service import Door
from freehold.storage.database import Transaction
from tests.mail_host import MailHost, connected
from tests.modules.mail.folders.store import open_box
from tests.modules.mail.imap.client import imap
from tests.modules.mail.imap.client import member as imap_member
from tests.modules.mail.pop3.client import Pop3Talk, member, serving

MIB = 1 << 20
ONE = b"Subject: one\r\n\r\nFirst line\r\n..dots\r\n.\r\nlast\r\n"
TWO = b"Subject: two\r\nX: y\r\n\r\nbody\r\n"
ODD = [
    b"Subject: lf\n\nline\n.\nnot the end\n",
    b"Subject: unended\r\n\r\nno line end",
    b"Subject: mixed\r\n\n.\r\nx\ny\r\n.",
    b"Subject: cr\r\n\r\na\rb\r\r\n\r",
    b"no header at all",
    b"\r\n",
    b"\n\n.\n",
    b"Subject: nul\r\n\r\n\x00\xff\r\n",
]


@pytest.fixture
async def imap_port(host: MailHost) -> AsyncIterator[int]:
    """IMAP of the same host."""
    async with host.listening(imap(host), tls=False) as opened:
        yield opened


async def fill(host: MailHost, *contents: bytes) -> None:
    """Append messages to Ann's INBOX as a client of IMAP does."""
    async with host.listening(imap(host), tls=False) as port, imap_member(port) as talk:
        for content in contents:
            assert (await talk.append(b"INBOX", content)).startswith(b"a OK")


async def test_a_dialogue_byte_for_byte(any_host: MailHost) -> None:
    await fill(any_host, ONE, TWO)
    box = await open_box(any_host, "ann@example.test")
    validity = b"%08x" % (await box.folder("INBOX")).uid_validity
    async with serving(any_host) as port, member(port) as talk:
        talk.send(
            b"STAT\r\nLIST\r\nLIST 2\r\nUIDL\r\nUIDL 1\r\nRETR 1\r\nTOP 1 1\r\nTOP 2 0\r\nTOP 2 9\r\n"
            b"NOOP\r\nDELE 1\r\nDELE 1\r\nRETR 1\r\nTOP 1 0\r\nLIST 1\r\nUIDL 1\r\nSTAT\r\nLIST\r\nUIDL\r\n"
            b"RSET\r\nSTAT\r\nLIST 3\r\nRETR 0\r\nQUIT\r\n"
        )
        assert await talk.rest() == b"".join(
            (
                b"+OK 2 73\r\n",
                b"+OK 2 messages (73 octets)\r\n1 45\r\n2 28\r\n.\r\n",
                b"+OK 2 28\r\n",
                b"+OK 2 messages\r\n1 00000001" + validity + b"\r\n2 00000002" + validity + b"\r\n.\r\n",
                b"+OK 1 00000001" + validity + b"\r\n",
                b"+OK 45 octets\r\nSubject: one\r\n\r\nFirst line\r\n...dots\r\n..\r\nlast\r\n.\r\n",
                b"+OK Top of message follows\r\nSubject: one\r\n\r\nFirst line\r\n.\r\n",
                b"+OK Top of message follows\r\nSubject: two\r\nX: y\r\n\r\n.\r\n",
                b"+OK Top of message follows\r\n" + TWO + b".\r\n",
                b"+OK Nothing done\r\n",
                b"+OK Marked to be deleted\r\n",
                *[b"-ERR No such message\r\n"] * 5,
                b"+OK 1 28\r\n",
                b"+OK 1 messages (28 octets)\r\n2 28\r\n.\r\n",
                b"+OK 1 messages\r\n2 00000002" + validity + b"\r\n.\r\n",
                b"+OK 2 messages (73 octets)\r\n",
                b"+OK 2 73\r\n",
                *[b"-ERR No such message\r\n"] * 2,
                b"+OK Goodbye\r\n",
            )
        )


async def test_sizes_are_those_of_the_lines_that_are_sent(any_host: MailHost) -> None:
    await fill(any_host, *ODD)
    async with serving(any_host) as port, member(port) as talk:
        listed = [int(line.split()[1]) for line in (await talk.ask_lines(b"LIST")).splitlines()]
        sent = [await talk.retrieve(number) for number in range(1, len(ODD) + 1)]
        assert [len(message) for message in sent] == listed
        assert await talk.ask(b"STAT") == b"+OK %d %d" % (len(ODD), sum(listed))
        assert sent[0] == ODD[0].replace(b"\n", b"\r\n")
        assert sent[1] == ODD[1] + b"\r\n"
        assert all(message.count(b"\n") == message.count(b"\r\n") for message in sent)


async def test_a_copy_keeps_the_size_that_its_lines_have(host: MailHost, imap_port: int, port: int) -> None:
    await fill(host, ODD[0])
    async with imap_member(imap_port, select=b"INBOX") as talk:
        await talk.done(b"COPY 1 INBOX")
        await talk.done(b"STORE 1 +FLAGS (\\Deleted)")
        await talk.done(b"EXPUNGE")
    async with member(port) as reader:
        assert await reader.ask(b"LIST 1") == b"+OK 1 %d" % len(await reader.retrieve(1))


async def test_a_message_delivered_without_its_last_line_end_gets_one(host: MailHost, port: int) -> None:
    content = b"Subject: chunk\r\n\r\nunended"
    async with host.listening(host.smtp(Door.EXCHANGE)) as smtp, connected(smtp) as client:
        await client.reply()
        for command in ("EHLO remote.test", "MAIL FROM:<>", "RCPT TO:<ann@example.test>"):
            assert (await client.ask(command)).startswith("250")
        client.send(b"BDAT %d LAST\r\n%b" % (len(content), content))
        assert (await client.reply()).startswith("250")
    async with member(port) as talk:
        received = await talk.retrieve(1)
        assert received.endswith(content + b"\r\n")
        assert await talk.ask(b"LIST 1") == b"+OK 1 %d" % len(received)


async def test_a_large_message_is_sent_in_pieces_with_its_dots(host: MailHost, port: int) -> None:
    # Lines of a length that has no common factor with that of the pieces put dots on every border.
    line = b"." + b"x" * 994 + b"\r\n"
    content = b"Subject: large\r\n\r\n" + line * (24 * MIB // len(line))
    await fill(host, content)
    expected = hashlib.sha256(b"Subject: large\r\n\r\n" + (b"." + line) * (24 * MIB // len(line)) + b".\r\n")
    async with member(port) as talk:
        assert await talk.ask(b"LIST 1") == b"+OK 1 %d" % len(content)
        assert await talk.ask_lines(b"TOP 1 2") == b"Subject: large\r\n\r\n" + (b"." + line) * 2
        tracemalloc.start()
        assert await talk.ask(b"RETR 1") == b"+OK %d octets" % len(content)
        left = len(content) + 24 * MIB // len(line) + len(b".\r\n")
        received = hashlib.sha256()
        while left:
            piece = await asyncio.wait_for(talk.reader.read(min(left, MIB)), 20)
            left -= len(piece)
            received.update(piece)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert received.digest() == expected.digest()
        assert peak < 8 * MIB
        await talk.quit()


async def add_rows(tx: Transaction, mailbox_id: int, folder_id: int, count: int) -> None:
    """Add messages without content."""
    await tx.execute_many(
        "INSERT INTO message (id, mailbox_id, blob_id, modseq, flags, keywords, internal_ms, saved_ms,"
        " size_bytes) VALUES (?, ?, ?, 1, 0, '', 1, 1, 100)",
        [(folder_id << UID_BITS | uid, mailbox_id, -uid) for uid in range(1, count + 1)],
    )
    await tx.execute("UPDATE folder SET uid_next = ? WHERE id = ?", count + 1, folder_id)


@pytest.mark.parametrize(
    "count", [FIRST_PAGE_MESSAGES, FIRST_PAGE_MESSAGES + PAGE_MESSAGES, 2 * PAGE_MESSAGES + 777]
)
async def test_a_long_list_is_whole(host: MailHost, port: int, count: int) -> None:
    box = await open_box(host, "ann@example.test")
    inbox = await box.folder("INBOX")
    await host.runtime.database.write(add_rows, box.mailbox_id, inbox.id, count)
    async with member(port) as talk:
        assert await talk.ask(b"STAT") == b"+OK %d %d" % (count, count * 100)
        assert (await talk.ask_lines(b"LIST")).splitlines() == [b"%d 100" % n for n in range(1, count + 1)]
        unique = {line.split()[1] for line in (await talk.ask_lines(b"UIDL")).splitlines()}
        assert len(unique) == count


async def test_unique_ids_stay_and_never_come_again(host: MailHost, imap_port: int, port: int) -> None:
    async def unique_ids(talk: Pop3Talk) -> list[bytes]:
        return [line.split()[1] for line in (await talk.ask_lines(b"UIDL")).splitlines()]

    await fill(host, ONE, ONE, TWO)
    async with member(port) as talk:
        first = await unique_ids(talk)
        assert await talk.ask(b"DELE 3") == b"+OK Marked to be deleted"
        await talk.quit()
    await fill(host, TWO)
    async with member(port) as talk:
        second = await unique_ids(talk)
    assert second[:2] == first[:2]
    assert second[2] not in first
    async with imap_member(imap_port) as other:  # what RENAME makes is a new INBOX (RFC 9051 §6.3.6)
        await other.done(b"RENAME INBOX old")
    await fill(host, ONE)
    async with member(port) as talk:
        assert not set(await unique_ids(talk)) & {*first, *second}
