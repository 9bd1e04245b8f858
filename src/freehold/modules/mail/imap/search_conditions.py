"""Search keys that rows alone can answer, as SQL (RFC 9051 §6.4.4, RFC 5032, RFC 7162 §3.1.5)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from freehold.modules.mail.imap.flag_bytes import SYSTEM_BITS
from freehold.protocols.imap.flags import RECENT
from freehold.protocols.imap.search_keys import (
    Age,
    And,
    DateField,
    DateKey,
    DateRelation,
    EveryMessage,
    HasFlag,
    Larger,
    ModifiedSince,
    Not,
    Or,
    SearchKey,
    Smaller,
)
from freehold.storage.database import Value

MS_PER_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class RowCondition:
    """An SQL expression over `message AS m`, with its arguments."""

    sql: str
    arguments: tuple[Value, ...] = ()


EVERY_ROW = RowCondition("1 = 1")


def row_condition(  # noqa: C901, PLR0911 (one case for each key)
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
            return _DATES[relation](day_ms)
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


_DATES: dict[DateRelation, Callable[[int], RowCondition]] = {
    DateRelation.BEFORE: lambda day: RowCondition("m.internal_ms < ?", (day,)),
    DateRelation.ON: lambda day: RowCondition(
        "(m.internal_ms >= ? AND m.internal_ms < ?)", (day, day + MS_PER_DAY)
    ),
    DateRelation.SINCE: lambda day: RowCondition("m.internal_ms >= ?", (day,)),
}
