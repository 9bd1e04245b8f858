"""Threads by what messages are about: the algorithm ORDEREDSUBJECT (RFC 5256 §3)."""

from freehold.modules.mail.imap.thread.rows import ThreadRows
from freehold.protocols.imap.thread import Threads


def thread_by_subject(rows: ThreadRows) -> Threads:
    """Return one thread for each base subject: its oldest message, with all others below it."""
    first_of: dict[int, int] = {}
    children: dict[int, list[int]] = {}
    numbers, subjects = rows.numbers, rows.subjects
    for index in rows.by_date():
        number = numbers[index]
        first = first_of.setdefault(subjects[index], number)
        if first != number:
            children.setdefault(first, []).append(number)
    return Threads(list(first_of.values()), children)
