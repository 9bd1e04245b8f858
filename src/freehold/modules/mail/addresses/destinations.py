"""Destinations as they are written: an address, or `maildir:`, `mbox:`, `program:`, `discard:`."""

import shlex
from pathlib import PurePosixPath

from freehold.errors import InvalidValueError, NotAllowedError
from freehold.modules.mail.addresses.model import Destination
from freehold.modules.mail.addresses.names import parse_elsewhere
from freehold.modules.mail.model import TargetKind

MAX_DESTINATION_OCTETS = 1_000
"""A path or command line at most: it is indexed, and a longer command belongs into a script."""

_ADDRESS_SIGNS = frozenset('@"')  # before the first colon: no kind, but an address with a quoted colon
_HOST_KINDS = (TargetKind.MAILDIR, TargetKind.MBOX, TargetKind.PROGRAM)


def parse_destination(text: str, *, may_use_host: bool) -> Destination:
    """Return what one destination means.

    Paths are absolute; a Maildir's ends in `/`. A program's command line is split as a shell would
    (quotes work) but no shell runs it. `may_use_host` allows paths and programs: for administrators.

    Raises:
        InvalidValueError: it is malformed; the text says what is expected.
        NotAllowedError: a path or program without `may_use_host`.
    """
    typed = text.strip()
    if not typed.isprintable() or len(typed.encode()) > MAX_DESTINATION_OCTETS:
        raise InvalidValueError(f"a destination is one line of at most {MAX_DESTINATION_OCTETS} bytes")
    word, colon, value = typed.partition(":")
    kind = _kind(word) if colon and not _ADDRESS_SIGNS.intersection(word) else TargetKind.ADDRESS
    if kind in _HOST_KINDS and not may_use_host:
        raise NotAllowedError(f"only an administrator may set a destination {kind.value}:")
    match kind:
        case TargetKind.MAILDIR:
            return Destination(kind, _maildir_path(value))
        case TargetKind.MBOX:
            return Destination(kind, _mbox_path(value))
        case TargetKind.PROGRAM:
            return Destination(kind, _command(value))
        case TargetKind.DISCARD:
            return Destination(kind, _nothing(value))
        case _:
            return Destination(TargetKind.ADDRESS, parse_elsewhere(typed))


def split_command(value: str) -> list[str]:
    """Return a stored program's words, the first of which is its path."""
    return shlex.split(value)


def _kind(word: str) -> TargetKind:
    try:
        kind = TargetKind(word.lower())
    except ValueError:
        kind = TargetKind.MAILBOX
    if kind in (TargetKind.MAILBOX, TargetKind.ADDRESS):
        raise InvalidValueError(
            f"{word[:80]!r} is no kind of destination:"
            " an address, maildir:/path/, mbox:/path, program:/path, discard:"
        )
    return kind


def _maildir_path(value: str) -> str:
    if not value.endswith("/"):
        raise InvalidValueError("a Maildir ends in a slash: maildir:/path/")
    return _absolute(value, "maildir:/path/").rstrip("/") + "/"


def _mbox_path(value: str) -> str:
    if value.endswith("/"):
        raise InvalidValueError("an mbox is a file, without a slash at its end: mbox:/path")
    return _absolute(value, "mbox:/path")


def _absolute(value: str, example: str) -> str:
    path = PurePosixPath(value)
    if not path.is_absolute() or ".." in path.parts or len(path.parts) == 1:
        raise InvalidValueError(f"the path is absolute and has no ..: {example}")
    return str(path)


def _command(value: str) -> str:
    try:
        words = shlex.split(value)
    except ValueError:
        raise InvalidValueError("the command has a quote that is not closed") from None
    if not words:
        raise InvalidValueError("name the program: program:/path argument")
    return shlex.join([_absolute(words[0], "program:/path argument"), *words[1:]])


def _nothing(value: str) -> str:
    if value:
        raise InvalidValueError("discard: stands alone")
    return value
