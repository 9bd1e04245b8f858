"""Clients that were told of changes of flags which a loss of power took back."""

import re
from pathlib import Path

import pytest

from freehold.modules.mail.folders import lost_changes
from freehold.modules.mail.folders.lost_changes import SKIPPED_MODSEQS, known_modseq, note_boot, prepare
from freehold.storage import sqlite_writer
from freehold.storage.database import Database, Row, Transaction
from freehold.storage.open import open_database
from tests.mail_host import SCHEMAS, MailHost, mail_host
from tests.modules.mail.imap.client import ImapTalk, imap, member
from tests.power import copy_as_after_a_loss, log_bytes

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


class Machine:
    """What names this machine's start."""

    def __init__(self, path: Path) -> None:
        self.boot_id = path
        self.start("first")

    def start(self, name: str) -> None:
        """Start anew."""
        self.boot_id.write_text(f"{name}\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine in the place of this one."""
    made = Machine(tmp_path / "boot_id")
    monkeypatch.setattr(lost_changes, "BOOT_ID", made.boot_id)
    return made


async def counters(tx: Transaction) -> list[int]:
    return [row[0] for row in await tx.fetch("SELECT modseq FROM mailbox ORDER BY id")]


async def gaps(tx: Transaction) -> list[Row]:
    return await tx.fetch("SELECT mailbox_id, kept, last FROM modseq_gap ORDER BY mailbox_id, kept")


async def change_first(tx: Transaction, mailbox_id: int) -> int:
    row = await tx.fetch_one(
        "UPDATE mailbox SET modseq = modseq + 1 WHERE id = ? RETURNING modseq", mailbox_id
    )
    assert row is not None
    return int(row[0])


async def first_mailbox(tx: Transaction) -> int:
    row = await tx.fetch_one("SELECT MIN(id) FROM mailbox")
    assert row is not None
    return int(row[0])


async def modseq_of(talk: ImapTalk, command: bytes) -> int:
    """Run a command that is answered by one FETCH; returns its mod-sequence."""
    (line,) = await talk.done(command)
    found = re.search(rb"MODSEQ \((\d+)\)", line)
    assert found is not None
    return int(found[1])


async def lose_power(host: MailHost, path: Path, after: Path) -> int:
    """Flag the second of three messages, and copy the database without that; returns its modseq."""
    async with host.listening(imap(host), tls=False) as port, member(port) as talk:
        for _ in range(3):
            await talk.append(b"INBOX", MESSAGE)
        await talk.done(b"SELECT INBOX (CONDSTORE)")
        await talk.done(b"STORE 1 +FLAGS.SILENT (\\Answered)")
        await talk.append(b"INBOX", MESSAGE)
        synced = log_bytes(path)
        lost = await modseq_of(talk, b"STORE 2 +FLAGS (\\Flagged)")
        assert await modseq_of(talk, b"STORE 3 +FLAGS (\\Deleted)") == lost + 1
        copy_as_after_a_loss(path, after, synced=synced)
    return lost


async def test_a_client_that_has_seen_lost_flags_is_told_all_flags_anew(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_writer, "RELAXED_SECONDS", 3600)
    before, after = tmp_path / "before.db", tmp_path / "after.db"
    database = await open_database(str(before), schemas=SCHEMAS)
    async with mail_host(database, tmp_path) as host:
        await host.add_people("ann@example.test")
        await prepare(host.runtime)
        lost = await lose_power(host, before, after)
    await database.close()

    machine.start("second")
    database = await open_database(str(after), schemas=SCHEMAS)
    async with mail_host(database, tmp_path) as host:
        await prepare(host.runtime)
        async with host.listening(imap(host), tls=False) as port, member(port) as talk:
            await check_resynchronisation(talk, lost)
    await database.close()


async def check_resynchronisation(talk: ImapTalk, lost: int) -> None:
    """See that whoever may know lost flags is told all, once, and that no modseq is given again."""
    await talk.done(b"ENABLE QRESYNC")
    validity = re.search(rb"UIDVALIDITY (\d+)", b" ".join(await talk.done(b"STATUS INBOX (UIDVALIDITY)")))
    assert validity is not None
    everything = [
        b"* 1 FETCH (UID 1 FLAGS (\\Answered)",
        b"* 2 FETCH (UID 2 FLAGS ()",
        b"* 3 FETCH (UID 3 FLAGS ()",
        b"* 4 FETCH (UID 4 FLAGS ()",
    ]
    skipped = lost - 1 + SKIPPED_MODSEQS
    for claimed, told in ((lost - 1, everything), (lost, everything), (lost + 1, everything), (skipped, [])):
        selected = await talk.done(b"SELECT INBOX (QRESYNC (%b %d))" % (validity[1], claimed))
        assert any(b"HIGHESTMODSEQ %d]" % skipped in line for line in selected)
        assert [line.partition(b" MODSEQ")[0] for line in selected if b" FETCH " in line] == told
        fetched = await talk.done(b"FETCH 1:* FLAGS (CHANGEDSINCE %d)" % claimed)
        assert len(fetched) == len(told)
    changed = await modseq_of(talk, b"STORE 4 +FLAGS (\\Draft)")
    assert changed == skipped + 1
    assert await talk.done(b"FETCH 1:* UID (CHANGEDSINCE %d)" % changed) == []
    assert len(await talk.done(b"FETCH 1:* UID (CHANGEDSINCE %d)" % skipped)) == 1


async def test_only_another_start_of_the_machine_skips_modseqs(
    host: MailHost, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = host.runtime.database
    await prepare(host.runtime)
    first = await database.read(counters)
    await prepare(host.runtime)
    assert await database.read(counters) == first
    machine.start("second")
    await prepare(host.runtime)
    second = await database.read(counters)
    assert second == [each + SKIPPED_MODSEQS for each in first]
    await prepare(host.runtime)
    assert await database.read(counters) == second
    monkeypatch.setattr(lost_changes, "BOOT_ID", machine.boot_id.with_name("missing"))
    await prepare(host.runtime)
    assert await database.read(counters) == [each + SKIPPED_MODSEQS for each in second]


async def test_nothing_is_skipped_on_postgresql_where_every_commit_is_durable(
    any_host: MailHost, machine: Machine
) -> None:
    machine.start("second")
    await prepare(any_host.runtime)
    skipped = await any_host.runtime.database.read(gaps)
    assert bool(skipped) == (any_host.runtime.database.engine == "sqlite")


async def test_a_gap_is_widened_while_nothing_changes_and_lasts_for_all_who_name_less(
    any_host: MailHost,
) -> None:
    database: Database = any_host.runtime.database
    mailbox = await database.read(first_mailbox)
    kept = (await database.read(counters))[0]
    await database.write(note_boot, "one")
    await database.write(note_boot, "two")
    wide = kept + 2 * SKIPPED_MODSEQS
    changed = await database.write(change_first, mailbox)
    assert changed == wide + 1
    await database.write(note_boot, "three")

    told = [row[1:] for row in await database.read(gaps) if row[0] == mailbox]
    assert told == [(kept, wide), (changed, changed + SKIPPED_MODSEQS)]
    newest = changed + SKIPPED_MODSEQS
    for modseq in (1, kept, kept + 1, wide, changed, newest - 1):
        assert await database.read(known_modseq, mailbox, modseq) == 0
    for modseq in (newest, newest + 1):
        assert await database.read(known_modseq, mailbox, modseq) == modseq
