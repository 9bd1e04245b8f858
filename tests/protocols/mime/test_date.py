"""Dates as mail writes them."""

from datetime import UTC, date, datetime

import pytest

from freehold.protocols.mime.date import date_header, parse_date, parse_zoned_date


def utc(*moment: int) -> int:
    year, month, day, hour, minute, second = moment
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"Thu, 15 Feb 2007 01:02:03 +0200", utc(2007, 2, 14, 23, 2, 3)),
        (b" Thu, 15 Feb 2007\r\n 01:02:03 -0730 (PDT)\r\n", utc(2007, 2, 15, 8, 32, 3)),
        (b"15 Feb 2007 01:02 GMT", utc(2007, 2, 15, 1, 2, 0)),
        (b"15 feb 07 01:02:03 EST", utc(2007, 2, 15, 6, 2, 3)),
        (b"1 Jan 99 00:00:00 Z", utc(1999, 1, 1, 0, 0, 0)),
        (b"1 Jan 102 00:00:00 +0000", utc(2002, 1, 1, 0, 0, 0)),
        (b"Thu, 15 (the) Feb (of (year)) 2007 01:02:03 +0000", utc(2007, 2, 15, 1, 2, 3)),
        (b"Thu Feb 15 01:02:03 2007", utc(2007, 2, 15, 1, 2, 3)),
        (b"Thu Feb 15 01:02:03 PST 2007", utc(2007, 2, 15, 9, 2, 3)),
        (b"Thursday, 15-Feb-07 01:02:03 GMT", utc(2007, 2, 15, 1, 2, 3)),
        (b"15 February 2007 01:02:03 UT", utc(2007, 2, 15, 1, 2, 3)),
        (b"Thu,15 Feb 2007 1:02:03.25 +01:00", utc(2007, 2, 15, 0, 2, 3)),
        (b"31 Dec 2016 23:59:60 +0000", utc(2017, 1, 1, 0, 0, 0)),
        (b"15 Feb 2007 01:02:03 XYZ", utc(2007, 2, 15, 1, 2, 3)),
        (b"15 Feb 2007 01:02:03 +9999", utc(2007, 2, 15, 1, 2, 3)),
        (b"15 Feb 1950 01:02:03 +0000", utc(1950, 2, 15, 1, 2, 3)),
        (b"", None),
        (b"yesterday", None),
        (b"31 Feb 2007 00:00:00 +0000", None),
        (b"15 Foo 2007 00:00:00 +0000", None),
        (b"15 Feb 2007 24:00:00 +0000", None),
        (b"15 Feb 0000 00:00:00 +0000", None),
        (b"((((((((", None),
    ],
)
def test_date_is_a_moment_in_utc_or_none(value: bytes, moment: int | None) -> None:
    assert parse_date(value) == moment


@pytest.mark.parametrize(
    ("value", "day"),
    [
        (b"Sun, 25 Mar 2007 00:00:00 +0200", date(2007, 3, 25)),
        (b"Sat, 24 Mar 2007 23:59:59 -1100", date(2007, 3, 24)),
    ],
)
def test_day_as_written_disregards_the_zone(value: bytes, day: date) -> None:
    zoned = parse_zoned_date(value)
    assert zoned is not None
    assert date.fromordinal(zoned.written_ordinal) == day


def test_date_is_written_in_utc_and_read_back() -> None:
    moment = utc(2024, 2, 29, 9, 5, 7)
    assert date_header(moment) == "Thu, 29 Feb 2024 09:05:07 +0000"
    assert parse_date(date_header(moment).encode()) == moment


def test_moments_beyond_the_calendar_are_written_as_its_ends() -> None:
    assert date_header(-5) == "Thu, 1 Jan 1970 00:00:00 +0000"
    assert date_header(10**18) == "Fri, 31 Dec 9999 23:59:59 +0000"
