"""NOTIFY: which news a client wants unasked, of which mailboxes (RFC 5465 §3.1, §5, §6, §8)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from freehold.protocols.imap.commands import Command, CommandSpec
from freehold.protocols.imap.cursor import Cursor
from freehold.protocols.imap.errors import CommandError, Status
from freehold.protocols.imap.fetch import FetchItem, parse_fetch_list
from freehold.protocols.imap.limits import MAX_NOTIFY_EVENTS, MAX_NOTIFY_GROUPS, MAX_NOTIFY_NAMES
from freehold.protocols.imap.states import AFTER_LOGIN

NOTIFICATION_OVERFLOW = b"NOTIFICATIONOVERFLOW"


class NotifyEvent(Enum):
    """An event that can be told; the value is the word on the wire (RFC 5465 §5)."""

    MESSAGE_NEW = b"MessageNew"
    MESSAGE_EXPUNGE = b"MessageExpunge"
    FLAG_CHANGE = b"FlagChange"
    MAILBOX_NAME = b"MailboxName"
    SUBSCRIPTION_CHANGE = b"SubscriptionChange"
    MAILBOX_METADATA = b"MailboxMetadataChange"
    SERVER_METADATA = b"ServerMetadataChange"


class MailboxFilter(Enum):
    """Which mailboxes a group is about, apart from the selected one (RFC 5465 §6)."""

    INBOXES = b"INBOXES"
    PERSONAL = b"PERSONAL"
    SUBSCRIBED = b"SUBSCRIBED"
    SUBTREE = b"SUBTREE"
    MAILBOXES = b"MAILBOXES"


COMING_AND_GOING = frozenset({NotifyEvent.MESSAGE_NEW, NotifyEvent.MESSAGE_EXPUNGE})
MESSAGE_EVENTS = COMING_AND_GOING | {NotifyEvent.FLAG_CHANGE}

_EVENTS = {event.value.upper(): event for event in NotifyEvent}
_FILTERS = {each.value: each for each in MailboxFilter}
_NAMED = frozenset({MailboxFilter.SUBTREE, MailboxFilter.MAILBOXES})
_SELECTED = frozenset({b"SELECTED", b"SELECTED-DELAYED"})
_BAD_EVENT = b"BADEVENT (%b)" % b" ".join(event.value for event in NotifyEvent)


@dataclass(frozen=True, slots=True)
class SelectedGroup:
    """What is told of the selected mailbox; `events` is empty for NONE.

    `fetch` is what is fetched of each new message. With `delayed` an expunge waits for a command that may
    tell it (RFC 5465 §6.1.2).
    """

    events: frozenset[NotifyEvent]
    fetch: tuple[FetchItem, ...] = ()
    delayed: bool = False


@dataclass(frozen=True, slots=True)
class EventGroup:
    """What is told of other mailboxes; `mailboxes` names them where the filter asks for names."""

    filter: MailboxFilter
    events: frozenset[NotifyEvent]
    mailboxes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notify(Command):
    """NOTIFY SET; NOTIFY NONE is one without any group.

    `status` asks for a STATUS response for each mailbox whose messages are watched. Groups for which
    nothing is to be told (NONE) are left out.
    """

    status: bool = False
    selected: SelectedGroup | None = None
    groups: tuple[EventGroup, ...] = ()


def parse_notify(tag: bytes, cursor: Cursor) -> Notify:
    """Read NONE, or SET with its groups.

    An event that is not known here is refused with NO and the names of those that are (RFC 5465 §3.1), more
    than `MAX_NOTIFY_NAMES` names in a group with NO [NOTIFICATIONOVERFLOW].
    """
    cursor.space()
    match cursor.word("SET or NONE"):
        case b"NONE":
            cursor.end()
            return Notify(tag)
        case b"SET":
            return _Reader(cursor).read(tag)
        case _:
            raise CommandError("expected SET or NONE")


class _Reader:
    """Reads the groups of one NOTIFY SET; refusals with NO wait until all is known to be well formed."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._selected: SelectedGroup | None = None
        self._groups: list[EventGroup] = []
        self._has_unknown_event = False
        self._has_too_many_names = False

    def read(self, tag: bytes) -> Notify:
        cursor = self._cursor
        cursor.space()
        status = not cursor.looking_at(b"(")
        if status:
            if cursor.word("STATUS or an event group") != b"STATUS":
                raise CommandError("expected STATUS or an event group")
            cursor.space()
        count = 0
        while not count or cursor.more():
            count += 1
            if count > MAX_NOTIFY_GROUPS:
                raise CommandError("too many event groups", Status.NO, NOTIFICATION_OVERFLOW)
            self._group()
        cursor.end()
        if self._has_unknown_event:
            raise CommandError("unsupported event", Status.NO, _BAD_EVENT)
        if self._has_too_many_names:
            raise CommandError("too many mailbox names", Status.NO, NOTIFICATION_OVERFLOW)
        return Notify(tag, status, self._selected, tuple(self._groups))

    def _group(self) -> None:
        cursor = self._cursor
        cursor.open()
        word = cursor.word("a mailbox filter")
        if word in _SELECTED:
            if self._selected is not None:
                raise CommandError("the selected mailbox is given twice")
            cursor.space()
            events, fetch = self._events(selected=True)
            self._selected = SelectedGroup(events, fetch, delayed=word != b"SELECTED")
        else:
            mailbox_filter = _FILTERS.get(word)
            if mailbox_filter is None:
                raise CommandError("unknown mailbox filter")
            cursor.space()
            names = self._names() if mailbox_filter in _NAMED else ()
            events, _ = self._events(selected=False)
            if events:
                self._groups.append(EventGroup(mailbox_filter, events, names))
        cursor.close()

    def _names(self) -> tuple[str, ...]:
        cursor = self._cursor
        if cursor.looking_at(b"("):
            names = tuple(dict.fromkeys(cursor.parenthesised(cursor.mailbox)))
        else:
            names = (cursor.mailbox(),)
        if not names:
            raise CommandError("expected a mailbox name")
        self._has_too_many_names |= len(names) > MAX_NOTIFY_NAMES
        cursor.space()
        return names

    def _events(self, *, selected: bool) -> tuple[frozenset[NotifyEvent], tuple[FetchItem, ...]]:
        """Take the events of a group, and the items with which MessageNew is told."""
        cursor = self._cursor
        if not cursor.looking_at(b"("):
            if cursor.word("events or NONE") != b"NONE":
                raise CommandError("expected events or NONE")
            return frozenset(), ()
        fetch: list[FetchItem] = []
        found = cursor.parenthesised(self._member(fetch, selected=selected), MAX_NOTIFY_EVENTS)
        if not found:
            raise CommandError("expected an event")
        events = frozenset(event for event in found if event is not None)
        _check(events, selected=selected)
        return events, tuple(dict.fromkeys(fetch))

    def _member(self, fetch: list[FetchItem], *, selected: bool) -> Callable[[], NotifyEvent | None]:
        """Give what takes one event, with the fetch items that may follow MessageNew; None if unknown."""
        cursor = self._cursor

        def take() -> NotifyEvent | None:
            event = _EVENTS.get(cursor.atom("an event").upper())
            if event is None:
                self._has_unknown_event = True
            elif event is NotifyEvent.MESSAGE_NEW and selected:
                start = cursor.position
                if cursor.more() and cursor.looking_at(b"("):
                    fetch.extend(parse_fetch_list(cursor))
                else:
                    cursor.position = start
            return event

        return take


def _check(events: frozenset[NotifyEvent], *, selected: bool) -> None:
    """Check what must come together and what may not (RFC 5465 §5, §6.1)."""
    if selected and not events <= MESSAGE_EVENTS:
        raise CommandError("only message events can be told of the selected mailbox")
    if events & MESSAGE_EVENTS and not events >= COMING_AND_GOING:
        raise CommandError("MessageNew and MessageExpunge must be given together, and with FlagChange")


COMMANDS = (CommandSpec(b"NOTIFY", Notify, parse_notify, AFTER_LOGIN),)
