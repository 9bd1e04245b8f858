"""Dates of messages.

Owns RFC 5322 §3.3 with the obsolete forms of §4.3 (two-digit years, named zones, comments), and the
few other forms that old agents write. Time is UTC milliseconds; the clock belongs to the caller.
"""

import re
from datetime import UTC, date, datetime, timedelta

import msgspec

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_UTC_MS = 253_402_300_799_999  # the end of the year 9999
_HOURS = range(24)
_MINUTES = range(60)
_SECONDS = range(61)
_YEAR_DIGITS = 4
_CENTURY_PIVOT = 50  # RFC 5322 §4.3: 00-49 are of this century; 50-99 and three digits count from 1900
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name.lower().encode(): number for number, name in enumerate(_MONTH_NAMES, 1)}
# RFC 5322 §4.3 obs-zone, in minutes; any other name counts as UTC, as its meaning is not known.
_ZONES = {
    b"EST": -300, b"EDT": -240, b"CST": -360, b"CDT": -300, b"MST": -420, b"MDT": -360,
    b"PST": -480, b"PDT": -420, b"CET": 60, b"CEST": 120, b"EET": 120, b"EEST": 180, b"BST": 60,
}  # fmt: skip

MAX_DATE_BYTES = 256
"""How much of a Date field is read."""

_TIME = rb"([0-9]{1,2})[ \t]*[:.][ \t]*([0-9]{2})(?:[ \t]*[:.][ \t]*([0-9]{2})(?:[.,][0-9]+)?)?"
_ZONE = rb"(?:[ \t]*(?:GMT|UTC?)?([+-])([0-9]{2}):?([0-9]{2})|[ \t]*([A-Za-z]{1,5}))?"
# [day-name ","] day month year time zone; also with dashes
_DATE = re.compile(
    rb"(?:[A-Za-z]{2,9}\.?[ \t]*,?[ \t]*)?([0-9]{1,2})[ \t-]*([A-Za-z]{3})[a-z]*[.,]?"
    rb"[ \t-]*([0-9]{2,4}),?[ \t]+" + _TIME + _ZONE
)
# asctime(3): day-name month day time [zone] year
_ASCTIME = re.compile(
    rb"[A-Za-z]{3},?[ \t]+([A-Za-z]{3})[ \t]+([0-9]{1,2})[ \t]+" + _TIME + _ZONE + rb"[ \t]+([0-9]{4})"
)
_COMMENT = re.compile(rb"\((?:[^()\\]|\\.)*\)", re.DOTALL)
_FOLD = re.compile(rb"[\r\n\0]+")
_MAX_COMMENTS = 20


class ZonedDate(msgspec.Struct, frozen=True):
    """A moment, and the zone in which it was written, in minutes east of UTC."""

    utc_ms: int
    offset_minutes: int

    @property
    def written_ordinal(self) -> int:
        """Return the day as written, zone disregarded, as `date.toordinal` counts (IMAP SENTON)."""
        return (self.utc_ms + self.offset_minutes * 60_000) // 86_400_000 + _EPOCH_ORDINAL


def parse_date(value: bytes) -> int | None:
    """Return the UTC milliseconds of a Date field's value, or None where it is no date."""
    zoned = parse_zoned_date(value)
    return None if zoned is None else zoned.utc_ms


def parse_zoned_date(value: bytes) -> ZonedDate | None:
    """Return the moment and zone of a Date field's value, or None where it is no date."""
    text = _FOLD.sub(b" ", value[:MAX_DATE_BYTES]).strip()
    found = _DATE.match(text)
    if found is None and b"(" in text:
        text = _without_comments(text)
        found = _DATE.match(text)
    if found is not None:
        day, month, year, hour, minute, second, sign, east_h, east_m, zone = found.groups()
    else:
        found = _ASCTIME.match(text)
        if found is None:
            return None
        month, day, hour, minute, second, sign, east_h, east_m, zone, year = found.groups()
    offset = _offset(sign, east_h, east_m, zone)
    days = _days(_full_year(year), _MONTHS.get(month.lower(), 0), int(day))
    seconds = _seconds(int(hour), int(minute), int(second or b"0"))
    if days is None or seconds is None:
        return None
    return ZonedDate((days * 86_400 + seconds - offset * 60) * 1000, offset)


def date_header(utc_ms: int) -> str:
    """Return a moment as RFC 5322 §3.3 writes it, in UTC, without the field's name."""
    moment = _EPOCH + timedelta(milliseconds=min(max(utc_ms, 0), _MAX_UTC_MS))
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day} {_MONTH_NAMES[moment.month - 1]} {moment.year:04d} "
        f"{moment.hour:02d}:{moment.minute:02d}:{moment.second:02d} +0000"
    )


def _without_comments(text: bytes) -> bytes:
    for _ in range(_MAX_COMMENTS):
        text, count = _COMMENT.subn(b" ", text)
        if not count:
            break
    return text.strip()


def _offset(sign: bytes | None, hours: bytes, minutes: bytes, zone: bytes | None) -> int:
    """Return minutes east of UTC; an impossible zone counts as UTC."""
    if sign is None:
        return 0 if zone is None else _ZONES.get(zone.upper(), 0)
    offset = int(hours) * 60 + int(minutes)
    if offset >= 24 * 60:
        return 0
    return -offset if sign == b"-" else offset


def _full_year(year: bytes) -> int:
    """Return the year with its century (RFC 5322 §4.3)."""
    number = int(year)
    if len(year) >= _YEAR_DIGITS:
        return number
    return number + (2000 if number < _CENTURY_PIVOT else 1900)


def _days(year: int, month: int, day: int) -> int | None:
    """Return the days since 1970, or None where the calendar has no such day."""
    try:
        return date(year, month, day).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        return None


def _seconds(hour: int, minute: int, second: int) -> int | None:
    """Return the seconds since midnight; 60 is a leap second (RFC 5322 §3.3)."""
    if hour in _HOURS and minute in _MINUTES and second in _SECONDS:
        return hour * 3600 + minute * 60 + second
    return None
