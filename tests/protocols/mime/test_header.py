"""Fields of a header and the text in them."""

import pytest

from freehold.protocols.mime import header
from freehold.protocols.mime.addresses import Address
from freehold.protocols.mime.encoded_word import decode_words, encode_words

MESSAGE = (
    b"Received: one\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n aus =?iso-8859-1?b?SPZtZQ==?=\r\n"
    b"broken line\r\nreceived:two\r\nMessage-ID: <id@x>\r\nTo: a@b\r\nTo: c@d\r\n"
    b"Date: Thu, 1 Jan 1970 00:00:01 +0000\r\n\r\nReceived: body\r\n"
)
END = MESSAGE.index(b"\r\n\r\n") + 4


def test_fields_come_in_order_with_offsets() -> None:
    found = list(header.fields(MESSAGE, 0, END))
    assert [field.name for field in found][:3] == [b"Received", b"Subject", b"received"]
    assert found[0].value == b" one"
    assert MESSAGE[found[1].start : found[1].end] == (
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n aus =?iso-8859-1?b?SPZtZQ==?=\r\n"
    )
    assert MESSAGE[found[2].start : found[2].end] == b"received:two\r\n"


def test_fields_of_a_part_have_offsets_in_the_message() -> None:
    data = b"xxxx\nA: b\nC: d"
    assert [data[f.start : f.end] for f in header.fields(data, 5, len(data))] == [b"A: b\n", b"C: d"]


def test_first_and_all_values_are_found_by_name() -> None:
    assert header.first_value(MESSAGE, 0, END, b"RECEIVED") == b" one"
    assert header.all_values(MESSAGE, 0, END, b"Received") == [b" one", b"two"]
    assert header.first_value(MESSAGE, 0, END, b"Cc") is None
    assert header.all_values(MESSAGE, 0, END, b"Cc") == []


def test_values_are_read_by_their_kind() -> None:
    assert header.text(MESSAGE, 0, END, b"subject") == "Grüße aus Höme"
    assert header.text(MESSAGE, 0, END, b"cc") is None
    sent = header.date(MESSAGE, 0, END)
    assert sent is not None
    assert sent.utc_ms == 1000
    assert header.date(MESSAGE, 0, END, b"resent-date") is None
    assert header.addresses(MESSAGE, 0, END, b"to") == (
        Address(None, None, b"a", b"b"),
        Address(None, None, b"c", b"d"),
    )
    assert header.addresses(MESSAGE, 0, END, b"cc") == ()
    assert header.message_id(MESSAGE, 0, END) == b"id@x"


@pytest.mark.parametrize(
    ("value", "found"),
    [(b" < a@b > ", b"a@b"), (b" bare@id ", b"bare@id"), (b" two words", None), (b"", None), (b"<>", b"<>")],
)
def test_message_id_is_read_from_odd_fields(value: bytes, found: bytes | None) -> None:
    data = b"Message-Id:" + value + b"\r\n\r\n"
    assert header.message_id(data, 0, len(data)) == found


def test_message_without_id_has_none() -> None:
    assert header.message_id(b"From: a\r\n\r\n", 0, 11) is None


def test_references_are_split_into_ids() -> None:
    assert header.message_ids(b" <a@b>\r\n <c@d>,<e@f> junk <g h>") == (b"a@b", b"c@d", b"e@f")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b" folded\r\n\tvalue ", "folded\tvalue"),
        (b"=?utf-8?q?a_b?=", "a b"),
        (b"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
        (b"=?utf-8?Q?a?=\r\n =?utf-8?Q?b?= c", "ab c"),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),
        (b"=?utf-8?b?w7w?=", "ü"),
        (b"=?utf-8*de?q?x?=", "x"),
        (b"=?windows-1252?q?=80?=", "€"),
        (b"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?no-such?q?caf=E9?=", "café"),
        (b"=?utf-8?q?=FF?=", "\ufffd"),
        (b"=?utf-8?x?broken?=", "=?utf-8?x?broken?="),
        (b"=?utf-8?q?open", "=?utf-8?q?open"),
        (b"raw \xc3\xbc", "raw ü"),
        (b"raw \xfc", "raw ü"),
        (b"x=?utf-8?q?y?=z", "xyz"),
    ],
)
def test_text_of_a_field_is_decoded(value: bytes, text: str) -> None:
    assert decode_words(value) == text


@pytest.mark.parametrize(
    "text", ["plain", "Grüße " * 30, "日本語" * 40, "=?looks?q?like?=", "a\r\nBcc: x", ""]
)
def test_encoded_text_decodes_to_itself_and_has_short_lines(text: str) -> None:
    encoded = encode_words(text)
    assert decode_words(encoded.encode()) == text
    assert all(len(line) <= 76 for line in encoded.split("\r\n"))
    assert all(line.startswith(" ") for line in encoded.split("\r\n")[1:])
