"""Threads by what messages are about: the algorithm ORDEREDSUBJECT (RFC 5256 §3)."""

from freehold.modules.mail.imap.thread.rows import ThreadRows
from freehold.protocols.imap.thread import ThreadNode


def thread_by_subject(rows: ThreadRows) -> list[ThreadNode]:
    """Return one thread for each base subject: its oldest message, with all others below it."""
    threads: dict[int, ThreadNode] = {}
    subjects, numbers = rows.subjects, rows.numbers
    for row in rows.by_date():
        node, subject = ThreadNode(numbers[row]), subjects[row]
        first = threads.setdefault(subject, node)
        if first is not node:
            first.children.append(node)
    return list(threads.values())
