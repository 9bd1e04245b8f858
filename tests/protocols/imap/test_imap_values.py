"""Sequence sets, mailbox names, dates, strings and list patterns."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.dates import format_date_time, parse_date, parse_date_time
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.list_pattern import ListPattern
from freehold.protocols.imap.mailbox_name import decode_mailbox_name, encode_mailbox_name
from freehold.protocols.imap.sequence_set import SequenceSet, format_numbers
from freehold.protocols.imap.wire_string import astring, literal, nstring, quote_string, string

numbers = st.integers(min_value=1, max_value=60)
ends = st.one_of(numbers.map(str), st.just("*"))
sets = st.lists(st.one_of(ends, st.builds("{}:{}".format, ends, ends)), min_size=1, max_size=8).map(",".join)


@pytest.mark.parametrize(
    ("raw", "maximum", "expected"),
    [
        (b"1:*", 5, [(1, 5)]),
        (b"*", 5, [(5, 5)]),
        (b"*:2", 5, [(2, 5)]),
        (b"9:*", 5, [(5, 9)]),
        (b"3:1", 5, [(1, 3)]),
        (b"5,1:2,3", 9, [(1, 3), (5, 5)]),
        (b"4294967295", 5, [(4294967295, 4294967295)]),
        (b"1:*,*", 0, []),
        (b"2", 0, [(2, 2)]),
    ],
)
def test_a_sequence_set_resolves_to_ascending_ranges(
    raw: bytes, maximum: int, expected: list[tuple[int, int]]
) -> None:
    assert SequenceSet.parse(raw).resolve(maximum) == expected


@pytest.mark.parametrize(
    "raw", [b"", b",", b"1,", b"0", b"1:", b"4294967296", b"a", b"1:2:3", b"-1", b"1," * 20_000]
)
def test_what_is_no_sequence_set_is_refused(raw: bytes) -> None:
    with pytest.raises(CommandError):
        SequenceSet.parse(raw)


@given(sets, st.sets(numbers))
def test_a_set_finds_in_a_mailbox_what_its_definition_says(raw: str, members: set[int]) -> None:
    uids = array("I", sorted(members))
    maximum = max(members, default=0)
    wanted = set()
    for member in raw.split(","):
        low, _, high = member.partition(":")
        pair = [maximum if end == "*" else int(end) for end in (low, high or low)]
        if maximum:
            wanted |= set(range(min(pair), max(pair) + 1))
    sequence_set = SequenceSet.parse(raw.encode())
    assert sequence_set.uids_in(uids) == sorted(wanted & members)
    positions = [index for found in sequence_set.uid_positions(uids) for index in found]
    assert [uids[index] for index in positions] == sorted(wanted & members)


@given(sets)
def test_a_sequence_set_survives_a_round_trip(raw: str) -> None:
    once = SequenceSet.parse(raw.encode())
    assert SequenceSet.parse(once.to_bytes()) == once


@given(st.sets(numbers))
def test_written_numbers_are_read_again(members: set[int]) -> None:
    written = format_numbers(sorted(members))
    if not members:
        assert written == b""
    else:
        assert SequenceSet.parse(written).uids_in(sorted(members)) == sorted(members)


def test_numbers_are_written_compactly_and_in_order() -> None:
    assert format_numbers([1, 2, 3, 5, 7, 8]) == b"1:3,5,7:8"
    assert format_numbers([9, 4, 5]) == b"9,4:5"


def test_message_numbers_beyond_the_last_are_left_out() -> None:
    assert list(SequenceSet.parse(b"1,3:9,20").number_positions(4)) == [range(1), range(2, 4)]
    assert list(SequenceSet.parse(b"1:*").number_positions(0)) == []
    assert list(SequenceSet.parse(b"1").number_positions(0)) == []


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=60))
def test_mailbox_names_survive_a_round_trip(name: str) -> None:
    expected = "INBOX" if name.upper() == "INBOX" else name
    assert decode_mailbox_name(encode_mailbox_name(name)) == expected
    assert decode_mailbox_name(encode_mailbox_name(name, utf8=True), utf8=True) == expected


def test_mailbox_names_of_the_standard() -> None:
    raw = b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"
    assert decode_mailbox_name(raw) == "~peter/mail/台北/日本語"
    assert encode_mailbox_name("~peter/mail/台北/日本語") == raw
    assert decode_mailbox_name(b"a&-b") == "a&b"
    assert decode_mailbox_name(b"iNbOx") == "INBOX"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"&",
        b"a&b",
        b"&AOQ",
        b"&AGE-",
        b"&AOQ-&AOQ-",
        b"&AOQ=-",
        b"&2AA-",
        b"&AAA-",
        b"a\x01",
        b"\xc3\xa4",
        b"&AO-",
        b"x" * 1025,
    ],
)
def test_other_spellings_of_a_mailbox_name_are_refused(raw: bytes) -> None:
    with pytest.raises(CommandError):
        decode_mailbox_name(raw)


@given(st.binary(max_size=80).map(lambda raw: raw.replace(b"\0", b"")))
def test_strings_survive_a_round_trip(content: bytes) -> None:
    for written in (string(content), astring(content), literal(content), nstring(content)):
        cursor = Cursor(written)
        assert cursor.astring() == content
        cursor.end()


def test_strings_take_the_form_that_is_right() -> None:
    assert astring(b"INBOX") == b"INBOX"
    assert astring(b"nil") == b'"nil"'
    assert astring(b"") == b'""'
    assert astring(b"a]") == b'"a]"'
    assert quote_string(b'a"\\') == b'"a\\"\\\\"'
    assert string(b"a\r\nb") == b"{4}\r\na\r\nb"
    assert string(b"\xe4") == b"{1}\r\n\xe4"
    assert literal(b"\0") == b"~{1}\r\n\0"
    assert nstring(None) == b"NIL"


@given(st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999))
def test_date_times_survive_a_round_trip(when_ms: int) -> None:
    whole_seconds = when_ms // 1000 * 1000
    assert parse_date_time(format_date_time(when_ms).strip(b'"')) == whole_seconds


def test_dates_become_utc_milliseconds() -> None:
    assert parse_date(b"1-jan-1970") == 0
    assert parse_date_time(b" 1-Jan-1970 01:30:00 +0130") == 0
    assert parse_date_time(b"31-Dec-1969 23:59:60 -0000") == 0
    assert format_date_time(10**18) == b'"31-Dec-9999 23:59:59 +0000"'
    assert format_date_time(-(10**18)) == b'" 1-Jan-0001 00:00:00 +0000"'


@pytest.mark.parametrize(
    "raw", [b"1-Jan-1970 00:00:00 +0000 ", b"01-Jan-1970 24:00:00 +0000", b"32-Jan-1970 00:00:00 +0000"]
)
def test_what_is_no_date_time_is_refused(raw: bytes) -> None:
    with pytest.raises(CommandError):
        parse_date_time(raw)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*", "a/b", True),
        ("%", "a", True),
        ("%", "a/b", False),
        ("a/%", "a/b", True),
        ("a/%", "a/b/c", False),
        ("a/%/%", "a/b/c", True),
        ("a/%/%", "a/b", False),
        ("*test", "a/b/test", True),
        ("%3/%4", "x3/y4", True),
        ("%3/%4", "x/3/y4", False),
        ("a/%t*4", "a/test/4", True),
        ("%*%*a", "b/a", True),
        ("%%a", "b/a", False),
        ("", "", True),
        ("", "a", False),
        ("inbox", "INBOX", True),
        ("iN%", "INBOX", True),
        ("inbox/x", "INBOX/x", False),
        ("a", "A", False),
    ],
)
def test_list_patterns(pattern: str, name: str, expected: bool) -> None:
    assert ListPattern("", pattern).matches(name) is expected


def test_a_reference_is_put_in_front_unless_the_pattern_is_absolute() -> None:
    assert ListPattern("a/", "%").matches("a/b")
    assert not ListPattern("a/", "/b").matches("a/b")


def matches_by_definition(pattern: str, name: str) -> bool:
    if not pattern:
        return not name
    if pattern[0] not in "*%":
        return name[:1] == pattern[0] and matches_by_definition(pattern[1:], name[1:])
    if matches_by_definition(pattern[1:], name):
        return True
    return bool(name) and (pattern[0] == "*" or name[0] != "/") and matches_by_definition(pattern, name[1:])


@given(st.text("ab/*%", max_size=8), st.text("ab/", max_size=8))
def test_list_patterns_match_what_their_definition_says(pattern: str, name: str) -> None:
    assert ListPattern("", pattern).matches(name) == matches_by_definition(pattern, name)


def test_a_pattern_of_nothing_but_trouble_is_answered() -> None:
    assert not ListPattern("", "*a%" * 300 + "b").matches("a" * 1000)
