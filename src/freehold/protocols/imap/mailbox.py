"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, NAMESPACE (RFC 9051 §6.3, RFC 6154)."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from freehold.protocols.imap.commands import Command, CommandSpec, bare
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.states import AFTER_LOGIN

# use-attr = "\" atom
_USE = re.compile(rb"\\[A-Za-z0-9-]+")
_USES = ("\\All", "\\Archive", "\\Drafts", "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash")
_CANONICAL_USE = {use.upper(): use for use in _USES}


@dataclass(frozen=True, slots=True)
class MailboxCommand(Command):
    """A command about one mailbox."""

    mailbox: str


@dataclass(frozen=True, slots=True)
class Create(MailboxCommand):
    r"""CREATE; a delimiter at the end of the name is kept (RFC 9051 §6.3.4).

    `special_uses` are in RFC 6154's spelling; what it does not know is kept for NO [USEATTR].
    """

    special_uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete(MailboxCommand):
    """DELETE."""


@dataclass(frozen=True, slots=True)
class Rename(MailboxCommand):
    """RENAME."""

    new_name: str


@dataclass(frozen=True, slots=True)
class Subscribe(MailboxCommand):
    """SUBSCRIBE."""


@dataclass(frozen=True, slots=True)
class Unsubscribe(MailboxCommand):
    """UNSUBSCRIBE."""


@dataclass(frozen=True, slots=True)
class Namespace(Command):
    """NAMESPACE (RFC 2342)."""


def parse_create(tag: bytes, cursor: Cursor) -> Create:
    r"""Read a name and perhaps `(USE (\Sent))`."""
    cursor.space()
    name = cursor.mailbox()
    uses: tuple[str, ...] = ()
    if cursor.more():
        cursor.open()
        if cursor.word("USE") != b"USE":
            raise CommandError("unknown create parameter")
        cursor.space()
        uses = tuple(dict.fromkeys(cursor.parenthesised(lambda: _use(cursor))))
        cursor.close()
    cursor.end()
    return Create(tag, name, uses)


def parse_rename(tag: bytes, cursor: Cursor) -> Rename:
    """Read the old and the new name."""
    cursor.space()
    name = cursor.mailbox()
    cursor.space()
    new_name = cursor.mailbox()
    cursor.end()
    return Rename(tag, name, new_name)


def _use(cursor: Cursor) -> str:
    use = cursor.take(_USE, "a special-use attribute").decode("ascii")
    return _CANONICAL_USE.get(use.upper(), use)


def _one_mailbox(value: type[MailboxCommand]) -> Callable[[bytes, Cursor], Command]:
    def parse(tag: bytes, cursor: Cursor) -> Command:
        cursor.space()
        name = cursor.mailbox()
        cursor.end()
        return value(tag, name)

    return parse


COMMANDS = (
    CommandSpec(b"CREATE", Create, parse_create, AFTER_LOGIN),
    CommandSpec(b"DELETE", Delete, _one_mailbox(Delete), AFTER_LOGIN),
    CommandSpec(b"RENAME", Rename, parse_rename, AFTER_LOGIN),
    CommandSpec(b"SUBSCRIBE", Subscribe, _one_mailbox(Subscribe), AFTER_LOGIN),
    CommandSpec(b"UNSUBSCRIBE", Unsubscribe, _one_mailbox(Unsubscribe), AFTER_LOGIN),
    CommandSpec(b"NAMESPACE", Namespace, bare(Namespace), AFTER_LOGIN),
)
