"""INTERNALDATE of many messages: the date of a day is written once and kept."""

from collections.abc import Iterable
from typing import Any

from freehold.protocols.imap.dates import format_date_time

SECONDS_PER_DAY = 86_400
MAX_KEPT_DAYS = 4096
_DATE_BYTES = len(b'"01-Jan-2026 ')


class _Days(dict[int, bytes]):
    """The start of the quoted date-time of each day since 1970."""

    def __missing__(self, day: int) -> bytes:
        if len(self) >= MAX_KEPT_DAYS:
            self.clear()
        written = self[day] = format_date_time(day * SECONDS_PER_DAY * 1000)[:_DATE_BYTES]
        return written


_DAYS = _Days()


def internal_dates(moments_ms: Iterable[Any]) -> list[bytes]:
    """Return the quoted date-times, in UTC."""
    days = _DAYS
    written = []
    for moment_ms in moments_ms:
        day, rest = divmod(moment_ms // 1000, SECONDS_PER_DAY)
        minutes, second = divmod(rest, 60)
        hour, minute = divmod(minutes, 60)
        written.append(b'%b%02d:%02d:%02d +0000"' % (days[day], hour, minute, second))
    return written
