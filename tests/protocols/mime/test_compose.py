"""Building blocks of new messages."""

import email

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.mime.compose import body_part, field, free_boundary, multipart, text_field
from freehold.protocols.mime.encoded_word import decode_words
from freehold.protocols.mime.structure import scan


def test_short_field_is_one_line() -> None:
    assert field("X-A", "b  c") == b"X-A: b c\r\n"


def test_long_field_is_folded_at_spaces() -> None:
    written = field("X-A", "word " * 40)
    assert all(len(line) <= 76 for line in written.split(b"\r\n"))
    assert b" ".join(written.replace(b"\r\n ", b" ").split()[1:]) == b" ".join([b"word"] * 40)


@given(st.text(max_size=300))
def test_text_in_any_script_is_read_back(text: str) -> None:
    written = text_field("Subject", text)
    message = email.message_from_bytes(written + b"\r\n")
    assert list(message.keys()) == ["Subject"]
    assert not message.get_payload()
    assert max(len(line) for line in written.split(b"\r\n")) < 998


@pytest.mark.parametrize("text", ["Grüße aus Köln", "日本語の件名" * 20, "plain words"])
def test_text_keeps_its_meaning(text: str) -> None:
    written = text_field("Subject", text)
    assert decode_words(written.partition(b":")[2]) == text


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6))
def test_parts_of_a_multipart_keep_their_exact_octets(bodies: list[bytes]) -> None:
    parts = [body_part([("Content-Type", "application/octet-stream")], body) for body in bodies]
    boundary = free_boundary("b", parts)
    message = field("Content-Type", f'multipart/mixed; boundary="{boundary}"') + b"\r\n"
    message += multipart(boundary, parts)
    children = scan(message).children
    assert [message[child.header_start : child.body_end] for child in children] == parts
    assert [message[child.body_start : child.body_end] for child in children] == bodies


def test_boundary_avoids_what_the_parts_contain() -> None:
    assert free_boundary("b", [b"x\r\n--b\r\n", b"--b=1"]) == "b=2"
    assert free_boundary('a"b\r\nc', []) == "a_b__c"
    assert free_boundary("", []) == "part"
