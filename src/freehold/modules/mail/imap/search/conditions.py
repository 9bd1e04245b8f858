"""Search keys that rows alone can answer, as SQL (RFC 9051 §6.4.4, RFC 5032, RFC 7162 §3.1.5).

Among them object ids (RFC 8474 §6) and the date of arrival in the folder (RFC 8514 §4.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from freehold.modules.mail.imap.messages.flag_bytes import SYSTEM_BITS
from freehold.protocols.imap.flags import RECENT
from freehold.protocols.imap.search_keys import (
    Age,
    And,
    DateField,
    DateKey,
    DateRelation,
    EmailId,
    EveryMessage,
    HasFlag,
    Larger,
    ModifiedSince,
    Not,
    Or,
    SearchKey,
    Smaller,
    ThreadId,
)
from freehold.storage.database import Value

MS_PER_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class RowCondition:
    """An SQL expression over `message AS m`, with its arguments."""

    sql: str
    arguments: tuple[Value, ...] = ()


EVERY_ROW = RowCondition("1 = 1")
NO_ROW = RowCondition("1 = 0")


def row_condition(  # noqa: C901, PLR0911, PLR0912 (one case for each key)
    key: SearchKey, now_ms: int
) -> RowCondition | None:
    """Return the condition for a key, or None where rows cannot answer it, or not all of it."""
    match key:
        case EveryMessage():
            return EVERY_ROW
        case Not(inner):
            condition = row_condition(inner, now_ms)
            return None if condition is None else _not(condition)
        case And(keys):
            return _joined("AND", [row_condition(each, now_ms) for each in keys])
        case Or(keys):
            return _joined("OR", [row_condition(each, now_ms) for each in keys])
        case HasFlag(flag):
            return _flag(flag)
        case DateKey(DateField.INTERNAL, relation, day_ms):
            return _day("m.internal_ms", relation, day_ms)
        case DateKey(DateField.SAVED, relation, day_ms):
            return _day("m.saved_ms", relation, day_ms)
        case EmailId(_, int() as blob_id):
            return RowCondition("m.blob_id = ?", (blob_id,))
        case EmailId() | ThreadId():
            return NO_ROW
        case Age(older, seconds):
            moment = now_ms - seconds * 1000
            return RowCondition("m.internal_ms <= ?" if older else "m.internal_ms >= ?", (moment,))
        case Larger(octets):
            return RowCondition("m.size_bytes > ?", (octets,))
        case Smaller(octets):
            return RowCondition("m.size_bytes < ?", (octets,))
        case ModifiedSince(mod_sequence):
            return RowCondition("m.modseq >= ?", (mod_sequence,))
        case _:
            return None


def all_of(conditions: Sequence[RowCondition]) -> RowCondition:
    """Return the condition that all are met."""
    return _joined("AND", conditions) or EVERY_ROW


def _not(condition: RowCondition) -> RowCondition:
    return RowCondition(f"NOT ({condition.sql})", condition.arguments)


def _joined(operator: str, conditions: Sequence[RowCondition | None]) -> RowCondition | None:
    """Join conditions as a balanced tree, since engines bound the depth of expressions."""
    known = [each for each in conditions if each is not None]
    if not known or len(known) < len(conditions):
        return None
    if len(known) == 1:
        return known[0]
    middle = len(known) // 2
    left, right = _joined(operator, known[:middle]), _joined(operator, known[middle:])
    if left is None or right is None:
        return None
    return RowCondition(f"({left.sql} {operator} {right.sql})", left.arguments + right.arguments)


def _flag(flag: str) -> RowCondition | None:
    if flag == RECENT:
        return None
    bit = SYSTEM_BITS.get(flag)
    if bit is not None:
        return RowCondition(f"m.flags & {int(bit)} <> 0")
    escaped = flag.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return RowCondition("(' ' || lower(m.keywords) || ' ') LIKE ? ESCAPE '!'", (f"% {escaped} %",))


def _day(column: str, relation: DateRelation, day_ms: int) -> RowCondition:
    match relation:
        case DateRelation.BEFORE:
            return RowCondition(f"{column} < ?", (day_ms,))
        case DateRelation.ON:
            return RowCondition(f"({column} >= ? AND {column} < ?)", (day_ms, day_ms + MS_PER_DAY))
        case DateRelation.SINCE:
            return RowCondition(f"{column} >= ?", (day_ms,))
