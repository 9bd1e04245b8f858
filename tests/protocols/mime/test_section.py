"""IMAP sections: part numbers, ranges and header subsets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.mime.section import (
    Range,
    body_range,
    embedded_message,
    find_part,
    header_fields,
    header_range,
    mime_range,
    text_range,
    whole,
)
from freehold.protocols.mime.structure import Part, scan

HEADER = b"From: a@b\r\nSubject: one\r\n two\r\nX-Other: z\r\nsubject : three\r\n\r\n"

INNER = (
    b"Subject: sub\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\nprologue\r\n"
    b"--in\r\nContent-Type: text/html\r\n\r\n<p>\r\n\r\n"
    b"--in\r\nContent-Type: text/plain\r\n\r\nhi\r\n\r\n--in--\r\n"
)
MIXED = (
    b"Subject: top\r\nContent-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\n"
    b"Content-Type: text/plain\r\n\r\nhello\r\n\r\n--out\r\nContent-Type: message/rfc822\r\n\r\n"
    + INNER
    + b"\r\n--out--\r\n"
)
# A message in a message in a message, the last in one part.
TWICE = (
    b"Subject: 1\r\nContent-Type: message/rfc822\r\n\r\nSubject: 2\r\nContent-Type: message/rfc822\r\n\r\n"
    b"Subject: 3\r\n\r\nHello\r\n"
)
DIGEST = (
    b"Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n"
    b"--d \r\n\r\nSubject: m1\r\n\r\nm1 body\r\n\r\n"
    b"--d \r\nX-Mime: m2\r\n\r\nSubject: m2\r\n\r\nm2 body\r\n\r\n--d--\r\n"
)


def part_of(data: bytes, *numbers: int) -> Part:
    part = find_part(scan(data), numbers)
    assert part is not None
    return part


def octets(data: bytes, where: Range) -> bytes:
    return data[where.start : where.end]


def message_in(part: Part) -> Part:
    message = embedded_message(part)
    assert message is not None
    return message


def test_no_numbers_name_the_whole_message() -> None:
    assert octets(MIXED, whole(part_of(MIXED))) == MIXED
    assert octets(MIXED, header_range(part_of(MIXED))) + octets(MIXED, text_range(part_of(MIXED))) == MIXED


def test_part_one_of_a_plain_message_is_its_body() -> None:
    data = b"Subject: x\r\n\r\nbody\r\n"
    assert octets(data, body_range(part_of(data, 1))) == b"body\r\n"


def test_parts_of_a_multipart_and_of_a_message_inside_are_found() -> None:
    assert octets(MIXED, body_range(part_of(MIXED, 1))) == b"hello\r\n"
    assert octets(MIXED, mime_range(part_of(MIXED, 1))) == b"Content-Type: text/plain\r\n\r\n"
    assert octets(MIXED, body_range(part_of(MIXED, 2))) == INNER
    assert octets(MIXED, mime_range(part_of(MIXED, 2))) == b"Content-Type: message/rfc822\r\n\r\n"
    message = message_in(part_of(MIXED, 2))
    assert octets(MIXED, header_range(message)) + octets(MIXED, text_range(message)) == INNER
    assert octets(MIXED, text_range(message)).startswith(b"prologue\r\n")
    assert octets(MIXED, body_range(part_of(MIXED, 2, 1))) == b"<p>\r\n"
    assert octets(MIXED, mime_range(part_of(MIXED, 2, 2))) == b"Content-Type: text/plain\r\n\r\n"
    assert octets(MIXED, body_range(part_of(MIXED, 2, 2))) == b"hi\r\n"


def test_messages_inside_messages_go_one_number_deeper() -> None:
    assert octets(TWICE, body_range(part_of(TWICE, 1))).startswith(b"Subject: 2")
    assert octets(TWICE, header_range(message_in(part_of(TWICE, 1)))).startswith(b"Subject: 2")
    assert octets(TWICE, body_range(part_of(TWICE, 1, 1))) == b"Subject: 3\r\n\r\nHello\r\n"
    assert octets(TWICE, header_range(message_in(part_of(TWICE, 1, 1)))) == b"Subject: 3\r\n\r\n"
    assert octets(TWICE, body_range(part_of(TWICE, 1, 1, 1))) == b"Hello\r\n"


def test_parts_of_a_digest_inside_a_message_are_messages() -> None:
    first, second = part_of(DIGEST, 1, 1), part_of(DIGEST, 1, 2)
    assert octets(DIGEST, mime_range(first)) == b"\r\n"
    assert octets(DIGEST, header_range(message_in(first))) == b"Subject: m1\r\n\r\n"
    assert octets(DIGEST, mime_range(second)) == b"X-Mime: m2\r\n\r\n"
    assert octets(DIGEST, text_range(message_in(second))) == b"m2 body\r\n"


@pytest.mark.parametrize("numbers", [(0,), (3,), (1, 1), (2, 3), (2, 1, 1), (-1,), (2, 0)])
def test_numbers_of_no_part_find_none(numbers: tuple[int, ...]) -> None:
    assert find_part(scan(MIXED), numbers) is None


def test_message_without_multipart_has_only_part_one() -> None:
    root = scan(b"\r\nbody")
    assert [find_part(root, [n]) is not None for n in (0, 1, 2)] == [False, True, False]
    assert find_part(root, [1, 1]) is None
    assert embedded_message(root) is None


def test_named_fields_are_given_exactly_with_folds_and_a_blank_line() -> None:
    assert header_fields(HEADER, 0, len(HEADER), [b"SUBJECT", b"nothing"]) == (
        b"Subject: one\r\n two\r\nsubject : three\r\n\r\n"
    )


def test_all_but_the_named_fields_are_given() -> None:
    assert header_fields(HEADER, 0, len(HEADER), [b"subject"], exclude=True) == (
        b"From: a@b\r\nX-Other: z\r\n\r\n"
    )


def test_no_such_field_leaves_the_blank_line() -> None:
    assert header_fields(HEADER, 0, len(HEADER), [b"xyz"]) == b"\r\n"
    assert header_fields(b"", 0, 0, [b"from"]) == b"\r\n"


def test_header_with_lone_line_feeds_keeps_them() -> None:
    data = b"From: a\nTo: b\n\nbody"
    assert header_fields(data, 0, 15, [b"to"]) == b"To: b\n\n"


def test_header_without_blank_line_gets_one() -> None:
    data = b"From: a\r\nTo: b"
    assert header_fields(data, 0, len(data), [b"to"]) == b"To: b\r\n\r\n"


def test_header_name_is_no_pattern() -> None:
    assert header_fields(HEADER, 0, len(HEADER), [b".*", b"(", b"f"]) == b"\r\n"


def test_a_name_that_no_field_can_have_names_none() -> None:
    data = b"From: a\r\nfoo bar: b\r\n: c\r\n\r\n"
    assert header_fields(data, 0, len(data), [b"foo bar", b"", b"from:", b"\r\nfrom"]) == b"\r\n"


def test_of_names_that_begin_alike_each_finds_its_own_fields() -> None:
    data = b"From-X: a\r\nFrom: b\r\nfromage: c\r\n from: d\r\n\r\n"
    assert header_fields(data, 0, len(data), [b"from", b"from-x"]) == b"From-X: a\r\nFrom: b\r\n\r\n"


def fields_by_line(header: bytes, wanted: set[bytes]) -> list[bytes]:
    """Return the named fields, with their folds and without the last line feed, by looking at each line."""
    found: list[bytes] = []
    is_wanted = False
    for line in header.split(b"\n"):
        if line[:1] in {b" ", b"\t"}:
            if is_wanted:
                found[-1] += b"\n" + line
            continue
        name, colon, _ = line.partition(b":")
        is_wanted = bool(colon) and name.rstrip(b" \t").lower() in wanted
        if is_wanted:
            found.append(line)
    return found


@given(
    st.lists(st.sampled_from([b"a", b"A-b", b":", b" ", b"\t", b"\n", b"\r\n", b"x", b"a: 1\r\n", b" a:\n"])),
    st.lists(st.sampled_from([b"a", b"a-b", b"A", b"x", b"a ", b""])),
)
def test_fields_are_those_that_lines_show(pieces: list[bytes], names: list[bytes]) -> None:
    header = b"".join(pieces) + b"\r\n"
    fields = fields_by_line(header, {name.lower() for name in names if name.strip() == name != b""})
    expected = b"".join(field + b"\n" for field in fields) + b"\r\n"
    assert header_fields(header, 0, len(header), names) == expected
