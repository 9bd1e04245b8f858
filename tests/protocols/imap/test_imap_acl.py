"""Commands and responses of the ACL extension (RFC 4314): what is read, what is refused, what is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.modules.mail.folders.rights import (
    ALL_RIGHTS,
    Right,
    RightsError,
    parse_rights,
    permitted_flags,
    rights_text,
)
from freehold.protocols.imap.acl import (
    DeleteAcl,
    GetAcl,
    ListRights,
    MyRights,
    RightsAction,
    SetAcl,
    acl_line,
    list_rights_line,
    my_rights_line,
)
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.events import BadCommand
from freehold.protocols.imap.registry import parse_command
from freehold.protocols.imap.states import State


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"setacl INBOX Fred lrs", SetAcl(b"a", "INBOX", "Fred", RightsAction.REPLACE, "lrs")),
        (b'SETACL "a b" -fred +cda', SetAcl(b"a", "a b", "-fred", RightsAction.ADD, "cda")),
        (b"SETACL x {4}\r\nj\xc3\xb6e -l", SetAcl(b"a", "x", "jöe", RightsAction.REMOVE, "l")),
        (b'SETACL x anyone ""', SetAcl(b"a", "x", "anyone", RightsAction.REPLACE, "")),
        (b"SETACL x anyone +", SetAcl(b"a", "x", "anyone", RightsAction.ADD, "")),
        (b"DELETEACL x fred", DeleteAcl(b"a", "x", "fred")),
        (b"GETACL inbox", GetAcl(b"a", "INBOX")),
        (b"LISTRIGHTS x fred", ListRights(b"a", "x", "fred")),
        (b"MYRIGHTS &AOQ-", MyRights(b"a", "ä")),
    ],
)
def test_a_command_is_read(text: bytes, expected: Command) -> None:
    assert parse_command(b"a " + text, State.AUTHENTICATED) == expected


@pytest.mark.parametrize(
    "text",
    [
        b"SETACL x fred",
        b"SETACL x fred lrQ",
        b"SETACL x fred q",
        b"SETACL x fred l0",
        b"SETACL x fred ++l",
        b"SETACL x fred l r",
        b'SETACL x "" l',
        b"SETACL x {2}\r\n\xff\xfe l",
        b'SETACL x "a\tb" l',
        b"SETACL x " + b"a" * 401 + b" l",
        b"DELETEACL x",
        b"GETACL",
        b"MYRIGHTS x y",
        b"LISTRIGHTS x",
    ],
)
def test_what_is_malformed_is_bad(text: bytes) -> None:
    event = parse_command(b"a " + text, State.AUTHENTICATED)
    assert isinstance(event, BadCommand)
    assert event.status.value == b"BAD"


def test_responses_are_written() -> None:
    entries = [("ann@x.test", "lrs"), ("-anyone", "w"), ("jöe", "")]
    assert acl_line("a b", entries) == b'* ACL "a b" ann@x.test lrs "-anyone" w {4}\r\nj\xc3\xb6e ""\r\n'
    assert list_rights_line("x", "nil", "", ["l", "r"]) == b'* LISTRIGHTS x "nil" "" l r\r\n'
    assert my_rights_line("ä", "") == b'* MYRIGHTS "&AOQ-" ""\r\n'
    assert my_rights_line("ä", "lr", utf8=True) == b'* MYRIGHTS "\xc3\xa4" lr\r\n'


@given(st.text(max_size=30))
def test_letters_are_rights_or_an_error_of_their_own(letters: str) -> None:
    try:
        rights = parse_rights(letters)
    except RightsError:
        assert set(letters) - set("lrswipkxteacd")
    else:
        assert set(letters) <= set(rights_text(rights))


@given(st.integers(0, int(ALL_RIGHTS)).map(Right))
def test_rights_as_letters_are_read_back(rights: Right) -> None:
    letters = rights_text(rights)
    assert len(set(letters)) == len(letters)
    assert parse_rights(letters.strip("cd")) == rights
    assert ("d" in letters) == bool(rights & (Right.DELETE | Right.EXPUNGE))
    assert ("c" in letters) == bool(rights & (Right.CREATE | Right.REMOVE))


@given(st.binary(max_size=60))
def test_octets_behind_a_command_raise_nothing(octets: bytes) -> None:
    for name in (b"SETACL", b"DELETEACL", b"GETACL", b"LISTRIGHTS", b"MYRIGHTS"):
        event = parse_command(b"a " + name + b" x " + octets, State.AUTHENTICATED)
        assert isinstance(event, BadCommand | SetAcl | DeleteAcl | GetAcl | ListRights | MyRights)


def test_flags_need_their_rights() -> None:
    assert permitted_flags(ALL_RIGHTS) == 31
    assert permitted_flags(Right.SEEN | Right.DELETE) == 9
    assert permitted_flags(Right.WRITE) == 22
    assert permitted_flags(Right.READ | Right.INSERT) == 0
