"""Offsets of parts in plain, nested, odd and hostile messages."""

import mmap
import tempfile

import pytest

from freehold.protocols.mime.buffer import WINDOW_BYTES
from freehold.protocols.mime.structure import MAX_DEPTH, MAX_PARTS, Part, scan

NESTED = (
    b"From: a@b\r\n"
    b"Content-Type: multipart/mixed; boundary=out\r\n"
    b"\r\n"
    b"preamble\r\n"
    b"--out\r\n"
    b'Content-Type: multipart/alternative; boundary="out-in"\r\n'
    b"\r\n"
    b"--out-in\r\n"
    b"\r\n"
    b"plain\r\n"
    b"--out-in\r\n"
    b"Content-Type: TEXT/HTML; CHARSET=utf-8\r\n"
    b"Content-Transfer-Encoding: Quoted-Printable\r\n"
    b"\r\n"
    b"<p>\r\n"
    b"\r\n"
    b"--out-in--\r\n"
    b"--out  \r\n"
    b"Content-Type: message/rfc822\r\n"
    b"Content-Disposition: attachment; filename=old.eml\r\n"
    b"\r\n"
    b"Subject: old\r\n"
    b"\r\n"
    b"line\r\nline\r\n"
    b"\r\n"
    b"--out--\r\n"
    b"epilogue\r\n"
)


def body_of(data: bytes, part: Part) -> bytes:
    return data[part.body_start : part.body_end]


def header_of(data: bytes, part: Part) -> bytes:
    return data[part.header_start : part.header_end]


def test_plain_message_is_one_text_part_with_its_lines_counted() -> None:
    data = b"Subject: hi\r\n\r\none\r\ntwo\r\n"
    part = scan(data)
    assert (part.type, part.subtype, part.parameters) == (b"text", b"plain", ())
    assert header_of(data, part) == b"Subject: hi\r\n\r\n"
    assert body_of(data, part) == b"one\r\ntwo\r\n"
    assert part.lines == 2
    assert part.size == 10
    assert part.encoding == b"7bit"


def test_nested_multiparts_and_an_embedded_message_have_their_exact_octets() -> None:
    part = scan(NESTED)
    alternative, forwarded = part.children
    plain, html = alternative.children
    assert (part.subtype, alternative.subtype) == (b"mixed", b"alternative")
    assert body_of(NESTED, plain) == b"plain"
    assert header_of(NESTED, plain) == b"\r\n"
    assert body_of(NESTED, html) == b"<p>\r\n"
    assert (html.type, html.subtype, html.encoding) == (b"text", b"html", b"quoted-printable")
    assert html.parameters == ((b"charset", b"utf-8"),)
    assert forwarded.is_message
    assert forwarded.disposition is not None
    assert forwarded.disposition.kind == b"attachment"
    assert forwarded.disposition.parameters == ((b"filename", b"old.eml"),)
    assert forwarded.lines == 4
    (message,) = forwarded.children
    assert header_of(NESTED, message) == b"Subject: old\r\n\r\n"
    assert body_of(NESTED, message) == b"line\r\nline\r\n"


def test_message_with_lone_line_feeds_has_the_same_tree() -> None:
    data = NESTED.replace(b"\r\n", b"\n")
    alternative, forwarded = scan(data).children
    assert [body_of(data, child) for child in alternative.children] == [b"plain", b"<p>\n"]
    assert body_of(data, forwarded.children[0]) == b"line\nline\n"


def test_all_content_fields_are_kept() -> None:
    part = scan(
        b"Content-Type: image/png\r\n"
        b"Content-ID: <pic@x>\r\n"
        b"Content-Description: a\r\n picture\r\n"
        b"Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n"
        b"Content-Language: de, en (old)\r\n"
        b"Content-Location: http://x/\r\n"
        b"content-transfer-encoding: (really) BASE64\r\n"
        b"\r\n"
    )
    assert part.content_id == b"<pic@x>"
    assert part.description == b"a picture"
    assert part.md5 == b"Q2hlY2sgSW50ZWdyaXR5IQ=="
    assert part.languages == (b"de", b"en")
    assert part.location == b"http://x/"
    assert part.encoding == b"base64"


def test_first_of_two_equal_fields_counts() -> None:
    part = scan(b"Content-Type: text/html\r\nContent-Type: text/x-evil\r\n\r\n")
    assert part.subtype == b"html"


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\ntext\r\n--x--\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno delimiter\r\n",
        b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n',
        b"Content-Type: multipart/mixed; boundary=x\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n",
    ],
)
def test_multipart_without_any_part_is_shown_as_text(data: bytes) -> None:
    part = scan(data)
    assert (part.type, part.subtype, part.children) == (b"text", b"plain", ())


def test_missing_closing_delimiter_ends_the_last_part_with_the_message() -> None:
    data = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\n\r\ntwo\r\n"
    assert [body_of(data, child) for child in scan(data).children] == [b"one", b"two\r\n"]


def test_missing_inner_closing_delimiter_ends_at_the_outer_one() -> None:
    data = NESTED.replace(b"--out-in--\r\n", b"")
    alternative, forwarded = scan(data).children
    assert len(alternative.children) == 2
    assert forwarded.is_message


def test_truncated_delimiter_at_the_end_adds_no_part() -> None:
    data = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x"
    assert [body_of(data, child) for child in scan(data).children] == [b"one"]


def test_boundary_that_begins_another_does_not_match_it() -> None:
    data = (
        b"Content-Type: multipart/mixed; boundary=ab\r\n\r\n"
        b"--ab\r\nContent-Type: multipart/mixed; boundary=abc\r\n\r\n"
        b"--abc\r\n\r\none\r\n--abc\r\n\r\ntwo\r\n--abc--\r\n"
        b"--ab\r\n\r\nthree\r\n--ab--\r\n"
    )
    inner, last = scan(data).children
    assert [body_of(data, child) for child in inner.children] == [b"one", b"two"]
    assert body_of(data, last) == b"three"


def test_boundary_folded_inside_its_quotes_is_found() -> None:
    data = b'Content-Type: multipart/mixed; boundary="foo\r\n bar"\r\n\r\n--foo bar\r\n\r\nx\r\n--foo bar--'
    assert [body_of(data, child) for child in scan(data).children] == [b"x"]


def test_empty_parts_are_parts() -> None:
    data = b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n\r\n--x--"
    assert [(header_of(data, p), body_of(data, p)) for p in scan(data).children] == [(b"", b""), (b"", b"")]


def test_parts_of_a_digest_are_messages_by_default() -> None:
    data = b"Content-Type: multipart/digest; boundary=d\r\n\r\n--d\r\n\r\nSubject: m1\r\n\r\nbody\r\n--d--"
    (child,) = scan(data).children
    assert child.is_message
    assert header_of(data, child.children[0]) == b"Subject: m1\r\n\r\n"


def test_text_that_does_not_begin_with_a_field_has_no_header() -> None:
    part = scan(b"just words here\r\n\r\nand more\r\n")
    assert (part.header_end, part.lines) == (0, 3)


def test_message_that_is_only_a_header_has_an_empty_body() -> None:
    data = b"Subject: x\r\nFrom: y\r\n"
    part = scan(data)
    assert (part.header_end, part.body_end) == (len(data), len(data))


def test_octets_beyond_ascii_and_nuls_are_kept() -> None:
    part = scan(
        b"Content-Type: text/plain; name=\xe9\x00\xff\r\nContent-Description: \xff\x00\r\n\r\n\x00\xff"
    )
    assert part.description == b"\xff\x00"
    assert part.size == 2


def test_empty_message_is_an_empty_text() -> None:
    assert scan(b"") == Part(0, 0, 0, 0, scan(b"\r\n").content_type)


def test_nesting_beyond_the_bound_is_one_leaf() -> None:
    data = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(5000)
    )
    part, depth = scan(data), 0
    while part.children:
        part, depth = part.children[0], depth + 1
    assert depth == MAX_DEPTH
    assert (part.type, part.subtype, part.body_end) == (b"application", b"octet-stream", len(data))


def test_embedded_messages_beyond_the_bound_are_one_leaf() -> None:
    part, depth = scan(b"Content-Type: message/rfc822\r\n\r\n" * 5000), 0
    while part.children:
        part, depth = part.children[0], depth + 1
    assert depth == MAX_DEPTH
    assert part.content_type.subtype == b"octet-stream"


def test_parts_beyond_the_bound_are_one_leaf() -> None:
    data = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 100_000
    children = scan(data).children
    assert len(children) == MAX_PARTS - 1
    assert children[-1].body_end == len(data)


def test_lines_that_look_like_delimiters_are_bounded() -> None:
    data = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + b"\r\n--bx" * 500_000 + b"\r\n--b--"
    (child,) = scan(data).children
    assert child.body_end == len(data)


def test_header_of_ten_megabytes_is_scanned() -> None:
    data = b"Content-Type: text/html;" + b"\r\n\tx=y;" * 1_400_000 + b"\r\n\r\nbody"
    part = scan(data)
    assert part.subtype == b"html"
    assert data[part.body_start :] == b"body"


def test_mapped_file_gives_the_same_tree_as_its_octets() -> None:
    filler = b"A" * 997 + b"\r\n"
    for shift in range(0, 64, 7):
        prefix = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
        prefix += filler * ((WINDOW_BYTES - len(prefix)) // len(filler) - 1)
        prefix += b"B" * (WINDOW_BYTES - len(prefix) - shift)
        data = (
            prefix + b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nend\r\n" + filler * 1500 + b"\r\n--b--\r\n"
        )
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                assert scan(mapped) == scan(data)
        assert len(scan(data).children) == 2
