"""What a sender reads of mailboxes and owners without room."""

from freehold.modules.mail.smtp.service import Door
from freehold.storage.database import Transaction
from tests.mail_host import Client, MailHost, connected

ANN = "RCPT TO:<ann@example.test>"
BOB = "RCPT TO:<bob@example.test>"


async def set_use(tx: Transaction, address: str, used_bytes: int) -> None:
    await tx.execute("UPDATE mailbox SET used_bytes = ? WHERE address = ?", used_bytes, address)


async def set_owner_limit(tx: Transaction, limit_bytes: int) -> None:
    await tx.execute("UPDATE owner SET max_storage_bytes = ?", limit_bytes)


async def begin(client: Client, size: int) -> None:
    await client.reply()
    await client.ask("EHLO remote.test")
    await client.ask(f"MAIL FROM:<e@remote.test> SIZE={size}")


async def test_a_full_mailbox_is_refused_at_rcpt_and_others_are_not(any_host: MailHost) -> None:
    await any_host.set_quota("ann@example.test", 1000)
    await any_host.runtime.database.write(set_use, "ann@example.test", 900)
    async with any_host.listening(any_host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client, 200)
        assert await client.ask(ANN) == "452 4.2.2 Mailbox is full"
        assert (await client.ask(BOB)).startswith("250")


async def test_a_message_that_never_fits_is_refused_for_good(any_host: MailHost) -> None:
    await any_host.set_quota("ann@example.test", 1000)
    async with any_host.listening(any_host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client, 1001)
        assert await client.ask(ANN) == "552 5.2.3 Message is larger than the mailbox may be"


async def test_messages_on_their_way_exceed_a_quota_by_their_own_sizes_only(any_host: MailHost) -> None:
    await any_host.set_quota("ann@example.test", 1000)
    octets = b"x" * 900 + b"\r\n.\r\n"
    async with (
        any_host.listening(any_host.smtp(Door.EXCHANGE)) as port,
        connected(port) as first,
        connected(port) as second,
        connected(port) as third,
    ):
        for client in (first, second, third):
            await begin(client, 900)
        for client in (first, second):
            assert (await client.ask(ANN)).startswith("250")
            await client.ask("DATA")
        for client in (first, second):
            client.send(octets)
        for client in (first, second):
            assert (await client.reply()).startswith("250")
        assert (await third.ask(ANN)).startswith("452")
    assert len(await any_host.messages_of("ann@example.test")) == 2


async def test_the_owner_limit_counts_all_its_mailboxes(any_host: MailHost) -> None:
    database = any_host.runtime.database
    await database.write(set_owner_limit, 1000)
    await database.write(set_use, "ann@example.test", 900)
    async with any_host.listening(any_host.smtp(Door.EXCHANGE)) as port, connected(port) as client:
        await begin(client, 101)
        full = "452 4.2.2 The storage shared by the mailboxes of this owner is full"
        assert await client.ask(BOB) == full
        await database.write(set_use, "ann@example.test", 899)
        assert (await client.ask(BOB)).startswith("250")
