"""GETQUOTA, GETQUOTAROOT, SETQUOTA and their responses (RFC 9208 §4.1, §4.2; RFC 2087)."""

from collections.abc import Iterable
from dataclasses import dataclass

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import MAX_NUMBER63, Cursor
from freehold.protocols.imap.data_response import mailbox_name
from freehold.protocols.imap.states import AFTER_LOGIN
from freehold.protocols.imap.wire_string import string

MAX_RESOURCES = 16
"""Resources of one SETQUOTA at the most; four are registered (RFC 9208 §5)."""


@dataclass(frozen=True, slots=True)
class QuotaResource:
    """Use and limit of one resource; STORAGE counts units of 1024 octets (RFC 9208 §5.1)."""

    name: str
    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class GetQuota(Command):
    """GETQUOTA of a quota root."""

    root: str


@dataclass(frozen=True, slots=True)
class GetQuotaRoot(Command):
    """GETQUOTAROOT of a mailbox, which need not exist (RFC 9208 §4.1.2)."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class SetQuota(Command):
    """SETQUOTA: new limits of a root, by the resources' names in upper case."""

    root: str
    limits: tuple[tuple[str, int], ...]


def parse_get_quota(tag: bytes, cursor: Cursor) -> GetQuota:
    """Read a quota root."""
    cursor.space()
    root = _root(cursor)
    cursor.end()
    return GetQuota(tag, root)


def parse_get_quota_root(tag: bytes, cursor: Cursor) -> GetQuotaRoot:
    """Read a mailbox."""
    cursor.space()
    mailbox = cursor.mailbox()
    cursor.end()
    return GetQuotaRoot(tag, mailbox)


def parse_set_quota(tag: bytes, cursor: Cursor) -> SetQuota:
    """Read a quota root and `(STORAGE 512)`; the list may be empty."""
    cursor.space()
    root = _root(cursor)
    cursor.space()
    limits = cursor.parenthesised(lambda: _limit(cursor), MAX_RESOURCES)
    cursor.end()
    return SetQuota(tag, root, tuple(limits))


def quota_line(root: str, resources: Iterable[QuotaResource]) -> bytes:
    """Write QUOTA; a root without limits has no resources (RFC 9208 §4.2.1)."""
    listed = b" ".join(b"%b %d %d" % (each.name.encode(), each.used, each.limit) for each in resources)
    return b"* QUOTA %b (%b)\r\n" % (string(root.encode()), listed)


def quota_root_line(mailbox: str, roots: Iterable[str], *, utf8: bool = False) -> bytes:
    """Write QUOTAROOT (RFC 9208 §4.2.2)."""
    words = [mailbox_name(mailbox, utf8=utf8), *(string(root.encode()) for root in roots)]
    return b"* QUOTAROOT %b\r\n" % b" ".join(words)


def _root(cursor: Cursor) -> str:
    return cursor.astring("a quota root").decode("utf-8", "replace")


def _limit(cursor: Cursor) -> tuple[str, int]:
    name = cursor.atom("a resource").upper().decode("ascii")
    cursor.space()
    return name, cursor.number(MAX_NUMBER63)


COMMANDS = (
    CommandSpec(b"GETQUOTA", GetQuota, parse_get_quota, AFTER_LOGIN),
    CommandSpec(b"GETQUOTAROOT", GetQuotaRoot, parse_get_quota_root, AFTER_LOGIN),
    CommandSpec(b"SETQUOTA", SetQuota, parse_set_quota, AFTER_LOGIN),
)
