"""Previews and the text of HTML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.mime.html_text import html_text
from freehold.protocols.mime.preview import MAX_PREVIEW_CHARACTERS, preview
from freehold.protocols.mime.structure import scan


def shown(message: bytes) -> str:
    return preview(message, scan(message))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<br>b", "a b"),
        ("in<b>voi</b>ce", "invoice"),
        ("<p>a</p>\n<p>b", "a b"),
        ("<style>x</style>a<script>y</script>b<!-- c -->d", "a b d"),
        ("a<!-- never closed", "a"),
        ("a<script>never closed", "a"),
        ("a <b", "a"),
        ("1 < 2 &amp; 3 > 2", "1 < 2 & 3 > 2"),
        ("a&nbsp;&nbsp;b", "a b"),
        ("<article>a</article>b", "a b"),
    ],
)
def test_html_is_read_as_a_browser_shows_it(source: str, text: str) -> None:
    assert html_text(source) == text


@given(st.text(alphabet="<>!-/ascriptyle&;# \"'", max_size=80))
def test_any_html_gives_some_text(source: str) -> None:
    assert html_text(source) == " ".join(html_text(source).split())


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"\r\nHello\r\n  world", "Hello world"),
        (b"\r\n> quoted\r\nanswer", "answer"),
        (b"\r\n> quoted", "> quoted"),
        (b"Content-Type: text/html\r\n\r\n<p>Hi <b>you</b>", "Hi you"),
        (b"Content-Type: image/png\r\n\r\nx", ""),
        (b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nx", ""),
        (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\r\n--b\r\n\r\nsecond\r\n--b--",
            "second",
        ),
    ],
)
def test_a_preview_is_the_first_text(message: bytes, text: str) -> None:
    assert shown(message) == text


def test_a_preview_ends_between_words() -> None:
    text = shown(b"\r\n" + b"word " * 100)
    assert len(text) <= MAX_PREVIEW_CHARACTERS
    assert text.endswith("word")
    assert len(shown(b"\r\n" + b"x" * 500)) == MAX_PREVIEW_CHARACTERS
