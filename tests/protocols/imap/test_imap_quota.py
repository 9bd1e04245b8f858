"""The commands and responses of RFC 9208, octet by octet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.protocols.imap.events import BadCommand
from freehold.protocols.imap.quota import (
    GetQuota,
    GetQuotaRoot,
    QuotaResource,
    SetQuota,
    quota_line,
    quota_root_line,
)
from freehold.protocols.imap.registry import parse_command
from freehold.protocols.imap.states import State


def parse(text: bytes) -> object:
    return parse_command(text, State.AUTHENTICATED)


def test_the_three_commands_are_read() -> None:
    assert parse(b'a getquota ""') == GetQuota(b"a", "")
    assert parse(b'a GETQUOTA "User quota"') == GetQuota(b"a", "User quota")
    assert parse(b"a GETQUOTAROOT &AOQ-") == GetQuotaRoot(b"a", "ä")
    assert parse(b'a SETQUOTA {3}\r\n"x" (storage 512 MESSAGE 9223372036854775807)') == SetQuota(
        b"a", '"x"', (("STORAGE", 512), ("MESSAGE", 2**63 - 1))
    )
    assert parse(b'a SETQUOTA "" ()') == SetQuota(b"a", "", ())


@pytest.mark.parametrize(
    "text",
    [
        b"a GETQUOTA",
        b"a GETQUOTA x y",
        b"a GETQUOTAROOT",
        b"a SETQUOTA x",
        b"a SETQUOTA x (STORAGE)",
        b"a SETQUOTA x (STORAGE -1)",
        b"a SETQUOTA x (STORAGE 9223372036854775808)",
        b"a SETQUOTA x (" + b" ".join([b"STORAGE 1"] * 17) + b")",
    ],
)
def test_what_is_malformed_is_refused(text: bytes) -> None:
    assert isinstance(parse(text), BadCommand)


def test_responses_are_written() -> None:
    assert quota_line("", ()) == b'* QUOTA "" ()\r\n'
    resources = (QuotaResource("STORAGE", 10, 512), QuotaResource("MESSAGE", 20, 100))
    assert quota_line("mailbox", resources) == b'* QUOTA "mailbox" (STORAGE 10 512 MESSAGE 20 100)\r\n'
    assert quota_root_line("in box", ("a", "b")) == b'* QUOTAROOT "in box" "a" "b"\r\n'
    assert quota_root_line("INBOX", ()) == b"* QUOTAROOT INBOX\r\n"


@given(st.sampled_from([b"GETQUOTA", b"GETQUOTAROOT", b"SETQUOTA"]), st.binary(max_size=60))
def test_whatever_the_arguments_no_other_error_is_raised(name: bytes, arguments: bytes) -> None:
    parse(b"a " + name + b" " + arguments)


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), max_size=30),
    st.lists(st.tuples(st.sampled_from(["STORAGE", "MESSAGE"]), st.integers(0, 2**63 - 1)), max_size=16),
)
def test_what_is_written_is_read_back(root: str, limits: list[tuple[str, int]]) -> None:
    raw = root.encode()
    listed = b" ".join(b"%b %d" % (name.encode(), limit) for name, limit in limits)
    assert parse(b"a SETQUOTA {%d}\r\n%b (%b)" % (len(raw), raw, listed)) == SetQuota(
        b"a", root, tuple(limits)
    )
