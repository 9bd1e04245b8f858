"""What holds for any octets whatever, and what two readers must agree on."""

import email.message
import email.policy
import re
import string

from hypothesis import example, given
from hypothesis import strategies as st

from freehold.protocols.mime.date import date_header, parse_date
from freehold.protocols.mime.decode import decode_body, decode_text
from freehold.protocols.mime.encoded_word import decode_words
from freehold.protocols.mime.header import first_value
from freehold.protocols.mime.imap_structure import body, bodystructure, envelope, nstring
from freehold.protocols.mime.parameters import decode_parameter
from freehold.protocols.mime.section import find_part
from freehold.protocols.mime.structure import Part, scan
from tests.fuzz.fuzz_mime import check_message, check_value

FRAGMENTS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b" ", b"\t", b"\0", b"\xff", b":", b";", b",", b'"', b"\\",
    b"(", b")", b"<", b">", b"@", b"[", b"]", b"=", b"--", b"--b", b"\r\n--b\r\n", b"\r\n--b--\r\n",
    b"\n--b\n", b"--c\r\n", b"\r\n--c--\r\n", b"Content-Type: ", b"multipart/mixed; boundary=b\r\n",
    b"Content-Type: multipart/digest; boundary=c\r\n\r\n", b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''%C3; filename*1=x", b"charset*=x''y",
    b"Content-Language: a, b\r\n", b"From: ", b"To: g: a@b, ", b"Subject: =?utf-8?q?x?=", b"=?x?b?QQ?=",
    b"Date: Thu, 1 Jan 70 00:00 GMT\r\n", b"text/plain", b"a@b", b"word",
]  # fmt: skip
MESSAGES = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=6)), max_size=40).map(b"".join)

STRING = re.compile(rb'"(?:[\t !#-\[\]-~]|\\["\\])*"|NIL|[0-9]+')
LITERAL = re.compile(rb"\{([0-9]+)\}\r\n")


def read_list(data: bytes, position: int) -> tuple[list[object], int]:
    """Read a parenthesised list as strictly as RFC 3501 §9 writes it."""
    assert data[position : position + 1] == b"("
    position += 1
    items: list[object] = []
    while data[position : position + 1] != b")":
        literal = LITERAL.match(data, position)
        if data[position : position + 1] == b"(":
            item, position = read_list(data, position)
            items.append(item)
        elif literal is not None:
            end = literal.end() + int(literal[1])
            assert end <= len(data)
            items.append(data[literal.end() : end])
            position = end
        else:
            found = STRING.match(data, position)
            assert found is not None, data[position : position + 50]
            items.append(found[0])
            position = found.end()
        if data[position : position + 1] == b" ":
            position += 1
            assert data[position : position + 1] not in {b" ", b")", b""}
    return items, position + 1


@given(MESSAGES)
@example(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b--")
def test_any_octets_are_read_as_some_message(data: bytes) -> None:
    check_message(data)


@given(MESSAGES)
def test_any_octets_are_read_as_some_field_value(data: bytes) -> None:
    check_value(data)


@given(MESSAGES)
def test_what_is_written_for_imap_is_well_formed(data: bytes) -> None:
    part = scan(data)
    fields, end = read_list(envelope(data), 0)
    assert len(fields) == 10
    assert end == len(envelope(data))
    for written in (bodystructure(data, part), body(data, part)):
        assert read_list(written, 0)[1] == len(written)


@given(st.binary(max_size=100))
def test_strings_are_well_formed_and_lose_nothing_but_nuls(value: bytes) -> None:
    items, _ = read_list(b"(" + nstring(value) + b")", 0)
    (item,) = items
    assert isinstance(item, bytes)
    if item.startswith(b'"') and nstring(value).startswith(b'"'):
        item = re.sub(rb"\\(.)", rb"\1", item[1:-1])
    assert item == value.replace(b"\0", b"")


@given(st.integers(0, 253_402_300_799))
def test_dates_are_read_back(seconds: int) -> None:
    assert parse_date(date_header(seconds * 1000).encode()) == seconds * 1000


WORDS = st.text(string.ascii_letters + string.digits + " äß€日", min_size=1, max_size=30).map(
    lambda text: " ".join(text.split()) or "x"
)
ATTACHMENTS = st.lists(st.tuples(WORDS, st.binary(max_size=200)), max_size=4)


def compare(message: email.message.Message, part: Part, data: bytes) -> None:
    """Assert that a part is what the standard library reads it to be."""
    assert f"{part.type.decode()}/{part.subtype.decode()}" == message.get_content_type()
    assert decode_parameter(part.parameters, b"charset") == message.get_param("charset")
    kind = message.get_content_disposition()
    assert (None if part.disposition is None else part.disposition.kind.decode()) == kind
    if message.is_multipart():
        payload = message.get_payload()
        assert isinstance(payload, list)
        assert len(payload) == len(part.children)
        for number, (below, child) in enumerate(zip(payload, part.children, strict=True), 1):
            assert isinstance(below, email.message.Message)
            compare(below, child, data)
            if part.is_multipart:
                assert find_part(part, [number]) is child
        return
    assert b"".join(decode_body(data, part)) == message.get_payload(decode=True)
    if part.disposition is not None:
        assert decode_parameter(part.disposition.parameters, b"filename") == message.get_filename()


@given(WORDS, WORDS, WORDS, ATTACHMENTS, st.booleans())
def test_well_formed_messages_are_read_as_the_standard_library_reads_them(
    subject: str, text: str, html: str, attachments: list[tuple[str, bytes]], forwarded: bool
) -> None:
    message = email.message.EmailMessage(email.policy.SMTP)
    message["Subject"] = subject
    message["From"] = "a@example.org"
    message.set_content(text)
    message.add_alternative(f"<p>{html}</p>", subtype="html")
    for name, octets in attachments:
        message.add_attachment(octets, maintype="application", subtype="x-y", filename=f"{name}.bin")
    if forwarded:
        inner = email.message.EmailMessage(email.policy.SMTP)
        inner["Subject"] = "inner"
        inner.set_content("inner text")
        message.add_attachment(inner)
    data = message.as_bytes()
    part = scan(data)
    compare(email.message_from_bytes(data), part, data)
    assert decode_words(first_value(data, 0, part.header_end, b"subject") or b"") == subject
    leaf = part
    while leaf.children:
        leaf = leaf.children[0]
    assert decode_text(data, leaf).splitlines() == [text]
