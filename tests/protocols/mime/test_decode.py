"""Transfer encodings and charsets of bodies."""

import base64
import quopri
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.mime.charset import decode_charset
from freehold.protocols.mime.decode import (
    MAX_LINE_BYTES,
    decode_body,
    decode_text,
    decoder,
    is_known_encoding,
)
from freehold.protocols.mime.structure import scan

ENCODINGS = [b"base64", b"quoted-printable", b"x-uuencode", b"7bit", b"unknown"]


def decoded(encoding: bytes, *pieces: bytes) -> bytes:
    state = decoder(encoding)
    return b"".join([state.feed(piece) for piece in pieces]) + state.finish()


@pytest.mark.parametrize(
    ("encoding", "body", "octets"),
    [
        (b"base64", b"QUJD\r\nREU=\r\n", b"ABCDE"),
        (b"base64", b" Q-U*J\x00D\xff", b"ABC"),
        (b"base64", b"QUI", b"AB"),
        (b"base64", b"QUJDR", b"ABC"),
        (b"base64", b"QQ==\r\nQUJD", b"A"),
        (b"base64", b"", b""),
        (b"quoted-printable", b"=C3=BC=\r\n=20x \t\r\ny=\n", b"\xc3\xbc x\r\ny"),
        (b"quoted-printable", b"a=3Db==c=ZZ=", b"a=b==c=ZZ"),
        (b"quoted-printable", b"soft= \t\r\nbreak", b"softbreak"),
        (b"quoted-printable", b"=e4=E4", b"\xe4\xe4"),
        (b"quoted-printable", b"a\rb=\rc\r\n", b"a\rb=\rc\r\n"),
        (b"x-uuencode", b"text\r\nbegin 644 name\r\n#86)C\r\n`\r\nend\r\nmore\r\n", b"abc"),
        (b"x-uuencode", b"begin 644 name\n#86)C    \n", b"abc"),
        (b"8bit", b"\x00\xff", b"\x00\xff"),
        (b"x-unknown", b"=41", b"=41"),
    ],
)
def test_body_is_decoded(encoding: bytes, body: bytes, octets: bytes) -> None:
    assert decoded(encoding, body) == octets


@given(
    st.sampled_from(ENCODINGS),
    st.lists(
        st.one_of(
            st.binary(max_size=8),
            st.sampled_from(
                [b"=", b"=4", b"=41", b"\r", b"\n", b"\r\n", b" ", b"\t", b"QUJD", b"QQ==", b"==",
                 b"begin 644 x\n", b"#86)C\n", b"end\n", b"=\r\n", b"x" * (MAX_LINE_BYTES - 2)]
            ),
        ),
        max_size=12,
    ),
    st.lists(st.integers(0, 200_000), max_size=6),
)  # fmt: skip
def test_any_split_of_a_body_decodes_to_the_same(
    encoding: bytes, pieces: list[bytes], cuts: list[int]
) -> None:
    body = b"".join(pieces)
    places = [0, *sorted(cut % (len(body) + 1) for cut in cuts), len(body)]
    split = [body[start:end] for start, end in pairwise(places)]
    assert decoded(encoding, *split) == decoded(encoding, body)
    assert decoded(encoding, *pieces) == decoded(encoding, body)


@given(st.binary(max_size=500))
def test_what_the_standard_library_encodes_is_decoded(octets: bytes) -> None:
    assert decoded(b"base64", base64.encodebytes(octets)) == octets
    text = octets.replace(b"\r", b"").replace(b"\n", b"")
    assert decoded(b"quoted-printable", quopri.encodestring(text, quotetabs=True)) == text


def test_part_is_decoded_and_put_into_text() -> None:
    data = (
        b"Content-Type: text/plain; charset=iso-8859-15\r\nContent-Transfer-Encoding: QUOTED-PRINTABLE\r\n"
        b"\r\n=A4 10=\r\n0\r\n"
    )
    part = scan(data)
    assert b"".join(decode_body(data, part)) == b"\xa4 100\r\n"
    assert decode_text(data, part) == "€ 100\r\n"
    assert decode_text(data, part, 3) == "€ 1"


def test_encoding_of_an_embedded_message_is_not_undone() -> None:
    data = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nSubject: x\r\n\r\nQUJD"
    assert b"".join(decode_body(data, scan(data))) == b"Subject: x\r\n\r\nQUJD"


@pytest.mark.parametrize(
    ("octets", "charset", "text"),
    [
        (b"\xc3\xbc", b"utf-8", "ü"),
        (b"\xc3\xbc", b"", "ü"),
        (b"\xc3\xbc", b"us-ascii", "ü"),
        (b"\xfc", b"us-ascii", "ü"),
        (b"\x93x\x94", b"ISO-8859-1", "“x”"),
        (b"\xff", b"utf-8", "\ufffd"),
        (b"\xc4\xe3", b"gb2312", "你"),
        (b"\x82\xa0", b"Shift_JIS", "あ"),
        (b"+AOk-", b"utf-7", "é"),
        (b"abc", b"x-nonsense", "abc"),
        (b"abc", b"hex", "abc"),
        (b"abc", b"idna", "abc"),
        (b"abc\\n", b"unicode_escape", "abc\\n"),
        (b"abc", b"\xff\x00\n", "abc"),
        (b"abc", b"../../etc/passwd", "abc"),
        (b"abc", b"x" * 500, "abc"),
    ],
)
def test_octets_become_text_in_any_charset(octets: bytes, charset: bytes, text: str) -> None:
    assert decode_charset(octets, charset) == text


def test_known_encodings_are_told_from_others() -> None:
    assert is_known_encoding(b"base64")
    assert is_known_encoding(b"binary")
    assert not is_known_encoding(b"x-gzip")
