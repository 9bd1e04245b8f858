"""Dates and date-times of commands and responses as UTC milliseconds (RFC 9051 §9, date and date-time)."""

import re
from datetime import UTC, date, datetime, timedelta

from freehold.protocols.imap.errors import CommandError

MONTHS = (b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV", b"DEC")
_MONTH_NUMBERS = {name: number for number, name in enumerate(MONTHS, 1)}
_MONTH_NAMES = tuple(name.capitalize() for name in MONTHS)

# date-text = date-day "-" date-month "-" date-year
_DATE = re.compile(rb"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
# date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
_DATE_TIME = re.compile(
    rb"( ?\d|\d\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])([01]\d|2[0-3])([0-5]\d)",
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_PER_DAY = 86_400_000
_LAST_HOUR, _LAST_MINUTE, _LEAP_SECOND = 23, 59, 60


def parse_date(raw: bytes) -> int:
    """Read `1-Feb-2026` as the midnight (UTC) that begins it.

    Raises:
        CommandError: no such day.
    """
    match = _DATE.fullmatch(raw)
    if match is None:
        raise CommandError("invalid date")
    return _day_ms(match[1], match[2], match[3])


def parse_date_time(raw: bytes) -> int:
    """Read ` 1-Feb-2026 12:00:00 +0100`; a leap second counts as the next minute's first.

    Raises:
        CommandError: no such instant.
    """
    match = _DATE_TIME.fullmatch(raw)
    if match is None:
        raise CommandError("invalid date-time")
    hour, minute, second = int(match[4]), int(match[5]), int(match[6])
    if hour > _LAST_HOUR or minute > _LAST_MINUTE or second > _LEAP_SECOND:
        raise CommandError("invalid time of day")
    offset = (int(match[8]) * 60 + int(match[9])) * 60_000
    local = _day_ms(match[1].strip(), match[2], match[3]) + ((hour * 60 + minute) * 60 + second) * 1000
    return local - offset if match[7] == b"+" else local + offset


def format_date_time(when_ms: int) -> bytes:
    """Write an instant as a quoted date-time in UTC; years are kept within 1 to 9999."""
    try:
        when = _EPOCH + timedelta(milliseconds=when_ms)
    except OverflowError:
        when = datetime.max.replace(tzinfo=UTC) if when_ms > 0 else datetime.min.replace(tzinfo=UTC)
    day = b'"%2d-%b-%04d ' % (when.day, _MONTH_NAMES[when.month - 1], when.year)
    return day + b'%02d:%02d:%02d +0000"' % (when.hour, when.minute, when.second)


def _day_ms(day: bytes, month: bytes, year: bytes) -> int:
    try:
        ordinal = date(int(year), _MONTH_NUMBERS[month.upper()], int(day)).toordinal()
    except (KeyError, ValueError) as error:
        raise CommandError("invalid date") from error
    return (ordinal - _EPOCH_DAY) * _MS_PER_DAY
