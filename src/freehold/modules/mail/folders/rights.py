"""Rights on a folder as letters and as bits (RFC 4314 §2.1)."""

from enum import IntFlag

from freehold.errors import InvalidValueError
from freehold.modules.mail.model import Flag


class RightsError(InvalidValueError):
    """A letter that is no right."""

    public = "unknown right: use letters of lrswipkxtea"


class Right(IntFlag):
    """What somebody may do with a folder; the bits of `folder_right.rights`."""

    LOOKUP = 1
    READ = 2
    SEEN = 4
    WRITE = 8
    INSERT = 16
    POST = 32
    CREATE = 64
    REMOVE = 128
    DELETE = 256
    EXPUNGE = 512
    ADMINISTER = 1024


NO_RIGHTS = Right(0)
ALL_RIGHTS = Right(2047)
KEPT_BY_OWNER = Right.LOOKUP | Right.ADMINISTER
"""What nobody can take from a folder's owner, who could not find or mend it otherwise."""

LETTERS: dict[str, Right] = dict(zip("lrswipkxtea", Right, strict=True))
"""Each right's letter, in the RFC's order."""

_CREATE = Right.CREATE | Right.REMOVE
_DELETE = Right.DELETE | Right.EXPUNGE
_OBSOLETE = {"c": _CREATE, "d": _DELETE}
"""Letters of RFC 2086 that stand for several (RFC 4314 §2.1.1)."""

OBSOLETE_LETTERS = "".join(_OBSOLETE)


def parse_rights(letters: str) -> Right:
    """Return the rights that some letters name; none is none.

    Raises:
        RightsError: a letter is unknown, capitals and digits among them.
    """
    rights = NO_RIGHTS
    for letter in letters:
        right = LETTERS.get(letter) or _OBSOLETE.get(letter)
        if right is None:
            raise RightsError
        rights |= right
    return rights


def rights_text(rights: Right) -> str:
    """Return rights as letters, with the obsolete ones that clients of RFC 2086 look for."""
    letters = [letter for letter, right in LETTERS.items() if right & rights]
    letters += [letter for letter, members in _OBSOLETE.items() if members & rights]
    return "".join(letters)


def permitted_flags(rights: Right) -> int:
    """Return the system flags (bits of `Flag`) that may be changed (RFC 4314 §4); keywords go with `w`."""
    flags = 0
    if rights & Right.SEEN:
        flags |= Flag.SEEN
    if rights & Right.DELETE:
        flags |= Flag.DELETED
    if rights & Right.WRITE:
        flags |= sum(Flag) & ~(Flag.SEEN | Flag.DELETED)
    return flags
