"""GETQUOTA, GETQUOTAROOT, SETQUOTA, OVERQUOTA, and STATUS DELETED-STORAGE (RFC 9208)."""

import asyncio

from freehold.storage.database import Transaction
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, member

KIB = 1024
ANN = "ann@example.test"


def message_of(octets: int) -> bytes:
    return b"Subject: x\r\n\r\n".ljust(octets, b"x")


async def set_owner_limit(tx: Transaction, limit_bytes: int) -> None:
    await tx.execute("UPDATE owner SET max_storage_bytes = ?", limit_bytes)


async def used_of(tx: Transaction, address: str) -> int:
    row = await tx.fetch_one("SELECT used_bytes FROM mailbox WHERE address = ?", address)
    assert row is not None
    return int(row[0])


async def test_use_is_rounded_up_and_the_limit_down(any_host: MailHost, any_port: int) -> None:
    await any_host.set_quota(ANN, 10 * KIB + 1000)
    async with member(any_port) as talk:
        await talk.append(b"INBOX", message_of(KIB + 1))
        told = b'* QUOTA "User quota" (STORAGE 2 10)'
        assert await talk.ask(b'GETQUOTA "User quota"') == [told, b"a OK Getquota completed"]
        assert await talk.ask(b"GETQUOTAROOT INBOX") == [
            b'* QUOTAROOT INBOX "User quota"',
            told,
            b"a OK Getquotaroot completed",
        ]


async def test_a_folder_that_is_yet_to_be_made_has_the_same_root(port: int) -> None:
    async with member(port) as talk:
        assert await talk.done(b'GETQUOTAROOT "later on"') == [
            b'* QUOTAROOT "later on" "User quota"',
            b'* QUOTA "User quota" ()',
        ]


async def test_nothing_is_told_of_the_quota_of_others(port: int) -> None:
    async with member(port) as talk:
        assert await talk.done(b'GETQUOTAROOT "Other Users/bob@example.test/INBOX"') == [
            b'* QUOTAROOT "Other Users/bob@example.test/INBOX"'
        ]


async def test_other_roots_do_not_exist_and_quotas_cannot_be_set(port: int) -> None:
    async with member(port) as talk:
        assert await talk.refused(b'GETQUOTA "bob@example.test"') == b"NO [NONEXISTENT] no such quota root"
        assert await talk.refused(b'SETQUOTA "User quota" (STORAGE 512)') == (
            b"NO [NOPERM] quotas are set by the administrator"
        )
        [line] = await talk.done(b"CAPABILITY")
        assert b" QUOTA QUOTA=RES-STORAGE " in line + b" "
        assert b"QUOTASET" not in line


async def test_append_and_copy_beyond_the_quota_are_refused(any_host: MailHost, any_port: int) -> None:
    await any_host.set_quota(ANN, 3 * KIB)
    async with member(any_port) as talk:
        await talk.append(b"INBOX", message_of(2 * KIB))
        await talk.done(b"SELECT INBOX")
        assert await talk.append(b"INBOX", message_of(2 * KIB)) == b"a NO [OVERQUOTA] mailbox is full"
        assert await talk.append(b"INBOX", message_of(4 * KIB)) == (
            b"a NO [OVERQUOTA] message is larger than the mailbox may be"
        )
        assert await talk.refused(b"COPY 1 Trash") == b"NO [OVERQUOTA] mailbox is full"
        await talk.done(b"MOVE 1 Trash")
        assert await talk.done(b'GETQUOTA "User quota"') == [b'* QUOTA "User quota" (STORAGE 2 3)']


async def test_what_is_nearly_full_is_told_after_what_filled_it(host: MailHost, port: int) -> None:
    await host.set_quota(ANN, 10 * KIB)
    async with member(port) as talk:
        talk.send(b"a APPEND INBOX {4864+}\r\n" + message_of(4864) + b"\r\n")
        assert len(await talk.replies()) == 1
        await talk.done(b"SELECT INBOX")
        assert b"* NO [OVERQUOTA] Your mailbox is 95 % full" in await talk.done(b"COPY 1 Trash")
        talk.send(b"a APPEND Sent {500+}\r\n" + message_of(500) + b"\r\n")
        lines = await talk.replies()
        assert lines[0] == b"* NO [OVERQUOTA] Your mailbox is 99 % full"


async def test_the_owner_limit_holds_for_all_its_mailboxes(any_host: MailHost, any_port: int) -> None:
    await any_host.runtime.database.write(set_owner_limit, 5 * KIB)
    full = b"NO [OVERQUOTA] the storage shared by the mailboxes of this owner is full"
    async with member(any_port) as ann, member(any_port, b"bob@example.test") as bob:
        assert (await ann.append(b"INBOX", message_of(3 * KIB))).startswith(b"a OK")
        assert await bob.append(b"INBOX", message_of(3 * KIB)) == b"a " + full
        assert (await bob.append(b"INBOX", message_of(2 * KIB))).startswith(b"a OK")
        await bob.done(b"SELECT INBOX")
        assert await bob.refused(b"COPY 1 Trash") == full
        assert await bob.done(b'GETQUOTA "User quota"') == [b'* QUOTA "User quota" ()']


async def test_appends_at_once_never_exceed_the_quota(any_host: MailHost, any_port: int) -> None:
    await any_host.set_quota(ANN, 5 * KIB)

    async def append(talk: ImapTalk) -> bytes:
        return await talk.append(b"INBOX", message_of(KIB))

    async with member(any_port) as first, member(any_port) as second, member(any_port) as third:
        for _ in range(4):
            await asyncio.gather(append(first), append(second), append(third))
    assert await any_host.runtime.database.read(used_of, ANN) == 5 * KIB


async def test_appends_to_two_mailboxes_at_once_never_exceed_the_owner_limit(
    any_host: MailHost, any_port: int
) -> None:
    database = any_host.runtime.database
    await database.write(set_owner_limit, 5 * KIB)
    async with member(any_port) as ann, member(any_port, b"bob@example.test") as bob:
        for _ in range(4):
            await asyncio.gather(*(talk.append(b"INBOX", message_of(KIB)) for talk in (ann, bob)))
    used = [await database.read(used_of, address) for address in (ANN, "bob@example.test")]
    assert sum(used) == 5 * KIB


async def test_status_tells_how_many_octets_an_expunge_frees(any_port: int) -> None:
    async with member(any_port) as talk:
        for octets in (100, 200, 300):
            await talk.append(b"INBOX", message_of(octets), b"(\\Deleted) " if octets < 300 else b"")
        assert await talk.done(b"STATUS INBOX (MESSAGES DELETED DELETED-STORAGE)") == [
            b"* STATUS INBOX (MESSAGES 3 DELETED 2 DELETED-STORAGE 300)"
        ]
        assert await talk.done(b"STATUS Trash (DELETED-STORAGE)") == [b"* STATUS Trash (DELETED-STORAGE 0)"]
