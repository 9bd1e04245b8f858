"""Checks of what is left after a storm: the mailboxes against the ledger, and the storage against itself."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from freehold.accounts import SCHEMA as ACCOUNTS_SCHEMA
from freehold.kernel.clock import SystemClock
from freehold.modules.mail import MODULE
from freehold.storage.blobs import BlobSettings, open_blobs
from freehold.storage.database import Database, Row, Transaction
from freehold.storage.open import open_database
from tests.scenarios.load import PASSWORD, Fate, Ledger
from tests.scenarios.server import Server
from tests.scenarios.wire import connected, fetch, log_in, status

FETCHED_AT_ONCE = 200
EMPTY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Storage:
    """What the database and the folder of large contents hold."""

    rows: int
    files: int
    orphans: int


async def check_mailbox(server: Server, address: str, ledger: Ledger) -> int:
    """Check over IMAP that INBOX holds what was acknowledged, once and unchanged; returns how much."""
    found: Counter[bytes] = Counter()
    uids: list[int] = []
    unseen = size = 0
    async with connected(server.ports["imap"]) as wire:
        await log_in(wire, address, PASSWORD)
        counters = await status(wire, "INBOX")
        lines = await wire.run(b"e", b"EXAMINE INBOX")
        exists = next(int(line.split()[1]) for line in lines if line.endswith(b" EXISTS\r\n"))
        for start in range(1, exists + 1, FETCHED_AT_ONCE):
            end = min(start + FETCHED_AT_ONCE - 1, exists)
            async for message in fetch(wire, b"%d:%d" % (start, end)):
                found[ledger.identify(message.content)] += 1
                uids.append(message.uid)
                assert message.size == len(message.content)
                assert message.number == len(uids)
                unseen += rb"\Seen" not in message.flags
                size += message.size
    assert uids == sorted(set(uids))
    assert (exists, counters["MESSAGES"]) == (len(uids), len(uids))
    assert (counters["UNSEEN"], counters["SIZE"]) == (unseen, size)
    assert counters["UIDNEXT"] > (uids[-1] if uids else 0)
    assert not ledger.ids(address, Fate.TAKEN) - found.keys(), "acknowledged messages are lost"
    assert not found.keys() - ledger.ids(address), "messages that nobody sent here"
    assert not [identity for identity, count in found.items() if count > 1], "delivered twice"
    return len(uids)


async def check_storage(server: Server) -> Storage:
    """Check a stopped server's rows and files: references, counters, integrity; sweeps what crashes left."""
    database = await open_database(
        server.database or str(server.data / "freehold.db"), schemas=[ACCOUNTS_SCHEMA, *MODULE.schemas]
    )
    try:
        if database.engine == "sqlite":
            assert await database.read_long(_rows, "PRAGMA integrity_check") == [("ok",)]
            assert await database.read_long(_rows, "PRAGMA foreign_key_check") == []
        await _check_references(database)
        await _check_counters(database)
        await _check_sequences(database)
        return await _check_files(database, server.data / "blobs")
    finally:
        await database.close()


async def _rows(tx: Transaction, sql: str) -> list[Row]:
    return await tx.fetch(sql)


async def _check_references(database: Database) -> None:
    """Check that each content is named as often as it says, and has its summary where a folder names it."""
    named = await database.read_long(
        _rows,
        "SELECT blob_id, COUNT(*) FROM (SELECT blob_id FROM message"
        " UNION ALL SELECT blob_id FROM queue_message) AS named GROUP BY blob_id",
    )
    counted = await database.read_long(_rows, "SELECT id, refs FROM blob")
    assert dict(map(tuple, counted)) == dict(map(tuple, named))
    summaries = {row[0] for row in await database.read_long(_rows, "SELECT blob_id FROM message_summary")}
    messages = {row[0] for row in await database.read_long(_rows, "SELECT blob_id FROM message")}
    assert messages <= summaries
    assert summaries <= {row[0] for row in counted}


async def _check_counters(database: Database) -> None:
    """Check what folders and mailboxes count against the messages."""
    kept = await database.read_long(
        _rows,
        "SELECT f.id, f.message_count, f.unseen_count, f.size_bytes FROM folder f"
        " WHERE f.message_count > 0 ORDER BY f.id",
    )
    real = await database.read_long(
        _rows,
        "SELECT id / 4294967296, COUNT(*), SUM(CASE WHEN flags & 1 = 0 THEN 1 ELSE 0 END), SUM(size_bytes)"
        " FROM message GROUP BY id / 4294967296 ORDER BY 1",
    )
    assert [tuple(map(int, row)) for row in kept] == [tuple(map(int, row)) for row in real]
    totals = await database.read_long(
        _rows, "SELECT id, message_count, used_bytes FROM mailbox WHERE message_count > 0 ORDER BY id"
    )
    sums = await database.read_long(
        _rows,
        "SELECT mailbox_id, COUNT(*), SUM(size_bytes) FROM message GROUP BY mailbox_id ORDER BY mailbox_id",
    )
    assert [tuple(map(int, row)) for row in totals] == [tuple(map(int, row)) for row in sums]


async def _check_sequences(database: Database) -> None:
    """Check that UIDs and modseqs stay below what their folder and mailbox have given out."""
    for wrong in (
        "SELECT m.id FROM message m LEFT JOIN folder f ON f.id = m.id / 4294967296"
        " WHERE f.id IS NULL OR f.mailbox_id <> m.mailbox_id OR m.modseq < 1 OR m.modseq > f.modseq"
        " OR m.id % 4294967296 < 1 OR m.id % 4294967296 >= f.uid_next",
        "SELECT f.id FROM folder f JOIN mailbox b ON b.id = f.mailbox_id"
        " WHERE f.modseq > b.modseq OR f.recent_uid > f.uid_next",
        "SELECT c.folder_id, c.modseq FROM change c JOIN folder f ON f.id = c.folder_id"
        " WHERE c.first_uid > c.last_uid OR c.last_uid >= f.uid_next"
        " OR (c.reader_id = 0 AND c.modseq > f.modseq)",
        # An expunged UID never comes again (RFC 9051 §2.3.1.1).
        "SELECT c.folder_id, m.id FROM change c JOIN message m"
        " ON m.id BETWEEN c.folder_id * 4294967296 + c.first_uid AND c.folder_id * 4294967296 + c.last_uid"
        " WHERE c.kind = 'expunged'",
    ):
        assert await database.read_long(_rows, wrong) == [], wrong


async def _check_files(database: Database, folder: Path) -> Storage:
    """Sweep what crashes may leave, files that no commit named, and check that files and rows then agree."""
    blobs = open_blobs(database, folder, BlobSettings())
    report = await blobs.sweep(older_than_ms=SystemClock().now_ms() + 60_000)
    assert report.missing == 0, report
    places = await database.read_long(_rows, "SELECT place FROM blob")
    large = {row[0].partition(":")[2] for row in places} - {""}
    files = await asyncio.to_thread(_names, folder)
    assert files == large
    assert await database.read_long(_rows, "SELECT place FROM discarded_blob") == []
    return Storage(len(places) - len(large), len(files), report.orphans + report.unfinished)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


async def wait_for_empty_queue(server: Server) -> None:
    """Wait until the queue has delivered everything."""
    deadline = time.monotonic() + EMPTY_SECONDS
    while entries := await asyncio.to_thread(server.run_json, "queue", "list"):
        assert time.monotonic() < deadline, entries
        await asyncio.sleep(0.2)
