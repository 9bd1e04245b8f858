"""Relative IMAP URLs: what they name, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.imap.body_section import SectionText
from freehold.protocols.imap.url import MessageUrl, UrlError, quotable


def test_a_url_names_a_message_of_a_folder() -> None:
    url = MessageUrl.parse(b"/Drafts;UIDVALIDITY=385759045/;UID=20")
    assert (url.mailbox, url.uid_validity, url.uid) == ("Drafts", 385759045, 20)
    assert (url.section.part, url.section.text, url.section.offset) == ((), SectionText.EVERYTHING, None)


@pytest.mark.parametrize(
    ("url", "mailbox"),
    [
        (b"/inbox/;uid=1", "INBOX"),
        (b"INBOX/;UID=1", "INBOX"),
        (b"/a/b%20c/;UID=1", "a/b c"),
        (b"/gr%C3%BC%C3%9Fe;uidvalidity=7/;UID=1", "grüße"),
        (b"/R&D/;UID=1", "R&D"),
        (b"/a%2F%3Bb/;UID=1", "a/;b"),
        (b";UID=1", None),
        (b"/;UID=1", None),
    ],
)
def test_names_are_percent_encoded_utf_8(url: bytes, mailbox: str | None) -> None:
    assert MessageUrl.parse(url).mailbox == mailbox


def test_a_url_names_a_part_and_a_piece_of_it() -> None:
    section = MessageUrl.parse(b"/x/;UID=3/;SECTION=1.2.MIME/;PARTIAL=0.1024").section
    assert (section.part, section.text) == ((1, 2), SectionText.MIME)
    assert (section.offset, section.length) == (0, 1024)
    fields = MessageUrl.parse(b"/x/;UID=3/;SECTION=HEADER.FIELDS%20(DATE%20FROM)").section
    assert fields.fields == (b"DATE", b"FROM")
    assert MessageUrl.parse(b"/x/;UID=3/;PARTIAL=7").section.offset == 7


@pytest.mark.parametrize(
    "url",
    [
        b"",
        b"/",
        b"/x",
        b"/x/;UID=0",
        b"/x/;UID=4294967296",
        b"/x/;UID=1x",
        b"/x;UIDVALIDITY=0/;UID=1",
        b"imap://host/x/;UID=1",
        b"//host/x/;UID=1",
        b"/x/;UID=1/;SECTION=FOO",
        b"/x/;UID=1/;SECTION=1]",
        b"/x/;UID=1/;SECTION=1%5D%5B",
        b"/x/;UID=1/;PARTIAL=1.0",
        b"/x/;UID=1;URLAUTH=anonymous",
        b"/%ff/;UID=1",
        b"/%00/;UID=1",
        b"/x?SUBJECT",
    ],
)
def test_anything_else_is_refused(url: bytes) -> None:
    with pytest.raises(UrlError):
        MessageUrl.parse(url)


@given(st.binary(max_size=60) | st.text("/;UIDSECTON=1.%2F()[] <>x", max_size=60).map(str.encode))
def test_octets_raise_nothing_but_a_url_error(octets: bytes) -> None:
    try:
        MessageUrl.parse(octets)
    except UrlError:
        return


@given(st.binary(max_size=60))
def test_what_is_quoted_fits_a_response_code(octets: bytes) -> None:
    quoted = quotable(octets)
    assert quoted
    assert quoted.isascii()
    assert not set(quoted) & set(b"] \r\n\0")
