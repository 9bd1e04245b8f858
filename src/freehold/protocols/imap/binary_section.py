"""`BINARY[section]<partial>` and `BINARY.SIZE[section]`: parts without transfer encoding (RFC 3516 §4.2)."""

from dataclasses import dataclass

from freehold.protocols.imap.body_section import parse_part, parse_partial
from freehold.protocols.imap.cursor import Cursor

BINARY_WORDS = frozenset({b"BINARY", b"BINARY.PEEK", b"BINARY.SIZE"})


@dataclass(frozen=True, slots=True)
class BinarySection:
    """A part to be decoded, or with `size_only` how long it is then.

    `label` is the item's name in the response, `part` is empty for the message itself, `offset` and `length`
    are those of a partial, else None. Without `peek` the message becomes seen.
    """

    label: bytes
    peek: bool
    part: tuple[int, ...] = ()
    offset: int | None = None
    length: int | None = None
    size_only: bool = False


def parse_binary_section(cursor: Cursor, word: bytes) -> BinarySection:
    """Take what follows one of `BINARY_WORDS`, from the bracket on."""
    cursor.skip(b"[")
    part = parse_part(cursor)
    if not cursor.skip(b"]"):
        raise cursor.error("a closing bracket")
    section = b".".join(b"%d" % number for number in part)
    if word == b"BINARY.SIZE":
        return BinarySection(b"BINARY.SIZE[%b]" % section, peek=True, part=part, size_only=True)
    offset, length = parse_partial(cursor) if cursor.looking_at(b"<") else (None, None)
    label = b"BINARY[%b]" % section if offset is None else b"BINARY[%b]<%d>" % (section, offset)
    return BinarySection(label, word == b"BINARY.PEEK", part, offset, length)
