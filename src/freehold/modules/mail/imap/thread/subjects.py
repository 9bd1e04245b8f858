"""Threads by what messages are about: the algorithm ORDEREDSUBJECT (RFC 5256 §3)."""

from collections.abc import Iterable

from freehold.modules.mail.imap.thread.rows import ThreadRow
from freehold.protocols.imap.thread import ThreadNode


def thread_by_subject(rows: Iterable[ThreadRow]) -> list[ThreadNode]:
    """Return one thread for each base subject: its oldest message, with all others below it."""
    threads: dict[str, ThreadNode] = {}
    for row in sorted(rows, key=_by_date):
        first = threads.get(row.subject)
        if first is None:
            threads[row.subject] = ThreadNode(row.number)
        else:
            first.children.append(ThreadNode(row.number))
    return list(threads.values())


def _by_date(row: ThreadRow) -> tuple[int, int]:
    return row.sent_ms, row.number
