"""What SEARCH and SORT return, and what they leave behind (RFC 4731 §3.1, RFC 5182, RFC 5267, RFC 9394)."""

import re
from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError
from freehold.protocols.imap.fetch import FetchItem, parse_fetch_list
from freehold.protocols.imap.partial import PartialRange, parse_partial

# What UPDATE's list of fetch items begins with.
_ITEMS = re.compile(rb" +(?=\()")
_RETURN = re.compile(rb"RETURN(?= )", re.IGNORECASE)


class SearchReturn(Enum):
    """What an ESEARCH response tells; the value is the word on the wire."""

    MIN = b"MIN"
    MAX = b"MAX"
    ALL = b"ALL"
    COUNT = b"COUNT"


@dataclass(frozen=True, slots=True)
class ReturnOptions:
    """What is told in an ESEARCH response, and whether the result lives on.

    With `save` it becomes what `$` stands for (RFC 5182 §2.1), with `update` changes of it are told
    (RFC 5267 §4.3), and `update_items` of messages that are new in the folder (RFC 5465 §7). CONTEXT is only
    a hint and is not kept. ALL and `partial` never come together.
    """

    told: frozenset[SearchReturn] = frozenset()
    partial: PartialRange | None = None
    save: bool = False
    update: bool = False
    update_items: tuple[FetchItem, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Tell whether no response is wanted, as with SAVE alone (RFC 5182 §2.1)."""
        return self.save and not (self.told or self.partial or self.update)


def parse_returns(cursor: Cursor) -> ReturnOptions | None:
    """Take `RETURN (…) SP` if it stands here; an empty list, or CONTEXT alone, means ALL (RFC 4731 §3.1).

    Raises:
        CommandError: an option is unknown, or two of ALL and PARTIAL are given (RFC 5267 §4.4).
    """
    if cursor.match(_RETURN) is None:
        return None
    cursor.space()
    words: set[bytes] = set()
    pages: list[PartialRange] = []
    items: list[FetchItem] = []
    cursor.parenthesised(lambda: _option(cursor, words, pages, items))
    cursor.space()
    if len(pages) > 1 or (pages and b"ALL" in words):
        raise CommandError("only one of ALL and PARTIAL can be returned")
    told = frozenset(option for option in SearchReturn if option.value in words)
    save, update = b"SAVE" in words, b"UPDATE" in words
    if not (told or pages or save or update):
        told = frozenset({SearchReturn.ALL})
    return ReturnOptions(told, pages[0] if pages else None, save, update, tuple(dict.fromkeys(items)))


_WORDS = {b"SAVE", b"UPDATE", b"CONTEXT", *(option.value for option in SearchReturn)}


def _option(cursor: Cursor, words: set[bytes], pages: list[PartialRange], items: list[FetchItem]) -> None:
    word = cursor.word("a return option")
    if word == b"PARTIAL":
        cursor.space()
        pages.append(parse_partial(cursor))
    elif word in _WORDS:
        words.add(word)
        if word == b"UPDATE" and cursor.match(_ITEMS) is not None:
            items.extend(parse_fetch_list(cursor))
    else:
        raise CommandError("unknown return option")
