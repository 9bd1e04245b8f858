"""Raw octets in messages: given base64, and given back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.mime.decoded_part import can_decode, cut, decoded_part
from freehold.protocols.mime.encode import has_binary, with_encoding, without_binary
from freehold.protocols.mime.section import find_part
from freehold.protocols.mime.structure import scan

HEAD = b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: Binary\r\n\r\n"


def encoded(message: bytes) -> bytes:
    return b"".join(without_binary(message, scan(message)))


def decoded(message: bytes, *numbers: int) -> bytes:
    part = find_part(scan(message), numbers)
    assert part is not None
    return b"".join(decoded_part(message, part, with_header=not numbers))


def test_a_part_in_raw_octets_becomes_base64_with_lines_of_76() -> None:
    message = encoded(HEAD + bytes(120))
    head, _, body = message.partition(b"\r\n\r\n")
    assert head.endswith(b"Content-Transfer-Encoding: base64")
    assert [len(line) for line in body.split(b"\r\n")] == [76, 76, 8, 0]
    assert not has_binary(scan(message))


def test_what_is_around_raw_octets_is_8bit_and_otherwise_unchanged() -> None:
    message = (
        b"Content-Transfer-Encoding: binary\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nbefore\r\n"
        b"--b\r\nContent-Transfer-Encoding: binary\r\n\r\nA\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding:\r\n binary\r\nX: y\r\n\r\n"
        b"Content-Transfer-Encoding: binary\r\n\r\nB\r\n"
        b"--b\r\n\r\nC\0\r\n--b--\r\nafter\r\n"
    )
    assert encoded(message) == (
        b"Content-Transfer-Encoding: 8bit\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nbefore\r\n"
        b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\nX: y\r\n\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nQg==\r\n\r\n"
        b"--b\r\n\r\nC\0\r\n--b--\r\nafter\r\n"
    )
    assert decoded(encoded(message), 1) == b"A"


@given(st.binary(max_size=300))
def test_raw_octets_come_back(body: bytes) -> None:
    message = HEAD + body
    assert decoded(encoded(message), 1) == body
    assert decoded(encoded(message)) == with_encoding(HEAD, b"binary") + body


@given(st.binary(max_size=200))
def test_a_message_without_raw_octets_is_the_same(message: bytes) -> None:
    if not has_binary(scan(message)):
        assert encoded(message) == message


@given(st.lists(st.binary(min_size=1, max_size=9)), st.integers(0, 60), st.integers(1, 60))
def test_a_cut_is_that_of_all_pieces_together(pieces: list[bytes], offset: int, length: int) -> None:
    assert b"".join(cut(iter(pieces), offset, length)) == b"".join(pieces)[offset : offset + length]


@pytest.mark.parametrize(("encoding", "known"), [(b"x-what", False), (b"base64", True), (b"8BIT", True)])
def test_an_unknown_encoding_anywhere_below_is_told(encoding: bytes, known: bool) -> None:
    message = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\nA\r\n--b--\r\n"
    )
    assert can_decode(scan(message)) is known
