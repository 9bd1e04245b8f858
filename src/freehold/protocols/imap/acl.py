"""SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS and their responses (RFC 4314 §3)."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.data_response import mailbox_name
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.limits import MAX_IDENTIFIER_BYTES
from freehold.protocols.imap.states import AFTER_LOGIN
from freehold.protocols.imap.wire_string import astring, string

# the rights of RFC 4314 §2.1, and c and d of RFC 2086
_RIGHTS = re.compile(rb"[lrswipkxteacd]*")
# written as atoms, as clients that look for addresses expect them
_ADDRESS = re.compile(rb"-?[A-Za-z0-9&+,./_-]+@[A-Za-z0-9.-]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class RightsAction(Enum):
    """What SETACL does with the rights that the identifier has; the value is the sign on the wire."""

    REPLACE = b""
    ADD = b"+"
    REMOVE = b"-"


@dataclass(frozen=True, slots=True)
class AclCommand(Command):
    """A command about the access control list of one mailbox."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class SetAcl(AclCommand):
    """SETACL; `rights` are letters that are rights or stand for some, each any number of times."""

    identifier: str
    action: RightsAction
    rights: str


@dataclass(frozen=True, slots=True)
class DeleteAcl(AclCommand):
    """DELETEACL."""

    identifier: str


@dataclass(frozen=True, slots=True)
class GetAcl(AclCommand):
    """GETACL."""


@dataclass(frozen=True, slots=True)
class ListRights(AclCommand):
    """LISTRIGHTS."""

    identifier: str


@dataclass(frozen=True, slots=True)
class MyRights(AclCommand):
    """MYRIGHTS."""


def parse_set_acl(tag: bytes, cursor: Cursor) -> SetAcl:
    """Read mailbox, identifier and rights; a letter that is no right makes the command BAD."""
    mailbox, identifier = _mailbox(cursor), _identifier(cursor)
    cursor.space()
    raw = cursor.astring("rights")
    cursor.end()
    action = RightsAction(raw[:1]) if raw[:1] in {b"+", b"-"} else RightsAction.REPLACE
    letters = raw.removeprefix(action.value)
    if not _RIGHTS.fullmatch(letters):
        raise CommandError("unknown right")
    return SetAcl(tag, mailbox, identifier, action, letters.decode("ascii"))


def acl_line(name: str, entries: Iterable[tuple[str, str]], *, utf8: bool = False) -> bytes:
    """Write ACL: pairs of an identifier and its rights."""
    words = [mailbox_name(name, utf8=utf8)]
    for identifier, rights in entries:
        words += (_word(identifier), astring(rights.encode("ascii")))
    return b"* ACL %b\r\n" % b" ".join(words)


def list_rights_line(
    name: str, identifier: str, required: str, optional: Sequence[str], *, utf8: bool = False
) -> bytes:
    """Write LISTRIGHTS: the identifier as it was sent, what it always has, and what else it can be given."""
    words = [mailbox_name(name, utf8=utf8), _word(identifier), string(required.encode("ascii"))]
    words += (rights.encode("ascii") for rights in optional)
    return b"* LISTRIGHTS %b\r\n" % b" ".join(words)


def my_rights_line(name: str, rights: str, *, utf8: bool = False) -> bytes:
    """Write MYRIGHTS (RFC 4314 §3.8, RFC 8440 §3)."""
    return b"* MYRIGHTS %b %b\r\n" % (mailbox_name(name, utf8=utf8), astring(rights.encode("ascii")))


def _word(identifier: str) -> bytes:
    raw = identifier.encode()
    return raw if _ADDRESS.fullmatch(raw) else astring(raw)


def _mailbox(cursor: Cursor) -> str:
    cursor.space()
    return cursor.mailbox()


def _identifier(cursor: Cursor) -> str:
    cursor.space()
    raw = cursor.astring("an identifier")
    try:
        identifier = raw.decode()
    except UnicodeDecodeError as error:
        raise CommandError("identifier is not UTF-8") from error
    if not identifier or len(raw) > MAX_IDENTIFIER_BYTES or _CONTROL.search(identifier):
        raise CommandError("invalid identifier")
    return identifier


def _of_mailbox(value: type[AclCommand]) -> Callable[[bytes, Cursor], Command]:
    def parse(tag: bytes, cursor: Cursor) -> Command:
        mailbox = _mailbox(cursor)
        cursor.end()
        return value(tag, mailbox)

    return parse


def _of_identifier(value: type[DeleteAcl | ListRights]) -> Callable[[bytes, Cursor], Command]:
    def parse(tag: bytes, cursor: Cursor) -> Command:
        mailbox, identifier = _mailbox(cursor), _identifier(cursor)
        cursor.end()
        return value(tag, mailbox, identifier)

    return parse


COMMANDS = (
    CommandSpec(b"SETACL", SetAcl, parse_set_acl, AFTER_LOGIN),
    CommandSpec(b"DELETEACL", DeleteAcl, _of_identifier(DeleteAcl), AFTER_LOGIN),
    CommandSpec(b"GETACL", GetAcl, _of_mailbox(GetAcl), AFTER_LOGIN),
    CommandSpec(b"LISTRIGHTS", ListRights, _of_identifier(ListRights), AFTER_LOGIN),
    CommandSpec(b"MYRIGHTS", MyRights, _of_mailbox(MyRights), AFTER_LOGIN),
)
