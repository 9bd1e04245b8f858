"""What SEARCH looks for, as a tree (RFC 9051 §6.4.4, RFC 5032, RFC 7162 §3.1.5).

Keys that are another's opposite or sum (UNSEEN, NEW, UNDELETED …) are spelled with `Not` and `And`.
"""

from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.sequence_set import SequenceSet


class DateField(Enum):
    """Which date a `DateKey` compares."""

    INTERNAL = "internal"
    SAVED = "saved"
    SENT = "sent"


class DateRelation(Enum):
    """How; the message's day is compared, its time and zone disregarded."""

    BEFORE = "before"
    ON = "on"
    SINCE = "since"


@dataclass(frozen=True, slots=True)
class EveryMessage:
    """ALL."""


@dataclass(frozen=True, slots=True)
class And:
    """All of at least two keys."""

    keys: "tuple[SearchKey, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """One at least of two or more keys."""

    keys: "tuple[SearchKey, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """The messages that the key does not match."""

    key: "SearchKey"


@dataclass(frozen=True, slots=True)
class HasFlag:
    r"""Messages with a system flag (`\Recent` too) or keyword."""

    flag: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """Messages by message number."""

    messages: SequenceSet


@dataclass(frozen=True, slots=True)
class Uids:
    """Messages by UID."""

    uids: SequenceSet


@dataclass(frozen=True, slots=True)
class DateKey:
    """Messages by day; `day_ms` is the UTC midnight that begins it."""

    field: DateField
    relation: DateRelation
    day_ms: int


@dataclass(frozen=True, slots=True)
class Age:
    """OLDER (received at least `seconds` ago) or, not `older`, YOUNGER (at most)."""

    older: bool
    seconds: int


@dataclass(frozen=True, slots=True)
class Larger:
    """Messages of more octets than this."""

    octets: int


@dataclass(frozen=True, slots=True)
class Smaller:
    """Messages of fewer octets than this."""

    octets: int


@dataclass(frozen=True, slots=True)
class HeaderContains:
    """A substring of a header field; `name` is in lower case; empty `text` asks for the field's presence.

    `fuzzy`, here and below: the words of the text in any order, by their stems (RFC 6203 §3).
    """

    name: str
    text: str
    fuzzy: bool = False


@dataclass(frozen=True, slots=True)
class BodyContains:
    """A substring of the body."""

    text: str
    fuzzy: bool = False


@dataclass(frozen=True, slots=True)
class TextContains:
    """A substring of header or body."""

    text: str
    fuzzy: bool = False


@dataclass(frozen=True, slots=True)
class ModifiedSince:
    """Messages whose mod-sequence is at least this; per-flag entries are taken as all flags."""

    mod_sequence: int


@dataclass(frozen=True, slots=True)
class EmailId:
    """Messages of one EMAILID (RFC 8474 §6); `number` is what rows call the content, once it was found."""

    object_id: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class ThreadId:
    """Messages of one THREADID (RFC 8474 §6)."""

    object_id: str


SearchKey = (
    EveryMessage
    | And
    | Or
    | Not
    | HasFlag
    | Numbers
    | Uids
    | DateKey
    | Age
    | Larger
    | Smaller
    | HeaderContains
    | BodyContains
    | TextContains
    | ModifiedSince
    | EmailId
    | ThreadId
)
