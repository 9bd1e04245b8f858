"""NOTIFY as sent: groups, filters, events; whatever the octets, a command or a refusal (RFC 5465 §8)."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from freehold.protocols.imap.errors import Status
from freehold.protocols.imap.events import BadCommand
from freehold.protocols.imap.fetch import FetchAttribute
from freehold.protocols.imap.notify import (
    COMING_AND_GOING,
    MESSAGE_EVENTS,
    EventGroup,
    MailboxFilter,
    Notify,
    NotifyEvent,
    SelectedGroup,
)
from freehold.protocols.imap.registry import parse_command
from freehold.protocols.imap.states import State
from tests.fuzz.fuzz_imap import check

NAMES = frozenset({NotifyEvent.MAILBOX_NAME, NotifyEvent.SUBSCRIPTION_CHANGE})
ANNOTATIONS = frozenset({NotifyEvent.MAILBOX_METADATA, NotifyEvent.SERVER_METADATA})


def parse(text: bytes) -> object:
    return parse_command(b"a " + text, State.AUTHENTICATED)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (b"NOTIFY NONE", Notify(b"a")),
        (b"notify  set  ( personal  none )", Notify(b"a")),
        (
            b"NOTIFY SET STATUS (selected (MessageNew (UID FLAGS uid) MessageExpunge)) (inboxes NONE)",
            Notify(
                b"a", True, SelectedGroup(COMING_AND_GOING, (FetchAttribute.UID, FetchAttribute.FLAGS)), ()
            ),
        ),
        (
            b"NOTIFY SET (SELECTED-DELAYED (messageexpunge FLAGCHANGE messagenew))",
            Notify(b"a", False, SelectedGroup(MESSAGE_EVENTS, (), delayed=True)),
        ),
        (b"NOTIFY SET (selected NONE)", Notify(b"a", False, SelectedGroup(frozenset()))),
        (
            b'NOTIFY SET (subtree ("a b" c c) (MailboxName)) (mailboxes {5+}\r\ninbox (SubscriptionChange'
            b" MailboxName)) (subscribed (MessageNew MessageExpunge))",
            Notify(
                b"a",
                groups=(
                    EventGroup(MailboxFilter.SUBTREE, frozenset({NotifyEvent.MAILBOX_NAME}), ("a b", "c")),
                    EventGroup(MailboxFilter.MAILBOXES, NAMES, ("INBOX",)),
                    EventGroup(MailboxFilter.SUBSCRIBED, COMING_AND_GOING),
                ),
            ),
        ),
    ],
)
def test_what_is_asked_for_is_read(text: bytes, command: Notify) -> None:
    assert parse(text) == command


@pytest.mark.parametrize("mailbox_filter", MailboxFilter)
def test_annotations_may_be_watched_by_every_filter_but_those_of_the_open_mailbox(
    mailbox_filter: MailboxFilter,
) -> None:
    named = mailbox_filter in (MailboxFilter.SUBTREE, MailboxFilter.MAILBOXES)
    text = mailbox_filter.value + b" (x y)" * named + b" (MailboxMetadataChange SERVERMETADATACHANGE)"
    group = EventGroup(mailbox_filter, ANNOTATIONS, ("x", "y") if named else ())
    assert parse(b"NOTIFY SET (" + text + b")") == Notify(b"a", groups=(group,))
    for selected in (b"selected", b"selected-delayed"):
        for event in ANNOTATIONS:
            refused = parse(b"NOTIFY SET (" + selected + b" (" + event.value + b"))")
            assert isinstance(refused, BadCommand)
            assert refused.status is Status.BAD


def test_a_refusal_names_every_event_that_can_be_told() -> None:
    refused = parse(b"NOTIFY SET (personal (AnnotationChange MailboxMetadataChange))")
    assert isinstance(refused, BadCommand)
    assert refused.code == (
        b"BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange"
        b" MailboxMetadataChange ServerMetadataChange)"
    )


def test_unknown_events_are_refused_only_where_all_else_is_well_formed() -> None:
    refused = parse(b"NOTIFY SET (personal (Sunrise))")
    assert isinstance(refused, BadCommand)
    assert refused.status is Status.NO
    malformed = parse(b"NOTIFY SET (personal (Sunrise)) (nowhere (MailboxName))")
    assert isinstance(malformed, BadCommand)
    assert malformed.status is Status.BAD


def test_groups_and_events_are_bounded() -> None:
    many = parse(b"NOTIFY SET" + b" (personal (MailboxName))" * 33)
    assert isinstance(many, BadCommand)
    assert many.code == b"NOTIFICATIONOVERFLOW"
    assert isinstance(parse(b"NOTIFY SET (personal (" + b" ".join([b"MailboxName"] * 65) + b"))"), BadCommand)


WORDS = (
    b"NOTIFY SET", b"NOTIFY NONE", b"STATUS", b"(personal", b"(selected", b"(selected-delayed", b"(subtree",
    b"(mailboxes", b"(subscribed", b"(inboxes", b"NONE", b"NONE)", b"(MessageNew", b"MessageExpunge",
    b"FlagChange", b"(MailboxName)", b"(MessageNew MessageExpunge)", b"(UID FLAGS)", b"BODY.PEEK[]", b"inbox",
    b"(a b)", b'"x y"', b"{3+}\r\nabc", b"Sunrise", b"(", b")", b"))", b" ", b"\r\n", b"a", b"\xc3\xa4", b"*",
    b"(MailboxMetadataChange", b"ServerMetadataChange)",
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=20).map(b" ".join))
@example(b"NOTIFY SET (selected (MessageNew ( ) MessageExpunge))")
def test_anything_gives_a_command_or_a_refusal(text: bytes) -> None:
    assert isinstance(parse(b"NOTIFY SET " + text), Notify | BadCommand)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=30).map(b" ".join))
def test_the_events_are_the_same_however_the_stream_is_cut(text: bytes) -> None:
    check(b"a " + text + b"\r\na NOTIFY SET STATUS (personal (MailboxName))\r\n")


@st.composite
def commands(draw: st.DrawFn) -> Notify:
    """Draw a command that can be written."""
    events = st.sampled_from(
        [COMING_AND_GOING, MESSAGE_EVENTS, NAMES, ANNOTATIONS, COMING_AND_GOING | NAMES | ANNOTATIONS]
    )
    names = st.lists(
        st.sampled_from(
            ["INBOX", "a b", "x/y", 'q"'],
        ),
        min_size=1,
        max_size=4,
        unique=True,
    )
    groups = []
    for _ in range(draw(st.integers(1, 4))):
        mailbox_filter = draw(st.sampled_from(MailboxFilter))
        named = mailbox_filter in (MailboxFilter.SUBTREE, MailboxFilter.MAILBOXES)
        groups.append(EventGroup(mailbox_filter, draw(events), tuple(draw(names)) if named else ()))
    selected = draw(
        st.none()
        | st.builds(
            SelectedGroup,
            st.sampled_from([COMING_AND_GOING, MESSAGE_EVENTS]),
            st.sampled_from([(), (FetchAttribute.UID, FetchAttribute.FLAGS)]),
            delayed=st.booleans(),
        )
    )
    return Notify(b"a", draw(st.booleans()), selected, tuple(groups))


def write(command: Notify) -> bytes:
    """Write a command as a client would."""
    text = b"NOTIFY SET" + (b" STATUS" if command.status else b"")
    if command.selected is not None:
        fetch = b" (UID FLAGS)" if command.selected.fetch else b""
        rest = b"".join(b" " + event.value for event in command.selected.events - {NotifyEvent.MESSAGE_NEW})
        which = b"selected-delayed" if command.selected.delayed else b"selected"
        text += b" (%b (MessageNew%b%b))" % (which, fetch, rest)
    for group in command.groups:
        quoted = b" ".join(b'"%b"' % name.replace('"', '\\"').encode() for name in group.mailboxes)
        names = b" (%b)" % quoted if quoted else b""
        text += b" (%b%b (%b))" % (
            group.filter.value.lower(),
            names,
            b" ".join(event.value for event in group.events),
        )
    return text


@given(commands())
def test_what_is_written_is_read_again(command: Notify) -> None:
    assert parse(write(command)) == command
