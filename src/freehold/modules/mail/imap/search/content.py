"""What a message says: looks into headers and bodies, decoded, without regard to case and accents.

The index answers before these functions are asked; they are the last word.
"""

import re
from collections.abc import Iterable
from itertools import chain

from freehold.modules.mail.imap.messages.content import MessageContent
from freehold.modules.mail.search.terms import Runs, has_all, runs_of, terms_of, words_of
from freehold.protocols.imap.search_keys import DateRelation
from freehold.protocols.mime.date import parse_zoned_date
from freehold.protocols.mime.fold import fold
from freehold.protocols.mime.searchable import body_texts, header_texts
from freehold.protocols.mime.structure import header_end

_ENVELOPE_DATE = re.compile(rb'\((?:"((?:[^"\\]|\\.)*)"|(NIL))')
_EPOCH_DAY = 719_163  # date(1970, 1, 1).toordinal()
_MS_PER_DAY = 86_400_000


class Needle:
    """A text to be found; `fuzzy`: its words in any order, by their beginnings (RFC 6203 §3).

    `runs` is what the index is asked for.
    """

    __slots__ = ("is_fuzzy", "runs", "text")

    def __init__(self, text: str, *, fuzzy: bool = False) -> None:
        self.text = fold(text)
        words = words_of(text) if fuzzy else None
        self.is_fuzzy = words is not None and bool(words.parts)
        self.runs: Runs = words if words is not None and self.is_fuzzy else runs_of(text)

    def is_in_any(self, texts: Iterable[str]) -> bool:
        """Tell whether one of some texts contains it; words may be in different ones."""
        if self.is_fuzzy:
            return has_all({term for text in texts for term in terms_of(text)}, self.runs)
        return any(self.text in fold(text) for text in texts)


def header_contains(content: MessageContent, name: str, needle: Needle) -> bool:
    """Tell whether a field of this name contains the text; an empty one asks for the field."""
    buffer = content.buffer
    end = header_end(buffer, 0, len(buffer))
    values = [value for found, value in header_texts(buffer, 0, end) if found.lower() == name]
    return bool(values) and (not needle.text or needle.is_in_any(values))


def body_contains(content: MessageContent, needle: Needle) -> bool:
    """Tell whether the body contains the text, in whatever encoding and charset."""
    return not needle.text or needle.is_in_any(body_texts(content.buffer, content.part))


def text_contains(content: MessageContent, needle: Needle) -> bool:
    """Tell whether header or body contains the text."""
    buffer = content.buffer
    end = header_end(buffer, 0, len(buffer))
    header = (f"{name}: {value}" for name, value in header_texts(buffer, 0, end))
    return not needle.text or needle.is_in_any(chain(header, body_texts(buffer, content.part)))


def sent_day_matches(envelope: bytes, relation: DateRelation, day_ms: int) -> bool:
    """Compare the day of the Date field, as written there; without a date nothing matches."""
    found = _ENVELOPE_DATE.match(envelope)
    date = parse_zoned_date(found[1]) if found is not None and found[1] is not None else None
    if date is None:
        return False
    day = (date.written_ordinal - _EPOCH_DAY) * _MS_PER_DAY
    match relation:
        case DateRelation.BEFORE:
            return day < day_ms
        case DateRelation.ON:
            return day == day_ms
        case DateRelation.SINCE:
            return day >= day_ms
