"""Looking for text in messages: the quick ways never lose what the thorough one finds."""

from hypothesis import given
from hypothesis import strategies as st

from freehold.modules.mail.imap.messages.content import MessageContent
from freehold.modules.mail.imap.search.content import Needle, body_contains, header_contains, text_contains

words = st.text(alphabet='abcXYZ019@.- <>()",:;=_', min_size=1, max_size=12)


@given(words, words)
def test_text_is_found_however_it_is_encoded(body: str, text: str) -> None:
    import base64

    head = b"Subject: s\r\nContent-Type: text/plain; charset=utf-8\r\n"
    plain = MessageContent(head + b"\r\n" + body.encode() + b"\r\n")
    coded = MessageContent(
        head + b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(body.encode() + b"\r\n")
    )
    needle = Needle(text)
    assert (
        body_contains(plain, needle) == body_contains(coded, needle) == (text.casefold() in body.casefold())
    )
    if text.casefold() in body.casefold():
        assert text_contains(plain, needle)
        assert text_contains(coded, needle)


def test_addresses_are_found_as_they_are_meant() -> None:
    content = MessageContent(b"To: <ann (her) @ (our) x.test>, =?utf-8?q?J=C3=B6rg?= <j@y.test>\r\n\r\n")
    assert header_contains(content, "to", Needle("ann@x.test"))
    assert header_contains(content, "to", Needle("JÖRG"))
    assert not header_contains(content, "subject", Needle("ann"))
