"""Splits a search into what SQL answers, what positions answer, and what needs the message itself."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.imap.messages.content import MessageContent
from freehold.modules.mail.imap.search.conditions import EVERY_ROW, RowCondition, all_of, row_condition
from freehold.modules.mail.imap.search.content import (
    Needle,
    body_contains,
    header_contains,
    sent_day_matches,
    text_contains,
)
from freehold.modules.mail.imap.search.index import ContentKey, bounds_of, question_of
from freehold.modules.mail.imap.selected.view import View
from freehold.modules.mail.search.lookup import NOTHING_ASKED, Answer, Answers
from freehold.protocols.imap.flags import RECENT
from freehold.protocols.imap.search_keys import (
    And,
    BodyContains,
    DateKey,
    HasFlag,
    HeaderContains,
    Not,
    Numbers,
    Or,
    SearchKey,
    TextContains,
    Uids,
)


class Candidate:
    """A message that SQL let through; `content` is None until a check has asked for it."""

    __slots__ = ("answers", "blob_id", "content", "envelope", "uid")

    def __init__(self, uid: int, blob_id: int, envelope: bytes, answers: Sequence[object]) -> None:
        self.uid = uid
        self.blob_id = blob_id
        self.envelope = envelope
        self.answers = answers
        self.content: MessageContent | None = None


Check = Callable[[Candidate], bool | None]
"""Tells whether a message matches; None: its content is needed to tell."""


@dataclass(slots=True)
class SearchPlan:
    """What to read and how to judge it.

    `positions` are the indexes to be searched. `where` holds for every match; `answers` are conditions
    whose truth each row brings along, for `check`, which is None when nothing is left to be judged.
    `bounds` are the contents that can match at all, if the index tells; it does not know the messages
    from `tail_uid` on.
    """

    positions: list[range]
    where: RowCondition = EVERY_ROW
    answers: list[RowCondition] = field(default_factory=list)
    check: Check | None = None
    bounds: frozenset[int] | None = None
    tail_uid: int = 1
    needs_envelope: bool = False


def plan_search(key: SearchKey, view: View, now_ms: int, index: Answers = NOTHING_ASKED) -> SearchPlan:
    """Return the plan for a key, with what the index says to its questions (`questions_of`)."""
    plan = SearchPlan([range(len(view.uids))] if view.uids else [])
    conditions: list[RowCondition] = []
    rest: list[SearchKey] = []
    for each in key.keys if isinstance(key, And) else (key,):
        if isinstance(each, Numbers):
            plan.positions = _common(plan.positions, view.uids.positions(each.messages, uid=False))
        elif isinstance(each, Uids):
            plan.positions = _common(plan.positions, view.uids.positions(each.uids, uid=True))
        elif (condition := row_condition(each, now_ms)) is not None:
            conditions.append(condition)
        else:
            rest.append(each)
    plan.where = all_of(conditions)
    rest = _without_settled(rest, plan, view, index)
    if rest:
        compiler = _Compiler(plan, view, now_ms, index)
        plan.check = _all([compiler.check(each) for each in rest])
    return plan


def _without_settled(rest: list[SearchKey], plan: SearchPlan, view: View, index: Answers) -> list[SearchKey]:
    """Take the bounds that the index sets to keys; returns those that are still to be checked."""
    every = [bounds_of(each, index) for each in rest]
    known = [bounds.ids for bounds in every if bounds is not None]
    if not known:
        return rest
    plan.bounds, plan.tail_uid = known[0].intersection(*known[1:]), index.next_uid
    if view.uids.last_uid >= index.next_uid:
        return rest
    if not plan.bounds:
        plan.positions = []
    return [each for each, bounds in zip(rest, every, strict=True) if bounds is None or not bounds.is_sure]


class _Compiler:
    """Turns keys into checks."""

    __slots__ = ("_index", "_now_ms", "_plan", "_view")

    def __init__(self, plan: SearchPlan, view: View, now_ms: int, index: Answers) -> None:
        self._index = index
        self._plan = plan
        self._view = view
        self._now_ms = now_ms

    def check(self, key: SearchKey) -> Check:  # noqa: PLR0911 (one case for each key)
        """Return the check for a key."""
        condition = row_condition(key, self._now_ms)
        if condition is not None:
            return self._answer(condition)
        match key:
            case And(keys):
                return _all([self.check(each) for each in keys])
            case Or(keys):
                return _any([self.check(each) for each in keys])
            case Not(inner):
                return _not(self.check(inner))
            case Numbers(messages):
                return self._among(_uids_at(self._view, messages.number_positions(len(self._view.uids))))
            case Uids(uids):
                return self._among(uids.resolve(self._view.uids.last_uid))
            case HasFlag(flag) if flag == RECENT:
                return lambda candidate: self._view.recent.index_of(candidate.uid) >= 0
            case DateKey(_, relation, day_ms):
                self._plan.needs_envelope = True
                return lambda candidate: sent_day_matches(candidate.envelope, relation, day_ms)
            case HeaderContains() | BodyContains() | TextContains():
                return _indexed(
                    _content_check(key), self._index, self._index.by_question.get(question_of(key))
                )
            case _:
                raise AssertionError(f"no check for {type(key).__name__}")

    def _answer(self, condition: RowCondition) -> Check:
        index = len(self._plan.answers)
        self._plan.answers.append(condition)
        return lambda candidate: bool(candidate.answers[index])

    def _among(self, ranges: Sequence[UidRange]) -> Check:
        firsts = [first for first, _ in ranges]

        def check(candidate: Candidate) -> bool:
            index = bisect_right(firsts, candidate.uid) - 1
            return index >= 0 and candidate.uid <= ranges[index][1]

        return check


def _uids_at(view: View, positions: Iterable[range]) -> list[UidRange]:
    return [uids for each in positions for uids in view.uids.uid_ranges(each.start, each.stop)]


def _common(left: list[range], right: list[range]) -> list[range]:
    """Return the indexes that are in both of two ascending lists of ranges."""
    common: list[range] = []
    i = j = 0
    while i < len(left) and j < len(right):
        both = range(max(left[i].start, right[j].start), min(left[i].stop, right[j].stop))
        if both:
            common.append(both)
        if left[i].stop < right[j].stop:
            i += 1
        else:
            j += 1
    return common


def _indexed(check: Check, index: Answers, answer: Answer | None) -> Check:
    """Ask the index first, where it has an answer and knows the message."""
    if answer is None:
        return check
    matching, possible = answer.matching, answer.possible

    def ask(candidate: Candidate) -> bool | None:
        if index.knows(candidate.uid, candidate.blob_id):
            if candidate.blob_id in matching:
                return True
            if candidate.blob_id not in possible:
                return False
        return check(candidate)

    return ask


def _content_check(key: ContentKey) -> Check:
    needle = Needle(key.text, fuzzy=key.fuzzy)
    match key:
        case HeaderContains(name):
            return _with_content(lambda content: header_contains(content, name, needle))
        case BodyContains():
            return _with_content(lambda content: body_contains(content, needle))
        case TextContains():
            return _with_content(lambda content: text_contains(content, needle))


def _with_content(tell: Callable[[MessageContent], bool]) -> Check:
    def check(candidate: Candidate) -> bool | None:
        return None if candidate.content is None else tell(candidate.content)

    return check


def _not(inner: Check) -> Check:
    def check(candidate: Candidate) -> bool | None:
        told = inner(candidate)
        return None if told is None else not told

    return check


def _all(checks: Sequence[Check]) -> Check:
    if len(checks) == 1:
        return checks[0]

    def check(candidate: Candidate) -> bool | None:
        result: bool | None = True
        for each in checks:
            told = each(candidate)
            if told is False:
                return False
            if told is None:
                result = None
        return result

    return check


def _any(checks: Sequence[Check]) -> Check:
    return _not(_all([_not(each) for each in checks]))
