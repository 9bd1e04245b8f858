"""Warnings of mailboxes and owners that fill up: once for each crossing, whatever happens between."""

import asyncio
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Literal

import pytest

from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.modules.mail.addresses.mailboxes import set_mailbox_disabled
from freehold.modules.mail.events import FolderChanged
from freehold.modules.mail.folders.quota import Use
from freehold.modules.mail.quota_notice import Notice, write_notice
from freehold.modules.mail.quota_warnings import warn_all
from freehold.storage.database import Database, Row, Transaction
from tests.mail_host import MailHost

ANN = "ann@example.test"
BOB = "bob@example.test"
QUOTA = 1_000_000


async def set_use(tx: Transaction, address: str, used_bytes: int) -> None:
    await tx.execute("UPDATE mailbox SET used_bytes = ? WHERE address = ?", used_bytes, address)


async def set_owner(tx: Transaction, name: str, limit_bytes: int) -> None:
    await tx.execute("UPDATE owner SET max_storage_bytes = ?, name = ?", limit_bytes, name)


async def all_warnings(tx: Transaction) -> list[Row]:
    return await tx.fetch("SELECT kind, holder_id, percent FROM quota_warning ORDER BY kind, holder_id")


async def use(host: MailHost, percent: float, address: str = ANN) -> None:
    """Say that a mailbox is so full, and look for crossings."""
    await host.runtime.database.write(set_use, address, int(QUOTA * percent / 100))
    await warn_all(host.runtime)


async def mails_of(host: MailHost, address: str = ANN) -> list[EmailMessage]:
    return [message_from_bytes(each, policy=policy.default) for each in await host.messages_of(address)]


async def subjects_of(host: MailHost, address: str = ANN) -> list[str]:
    return [str(mail["Subject"]) for mail in await mails_of(host, address)]


async def test_each_share_is_told_once_and_again_after_the_use_fell_below(any_host: MailHost) -> None:
    await any_host.set_quota(ANN, QUOTA)
    for percent in (79.9, 80, 90, 94.9, 95, 99):
        await use(any_host, percent)
    told = ["Your mailbox is 80 % full", "Your mailbox is 95 % full"]
    assert await subjects_of(any_host) == told
    await use(any_host, 85)
    await use(any_host, 96)
    told.append("Your mailbox is 96 % full")
    assert await subjects_of(any_host) == told
    await use(any_host, 50)
    assert await any_host.runtime.database.read(all_warnings) == []
    await use(any_host, 97)
    assert await subjects_of(any_host) == [*told, "Your mailbox is 97 % full"]
    assert await subjects_of(any_host, BOB) == []


async def test_the_warning_is_no_answer_and_gets_none(host: MailHost) -> None:
    await host.set_quota(ANN, QUOTA)
    await use(host, 82)
    [mail] = await mails_of(host)
    assert (mail["Return-Path"], mail["Auto-Submitted"]) == ("<>", "auto-generated")
    assert (mail["From"], mail["To"]) == ("Postmaster <postmaster@example.test>", ANN)
    assert mail["Date"]
    assert mail["Message-ID"]
    text = mail.get_content()
    assert "your mailbox ann@example.test now uses 800.8 KiB of 976.6 KiB (82 %)." in text
    assert "new mail still arrives" in text
    assert "once more when 95 % are used" in " ".join(text.split())


async def test_a_quota_that_was_taken_away_or_raised_ends_the_warnings(any_host: MailHost) -> None:
    await any_host.set_quota(ANN, QUOTA)
    await use(any_host, 96)
    await any_host.set_quota(ANN, None)
    await warn_all(any_host.runtime)
    assert await any_host.runtime.database.read(all_warnings) == []
    assert len(await subjects_of(any_host)) == 1


async def test_two_that_saw_the_same_crossing_warn_once(any_host: MailHost) -> None:
    await any_host.set_quota(ANN, QUOTA)
    await any_host.runtime.database.write(set_use, ANN, QUOTA)
    await asyncio.gather(*(warn_all(any_host.runtime) for _ in range(3)))
    assert await subjects_of(any_host) == ["Your mailbox is 100 % full"]


class _PowerLostError(Exception):
    """Stands for the end of the process."""


@dataclass
class DyingDatabase:
    """Loses power when a transaction has done all its work and is about to commit."""

    database: Database
    engine: Literal["sqlite", "postgres"]

    async def read(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        return await self.database.read(function, *args, **kwargs)

    async def read_long(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        return await self.database.read_long(function, *args, **kwargs)

    async def write(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        async def work_and_die(tx: Transaction) -> None:
            await function(tx, *args, **kwargs)
            raise _PowerLostError

        await self.database.write(work_and_die)

    write_relaxed = write

    def reusable_bytes(self) -> int:
        return self.database.reusable_bytes()

    async def close(self) -> None:
        """The database is somebody else's."""


async def test_a_crash_leaves_both_the_warning_and_its_note_or_neither(any_host: MailHost) -> None:
    runtime = any_host.runtime
    await any_host.set_quota(ANN, QUOTA)
    await runtime.database.write(set_use, ANN, QUOTA)
    with pytest.raises(_PowerLostError):
        await warn_all(replace(runtime, database=DyingDatabase(runtime.database, runtime.database.engine)))
    assert await runtime.database.read(all_warnings) == []
    assert await subjects_of(any_host) == []
    await warn_all(runtime)
    await warn_all(runtime)
    assert await subjects_of(any_host) == ["Your mailbox is 100 % full"]
    assert [row[2] for row in await runtime.database.read(all_warnings)] == [95]


async def test_sessions_that_idle_in_the_inbox_hear_of_it(host: MailHost) -> None:
    heard: list[FolderChanged] = []
    host.runtime.bus.subscribe(FolderChanged, heard.append)
    await host.set_quota(ANN, QUOTA)
    await use(host, 82)
    await asyncio.sleep(0)
    assert len(heard) == 1


async def test_a_disabled_mailbox_is_left_alone(any_host: MailHost) -> None:
    await any_host.set_quota(ANN, QUOTA)
    await any_host.runtime.database.write(
        set_mailbox_disabled, HOST_ADMINISTRATOR, ANN, is_disabled=True, now_ms=1
    )
    await use(any_host, 99)
    assert await subjects_of(any_host) == []


@pytest.mark.parametrize(("name", "reader"), [("admin", ANN), (BOB, BOB), ("gone@example.test", ANN)])
async def test_an_owner_is_told_by_name_or_as_postmaster(any_host: MailHost, name: str, reader: str) -> None:
    database = any_host.runtime.database
    await any_host.add_alias("postmaster@example.test", ANN)
    await database.write(set_owner, name, QUOTA)
    await database.write(set_use, ANN, QUOTA // 2)
    await use(any_host, 45, BOB)
    await use(any_host, 46, BOB)
    assert await subjects_of(any_host, reader) == [f"The storage of {name} is 95 % full"]
    [mail] = await mails_of(any_host, reader)
    text = " ".join(mail.get_content().split())
    assert f"the mailboxes of {name} together now use 927.7 KiB of 976.6 KiB (95 %)." in text


def test_who_is_full_reads_that_mail_cannot_be_taken() -> None:
    written = write_notice(Notice(ANN, "mail.example.test", Use(10, 10), None, 0))
    assert b"Nothing is lost, but new mail can no longer be taken." in b" ".join(written.split())
    assert max(map(len, written.split(b"\r\n"))) <= 78


def test_names_start_no_header_of_their_own() -> None:
    notice = Notice(ANN, "mail.example.test", Use(8, 10), "eve\r\nBcc: all@example.test", 0)
    mail = message_from_bytes(write_notice(notice), policy=policy.default)
    assert mail["Bcc"] is None
