"""SEARCH and UID SEARCH, and the search keys that SORT and THREAD end in too (RFC 9051 §6.4.4, RFC 5032)."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from freehold.protocols.imap.charset import decode_text, find_charset
from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import MAX_NUMBER63, Cursor
from freehold.protocols.imap.errors import CommandError, Status
from freehold.protocols.imap.flags import ANSWERED, DELETED, DRAFT, FLAGGED, RECENT, SEEN, parse_keyword
from freehold.protocols.imap.limits import MAX_ARGUMENTS, MAX_NESTING
from freehold.protocols.imap.search_keys import (
    Age,
    And,
    BodyContains,
    DateField,
    DateKey,
    DateRelation,
    EmailId,
    EveryMessage,
    HasFlag,
    HeaderContains,
    Larger,
    ModifiedSince,
    Not,
    Numbers,
    Or,
    SearchKey,
    Smaller,
    TextContains,
    ThreadId,
    Uids,
)
from freehold.protocols.imap.search_return import ReturnOptions, parse_returns
from freehold.protocols.imap.states import MAILBOX_OPEN

# entry-name = "/flags/" attr-flag, quoted (RFC 7162 §7)
_ENTRY = re.compile(rb'"/flags/\\*[^"]{1,200}"', re.IGNORECASE)
_ENTRY_TYPE = re.compile(rb"(?:priv|shared|all)(?= )", re.IGNORECASE)
_KEY = re.compile(rb"[A-Za-z0-9-]+")
_CHARSET = re.compile(rb"CHARSET(?= )", re.IGNORECASE)
_NUMBER_SET = re.compile(rb"(?=[\d*$])")
# RFC 8474 §7 has these characters, and this length.
_OBJECT_ID = re.compile(rb"[A-Za-z0-9_-]{1,255}(?=[ )]|\Z)")
_OR = re.compile(rb"OR +", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Search(Command):
    """SEARCH, or UID SEARCH if `uid`.

    `returns` is None when the client wants the old SEARCH response instead of ESEARCH.
    `wants_mod_sequence` says that MODSEQ was among the keys, so the response has to tell the highest.
    """

    uid: bool
    key: SearchKey
    returns: ReturnOptions | None = None
    wants_mod_sequence: bool = False
    names_charset: bool = False


def parse_search(tag: bytes, cursor: Cursor) -> Search:
    """Read SEARCH's arguments."""
    return _parse(tag, cursor, uid=False)


def parse_uid_search(tag: bytes, cursor: Cursor) -> Search:
    """Read UID SEARCH's arguments."""
    return _parse(tag, cursor, uid=True)


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is looked for; `wants_mod_sequence` as `Search` has it."""

    key: SearchKey
    wants_mod_sequence: bool


class SearchProgram:
    """Reads search keys."""

    __slots__ = ("charset", "cursor", "fuzzy", "keys", "wants_mod_sequence")

    def __init__(self, cursor: Cursor, charset: str | None) -> None:
        self.cursor = cursor
        self.charset = charset
        self.fuzzy = False
        self.keys = 0
        self.wants_mod_sequence = False

    def read_all(self, depth: int = 0) -> SearchKey:
        """Take keys up to the end of the command or a closing parenthesis."""
        keys = [self.read(depth)]
        while self.cursor.more():
            keys.append(self.read(depth))
        return keys[0] if len(keys) == 1 else And(tuple(keys))

    def read(self, depth: int) -> SearchKey:
        """Take one key.

        Raises:
            CommandError: unknown key, bad argument, too many keys or too deep.
        """
        self.keys += 1
        if depth > MAX_NESTING or self.keys > MAX_ARGUMENTS:
            raise CommandError("search too complex")
        cursor = self.cursor
        if cursor.looking_at(b"("):
            cursor.open()
            key = self.read_all(depth + 1)
            cursor.close()
            return key
        if cursor.match(_NUMBER_SET):
            return Numbers(cursor.sequence_set())
        word = cursor.take(_KEY, "a search key").upper()
        plain = _PLAIN_KEYS.get(word)
        if plain is not None:
            return plain
        parse = _KEYS_WITH_ARGUMENTS.get(word)
        if parse is None:
            raise CommandError("unknown search key")
        cursor.space()
        return parse(self, depth + 1)

    def object_id(self) -> str:
        """Take an object id (RFC 8474 §7); letter case matters."""
        return self.cursor.take(_OBJECT_ID, "an object id").decode("ascii")

    def text(self) -> str:
        """Take a string and decode it."""
        return decode_text(self.cursor.astring(), self.charset)

    def keyword(self) -> HasFlag:
        """Take a keyword."""
        return HasFlag(parse_keyword(self.cursor.atom("a keyword")))


def parse_criteria(cursor: Cursor, charset: str | None) -> Criteria:
    """Read search keys up to the end of the command."""
    program = SearchProgram(cursor, charset)
    key = program.read_all()
    cursor.end()
    return Criteria(key, program.wants_mod_sequence)


def parse_charset(cursor: Cursor) -> str:
    """Take a charset and the space behind it."""
    charset = find_charset(cursor.astring("a charset"))
    cursor.space()
    return charset


@contextmanager
def marking_saves(returns: ReturnOptions | None) -> Iterator[None]:
    """Have a refusal with NO tell that a result was to be saved: `$` is then empty (RFC 5182 §2.1)."""
    try:
        yield
    except CommandError as error:
        error.forgets_result = returns is not None and returns.save and error.status is Status.NO
        raise


def _parse(tag: bytes, cursor: Cursor, *, uid: bool) -> Search:
    cursor.space()
    returns = parse_returns(cursor)
    with marking_saves(returns):
        charset = None
        if cursor.match(_CHARSET):
            cursor.space()
            charset = parse_charset(cursor)
        criteria = parse_criteria(cursor, charset)
    return Search(tag, uid, criteria.key, returns, criteria.wants_mod_sequence, charset is not None)


def _not(program: SearchProgram, depth: int) -> SearchKey:
    return Not(program.read(depth))


def _fuzzy(program: SearchProgram, depth: int) -> SearchKey:
    """Take a key in which texts are fuzzy (RFC 6203 §3); others have but one meaning."""
    before, program.fuzzy = program.fuzzy, True
    key = program.read(depth)
    program.fuzzy = before
    return key


def _or(program: SearchProgram, depth: int) -> SearchKey:
    """Take OR's two keys; `OR a OR b OR c d`, as clients chain it, becomes one flat `Or`."""
    keys = [program.read(depth)]
    program.cursor.space()
    while program.cursor.match(_OR):
        keys.append(program.read(depth))
        program.cursor.space()
    keys.append(program.read(depth))
    return Or(tuple(keys))


def _unkeyword(program: SearchProgram, _depth: int) -> SearchKey:
    return Not(program.keyword())


def _header(program: SearchProgram, _depth: int) -> SearchKey:
    name = program.text().lower()
    program.cursor.space()
    return HeaderContains(name, program.text(), program.fuzzy)


def _field(name: str) -> "_KeyParser":
    return lambda program, _depth: HeaderContains(name, program.text(), program.fuzzy)


def _date(field: DateField, relation: DateRelation) -> "_KeyParser":
    return lambda program, _depth: DateKey(field, relation, program.cursor.date())


def _age(*, older: bool) -> "_KeyParser":
    return lambda program, _depth: Age(older, program.cursor.nz_number())


def _modified_since(program: SearchProgram, _depth: int) -> SearchKey:
    """Take `["/flags/…" all] mod-sequence-valzer`."""
    cursor = program.cursor
    if cursor.match(_ENTRY):
        cursor.space()
        cursor.take(_ENTRY_TYPE, "priv, shared or all")
        cursor.space()
    program.wants_mod_sequence = True
    return ModifiedSince(cursor.number(MAX_NUMBER63))


_KeyParser = Callable[[SearchProgram, int], SearchKey]

_SYSTEM_KEYS = {
    b"ANSWERED": ANSWERED,
    b"DELETED": DELETED,
    b"DRAFT": DRAFT,
    b"FLAGGED": FLAGGED,
    b"SEEN": SEEN,
}
_PLAIN_KEYS: dict[bytes, SearchKey] = {
    b"ALL": EveryMessage(),
    b"NEW": And((HasFlag(RECENT), Not(HasFlag(SEEN)))),
    b"OLD": Not(HasFlag(RECENT)),
    b"RECENT": HasFlag(RECENT),
    b"SAVEDATESUPPORTED": EveryMessage(),  # every folder keeps that date (RFC 8514 §4.3)
    **{word: HasFlag(flag) for word, flag in _SYSTEM_KEYS.items()},
    **{b"UN" + word: Not(HasFlag(flag)) for word, flag in _SYSTEM_KEYS.items()},
}
_KEYS_WITH_ARGUMENTS: dict[bytes, _KeyParser] = {
    b"BCC": _field("bcc"),
    b"BODY": lambda program, _depth: BodyContains(program.text(), program.fuzzy),
    b"CC": _field("cc"),
    b"FROM": _field("from"),
    b"FUZZY": _fuzzy,
    b"HEADER": _header,
    b"KEYWORD": lambda program, _depth: program.keyword(),
    b"LARGER": lambda program, _depth: Larger(program.cursor.number(MAX_NUMBER63)),
    b"MODSEQ": _modified_since,
    b"NOT": _not,
    b"OLDER": _age(older=True),
    b"OR": _or,
    b"SMALLER": lambda program, _depth: Smaller(program.cursor.number(MAX_NUMBER63)),
    b"SUBJECT": _field("subject"),
    b"TEXT": lambda program, _depth: TextContains(program.text(), program.fuzzy),
    b"TO": _field("to"),
    b"UID": lambda program, _depth: Uids(program.cursor.sequence_set()),
    b"UNKEYWORD": _unkeyword,
    b"YOUNGER": _age(older=False),
    **{relation.name.encode(): _date(DateField.INTERNAL, relation) for relation in DateRelation},
    **{b"SAVED" + relation.name.encode(): _date(DateField.SAVED, relation) for relation in DateRelation},
    **{b"SENT" + relation.name.encode(): _date(DateField.SENT, relation) for relation in DateRelation},
    b"EMAILID": lambda program, _depth: EmailId(program.object_id()),
    b"THREADID": lambda program, _depth: ThreadId(program.object_id()),
}

COMMANDS = (
    CommandSpec(b"SEARCH", Search, parse_search, MAILBOX_OPEN),
    CommandSpec(b"UID SEARCH", Search, parse_uid_search, MAILBOX_OPEN),
)
