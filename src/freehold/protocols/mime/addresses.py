"""Address lists of header fields.

Owns RFC 5322 §3.4 with the obsolete forms of §4.4 (routes, comments and spaces anywhere) and what
is met in practice: 8-bit octets, missing quotes, missing commas after groups. Anything gives some
list; nothing raises.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec

MAX_ADDRESSES = 10_000
"""How many addresses and groups of one list are read."""
MAX_TOKENS = 6 * MAX_ADDRESSES
"""How many words, spaces and specials of one list are read; the rest is left out."""
MAX_COMMENT_DEPTH = 100


class Address(msgspec.Struct, frozen=True):
    """A mailbox: `name <@route:local@domain>`; all raw, without quotes and comments.

    `name` falls back to the last comment, as old agents put it there. `local` or `domain` is None
    where the field has none.
    """

    name: bytes | None
    route: bytes | None
    local: bytes | None
    domain: bytes | None


class Group(msgspec.Struct, frozen=True):
    """A named group and its members."""

    name: bytes
    members: tuple[Address, ...]


AddressItem: TypeAlias = Address | Group

_ATEXT = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]++"
# The common whole mailbox, up to its comma: [display-name] <local@domain>, or local@domain alone.
# Possessive, so that it fails in linear time; but for the groups: before 3.11.5 Python forgets to step back
# when the last repetition of a possessive group fails half-way.
_WORD = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\xff.-]++"
_COMMON = re.compile(
    rb"[ \t\r\n]*+(?:(?:\"([^\"\\\r\n]*+)\"|(%b(?: ++%b)*))?[ \t]*+<(%b)@(%b)>|(%b)@(%b))"
    rb"[ \t\r\n]*+(?:,|\Z)" % (_WORD, _WORD, _ATEXT, _ATEXT, _ATEXT, _ATEXT)
)
# White space, a quoted string, a domain literal, one special, or a run of anything else.
_TOKEN = re.compile(
    rb"([ \t\r\n\0]+)|\"((?:[^\"\\]|\\.)*)(?:\"|\\?\Z)|(\[[^\[\]\r\n]*\]?)|([()<>@,:;\\\]])"
    rb"|([^ \t\r\n\0\"\[()<>@,:;\\\]]+)",
    re.DOTALL,
)
_COMMENT_SPECIAL = re.compile(rb"[()\\]")
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)
_FOLD = re.compile(rb"\r?\n[ \t]*|\r")


def parse_addresses(value: bytes) -> tuple[AddressItem, ...]:
    """Return the mailboxes and groups of a field's value, folded or not, in order."""
    items: list[AddressItem] = []
    position = 0
    end = len(value)
    while position < end and len(items) < MAX_ADDRESSES:
        found = _COMMON.match(value, position)
        if found is None:
            return _Parser(value, position, items).parse()
        quoted, phrase, local, domain, bare_local, bare_domain = found.groups()
        if bare_local is not None:
            items.append(Address(None, None, bare_local, bare_domain))
        else:
            items.append(Address(quoted or phrase or None, None, local, domain))
        position = found.end()
    return tuple(items)


def mailboxes(items: tuple[AddressItem, ...]) -> tuple[Address, ...]:
    """Return all mailboxes, those of groups in their place."""
    if not any(isinstance(item, Group) for item in items):
        return tuple(item for item in items if isinstance(item, Address))
    return tuple(_flatten(items))


def _flatten(items: tuple[AddressItem, ...]) -> Iterator[Address]:
    for item in items:
        if isinstance(item, Group):
            yield from item.members
        else:
            yield item


class _Parser:
    """Reads the rest of a list token by token, in one pass."""

    __slots__ = (
        "_angle", "_at", "_closed", "_comment", "_count", "_domain", "_group", "_items", "_members",
        "_position", "_route", "_value", "_words",
    )  # fmt: skip

    def __init__(self, value: bytes, position: int, items: list[AddressItem]) -> None:
        self._value = value
        self._position = position
        self._items = items
        self._count = len(items)
        self._group: bytes | None = None
        self._members: list[Address] = []
        self._reset()

    def _reset(self) -> None:
        """Forget the mailbox that was just read."""
        self._words: list[tuple[bytes, bool]] = []  # a word, and whether a space came before it
        self._angle: list[bytes] | None = None  # the words since "<"
        self._domain: list[bytes] = []
        self._at = False
        self._closed = False  # after ">"
        self._route: list[bytes] = []
        self._comment: bytes | None = None

    def parse(self) -> tuple[AddressItem, ...]:
        """Return the items found before and those of the rest."""
        value, end, spaced = self._value, len(self._value), False
        for _ in range(MAX_TOKENS):
            if self._position >= end or self._count >= MAX_ADDRESSES:
                break
            found = _TOKEN.match(value, self._position)
            if found is None:
                self._position += 1
                continue
            self._position = found.end()
            space, quoted, literal, special, atom = found.groups()
            if space is not None:
                spaced = True
            elif special is not None:
                handler = _SPECIALS.get(special)
                if handler is not None:
                    handler(self)
                spaced = spaced and special == b"("
            else:
                word = _unescape(quoted) if quoted is not None else literal or atom
                self._word(word, spaced=spaced)
                spaced = False
        self._end_mailbox()
        if self._group is not None:
            self._end_group()
        return tuple(self._items)

    def _word(self, word: bytes, *, spaced: bool) -> None:
        if self._closed:
            self._end_mailbox()
        if self._at:
            self._domain.append(word)
        elif self._angle is not None:
            self._angle.append(word)
        else:
            self._words.append((word, spaced))

    def comment_start(self) -> None:
        """Keep the comment that starts here as the name of last resort."""
        self._comment = self._read_comment() or self._comment

    def angle_start(self) -> None:
        """Start an angle address, a further one after a missing comma too."""
        if self._closed:
            self._end_mailbox()
        if self._angle is None:
            self._phrase_before_angle()

    def angle_end(self) -> None:
        """End the angle address."""
        self._closed = self._angle is not None

    def semicolon(self) -> None:
        """End the mailbox and its group."""
        self._end_mailbox()
        if self._group is not None:
            self._end_group()

    def _phrase_before_angle(self) -> None:
        """Start an angle address; what came before is its name, even with an at sign in it."""
        if self._at:
            text = _phrase(self._words) + b"@" + b"".join(self._domain)
            self._words, self._domain, self._at = [(text, False)], [], False
        self._angle = []

    def at_sign(self) -> None:
        """Go on with the domain."""
        if self._at and not self._domain and not self._local_words():
            return
        if self._at:
            self._domain.append(b"@")
        self._at = True

    def _local_words(self) -> list[bytes]:
        return self._angle if self._angle is not None else [word for word, _ in self._words]

    def colon(self) -> None:
        """End a route (RFC 5322 §4.4 obs-route) or start a group."""
        if self._angle is not None:
            if self._at and not self._angle:
                self._add_to_route()
            return
        if self._at:
            self._domain.append(b":")
        elif self._group is None:
            self._group = _phrase(self._words)
            self._members = []
            self._count += 1
            self._reset()

    def comma(self) -> None:
        """End the mailbox, or one hop of an obs-route."""
        if self._angle is not None and not self._angle and self._at:
            self._add_to_route()
            return
        self._end_mailbox()

    def _add_to_route(self) -> None:
        """Take the domain read so far as one hop of an obs-route."""
        self._route.append(b"@" + b"".join(self._domain))
        self._domain, self._at = [], False

    def _read_comment(self) -> bytes:
        """Return the text of a comment whose parenthesis was just read, nested ones included."""
        start = self._position
        depth, position, end = 1, start, len(self._value)
        while depth and position < end:
            found = _COMMENT_SPECIAL.search(self._value, position)
            if found is None:
                position = end
                break
            position = found.end()
            if found[0] == b"\\":
                position = min(position + 1, end)
            elif found[0] == b"(" and depth < MAX_COMMENT_DEPTH:
                depth += 1
            elif found[0] == b")":
                depth -= 1
        self._position = position
        text = self._value[start : position - 1 if depth == 0 else position]
        return _unescape(text).strip()

    def _end_mailbox(self) -> None:
        address = self._mailbox()
        self._reset()
        if address is None:
            return
        self._count += 1
        if self._group is None:
            self._items.append(address)
        else:
            self._members.append(address)

    def _mailbox(self) -> Address | None:
        """Return the mailbox read so far, or None where there is nothing of one."""
        domain = b"".join(self._domain) or None
        if self._angle is not None:
            name = _phrase(self._words) or self._comment or None
            local = b"".join(self._angle) or None
            route = b",".join(self._route) or None
            if name is None and local is None and domain is None and route is None:
                return None
            return Address(name, route, local, domain)
        if not self._words and domain is None:
            return None
        # Words before the last one of `some words local@domain` are a name that lacks its brackets.
        split = max((i for i, (_, spaced) in enumerate(self._words) if spaced), default=0)
        if self._words and _joins(self._words, split):
            split = 0
        name = _phrase(self._words[:split]) or self._comment
        local = b"".join(word for word, _ in self._words[split:]) or None
        return Address(name or None, None, local, domain)

    def _end_group(self) -> None:
        self._items.append(Group(self._group or b"", tuple(self._members)))
        self._group = None
        self._members = []


_SPECIALS: dict[bytes, Callable[[_Parser], None]] = {
    b"(": _Parser.comment_start,
    b"<": _Parser.angle_start,
    b">": _Parser.angle_end,
    b"@": _Parser.at_sign,
    b":": _Parser.colon,
    b",": _Parser.comma,
    b";": _Parser.semicolon,
}


def _joins(words: list[tuple[bytes, bool]], split: int) -> bool:
    """Return whether a dot holds the words around `split` together (RFC 5322 §4.4 obs-local-part)."""
    return split > 0 and (words[split][0].startswith(b".") or words[split - 1][0].endswith(b"."))


def _phrase(words: list[tuple[bytes, bool]]) -> bytes:
    pieces: list[bytes] = []
    for word, spaced in words:
        if spaced and pieces:
            pieces.append(b" ")
        pieces.append(word)
    return b"".join(pieces)


def _unescape(text: bytes) -> bytes:
    if b"\n" in text or b"\r" in text:
        text = _FOLD.sub(b" ", text)
    return _QUOTED_PAIR.sub(rb"\1", text) if b"\\" in text else text
