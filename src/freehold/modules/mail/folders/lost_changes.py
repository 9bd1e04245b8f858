"""What a loss of power took back: changes of flags whose modseqs clients had been told.

A change of flags is committed without a sync of its own (`Database.write_relaxed`), so a machine that loses
power may forget those of the last second, and the counter of modseqs with them. Its numbers are not given
again: after each start of the machine the counters skip ahead, and every folder's modseq with them. What is
skipped is kept as a gap, for it is no change. A client that comes back with an earlier modseq may have seen
what was lost, even if it names one that was not: it is told the flags of all messages, once.
"""

from pathlib import Path
from typing import Final

from freehold.kernel.module import Runtime
from freehold.storage.database import Transaction

SKIPPED_MODSEQS: Final = 1 << 24
"""More than a mailbox can change in the second before a loss of power."""
BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
"""Names the machine's start (Linux); elsewhere every start of a process counts as one."""


async def prepare(runtime: Runtime) -> None:
    """Skip the modseqs that may have been lost, if the machine has started anew; nothing on PostgreSQL."""
    if runtime.database.engine == "postgres":
        return
    boot = _read_boot()
    if not boot or await runtime.database.read(_noted_boot) != boot:
        await runtime.database.write(note_boot, boot)


async def note_boot(tx: Transaction, boot: str) -> None:
    """Note another start of the machine: all counters skip ahead, and those of folders follow.

    A mailbox that has not changed since the last time has its gap widened: it gets no second one.
    """
    if await _noted_boot(tx) == boot != "":
        return
    await tx.execute("DELETE FROM machine_boot")
    await tx.execute("INSERT INTO machine_boot (boot) VALUES (?)", boot)
    await tx.execute(
        "UPDATE modseq_gap SET last = last + ?"
        " WHERE last = (SELECT m.modseq FROM mailbox AS m WHERE m.id = modseq_gap.mailbox_id)",
        SKIPPED_MODSEQS,
    )
    await tx.execute("UPDATE mailbox SET modseq = modseq + ?", SKIPPED_MODSEQS)
    await tx.execute(
        "INSERT INTO modseq_gap (mailbox_id, kept, last)"
        " SELECT m.id, m.modseq - ?, m.modseq FROM mailbox AS m WHERE NOT EXISTS"
        " (SELECT 1 FROM modseq_gap AS g WHERE g.mailbox_id = m.id AND g.last = m.modseq)",
        SKIPPED_MODSEQS,
    )
    await tx.execute(
        "UPDATE folder SET modseq = (SELECT m.modseq FROM mailbox AS m WHERE m.id = folder.mailbox_id)"
    )


async def known_modseq(tx: Transaction, mailbox_id: int, modseq: int) -> int:
    """Return since when a client that names `modseq` must be told flags; 0: it may know of lost ones."""
    later = await tx.fetch_one(
        "SELECT last FROM modseq_gap WHERE mailbox_id = ? AND last > ? LIMIT 1", mailbox_id, modseq
    )
    return modseq if later is None else 0


def _read_boot() -> str:
    """Return the name of the machine's present start, empty if there is none."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


async def _noted_boot(tx: Transaction) -> str | None:
    row = await tx.fetch_one("SELECT boot FROM machine_boot")
    return None if row is None else str(row[0])
