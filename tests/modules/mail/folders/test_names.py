"""Folder names: one spelling of each, whatever a client sends."""

from contextlib import suppress
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.modules.mail.folders.errors import FolderNameError
from freehold.modules.mail.folders.names import canonical_name, new_name
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.list_pattern import ListPattern
from freehold.protocols.imap.mailbox_name import decode_mailbox_name, encode_mailbox_name

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="*%"), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("asked", "canonical"),
    [
        ("inbox", "INBOX"),
        ("Inbox/x", "INBOX/x"),
        ("inboxes", "inboxes"),
        ("\u0131nbox", "\u0131nbox"),
        ("u\u0308", "\u00fc"),
        ("\u212b", "\u00c5"),
        ("\ufb01", "\ufb01"),
    ],
)
def test_the_one_spelling(asked: str, canonical: str) -> None:
    assert canonical_name(asked) == canonical


@given(name=NAMES)
def test_every_spelling_of_a_name_becomes_the_same_one(name: str) -> None:
    canonical = canonical_name(name)
    assert canonical_name(canonical) == canonical
    assert canonical_name(normalize("NFD", name)) == canonical
    with suppress(FolderNameError):
        assert new_name(name) == canonical_name(name.removesuffix("/"))


@given(name=NAMES)
def test_a_name_is_listed_by_any_spelling_as_pattern(name: str) -> None:
    assert ListPattern("", name).matches(canonical_name(name))
    assert ListPattern("", normalize("NFD", name)).matches(canonical_name(name))


@given(name=NAMES, utf8=st.booleans())
def test_a_name_survives_the_wire_in_either_encoding(name: str, utf8: bool) -> None:
    with suppress(CommandError):
        decoded = decode_mailbox_name(encode_mailbox_name(name, utf8=utf8), utf8=utf8)
        assert canonical_name(decoded) == canonical_name(name)


@given(raw=st.binary(max_size=60), utf8=st.booleans())
def test_octets_that_are_no_name_raise_nothing_but_their_own_error(raw: bytes, utf8: bool) -> None:
    with suppress(CommandError):
        assert encode_mailbox_name(decode_mailbox_name(raw, utf8=utf8), utf8=utf8).upper() == raw.upper()
