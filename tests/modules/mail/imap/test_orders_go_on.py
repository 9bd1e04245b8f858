"""SORT and THREAD tell what a server that just started tells, whatever came, went or was changed before."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freehold.kernel.capabilities import Capabilities
from freehold.modules.mail.imap.search import sort_order
from freehold.modules.mail.imap.thread import command as thread_command
from freehold.modules.mail.search import read_rows
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, imap, member

CRITERIA = (
    b"SUBJECT",
    b"REVERSE DATE",
    b"ARRIVAL",
    b"FROM SUBJECT",
    b"REVERSE FROM DATE",
    b"REVERSE SIZE REVERSE SUBJECT",
)
ALGORITHMS = (b"REFERENCES", b"REFS", b"ORDEREDSUBJECT")
KEYS = (b"ALL", b"UNSEEN", b"SEEN", b"1:2", b"NOT FROM b", b"OR 1 UNSEEN")

IDS = st.sampled_from(b"mnopq").map(lambda letter: b"<%c@x.test>" % letter)
MESSAGES = st.builds(
    lambda sender, subject, day, seen, message_id, references: (
        b"(\\Seen) " if seen else b"",
        b"From: %c@x.test\r\nSubject: %b\r\n%b%bReferences: %b\r\n\r\n"
        % (
            sender,
            subject,
            b"Date: Mon, %02d Nov 2026 10:00:00 +0000\r\n" % day if day else b"",
            b"Message-ID: " + message_id + b"\r\n" if message_id else b"",
            b" ".join(references),
        ),
    ),
    st.sampled_from(b"ab"),
    st.sampled_from((b"x", b"Re: x", b"y", b"Re: y", b"")),
    st.integers(0, 3),
    st.booleans(),
    st.one_of(st.just(b""), IDS),
    st.lists(IDS, max_size=3),
)


@dataclass(frozen=True)
class Come:
    """Messages arrive."""

    messages: list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Go:
    """A message is expunged."""

    number: int


@dataclass(frozen=True)
class See:
    r"""A message gets \Seen."""

    number: int


@dataclass(frozen=True)
class Ask:
    """A session asks for all orders of messages that match a key, by number or by UID."""

    key: bytes
    uid: bytes


Step = Come | Go | See | Ask

ARRIVALS = st.builds(Come, st.lists(MESSAGES, min_size=1, max_size=3))
ASKED = st.builds(Ask, st.sampled_from(KEYS), st.sampled_from((b"", b"UID ")))
STEP = st.one_of(
    ARRIVALS, st.builds(Go, st.integers(1, 6)), st.builds(See, st.integers(1, 6)), ASKED, ASKED, ASKED
)
STEPS = st.lists(st.tuples(st.booleans(), STEP), min_size=6, max_size=20)
ORDERS = st.tuples(
    st.sampled_from([b"SORT (%b)" % words for words in CRITERIA]),
    st.sampled_from([b"THREAD " + name for name in ALGORITHMS]),
)


async def take(host: MailHost, talk: ImapTalk, step: Step, orders: Iterable[bytes]) -> None:
    match step:
        case Come(messages):
            for flags, message in messages:
                await talk.append(b"box", message, flags)
        case Go(number):
            await talk.ask(b"STORE %d +FLAGS.SILENT (\\Deleted)" % number)
            await talk.done(b"EXPUNGE")
        case See(number):
            await talk.ask(b"STORE %d FLAGS.SILENT (\\Seen)" % number)
        case Ask(key, uid):
            await talk.done(b"NOOP")
            anew = replace(host, runtime=replace(host.runtime, capabilities=Capabilities()))
            async with host.listening(imap(anew), tls=False) as port, member(port, select=b"box") as fresh:
                for order in orders:
                    command = b"%b%b UTF-8 %b" % (uid, order, key)
                    assert await talk.done(command) == await fresh.done(command), command


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.lists(MESSAGES, min_size=3, max_size=8), steps=STEPS, orders=ORDERS)
async def test_going_on_gives_what_starting_anew_gives(
    any_host: MailHost,
    first: list[tuple[bytes, bytes]],
    steps: list[tuple[bool, Step]],
    orders: tuple[bytes, bytes],
) -> None:
    """Two sessions share what is remembered; one may be behind the other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sort_order, "KNOWN_FOR_EACH_NEW", 1)
        patch.setattr(sort_order, "KNOWN_FOR_EACH_WANTED", 4)
        patch.setattr(thread_command, "KNOWN_FOR_EACH_WANTED", 4)
        async with (
            any_host.listening(imap(any_host), tls=False) as port,
            member(port) as ann,
            member(port) as other,
        ):
            await ann.ask(b"DELETE box")
            await ann.done(b"CREATE box")
            await ann.done(b"SELECT box")
            await other.done(b"SELECT box")
            await take(any_host, ann, Come(first), orders)
            for is_other, step in steps:
                await take(any_host, other if is_other else ann, step, orders)


async def test_a_message_that_goes_while_a_new_one_is_compared_with_it_puts_nothing_in_a_wrong_place(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sort_order, "KNOWN_FOR_EACH_NEW", 1)
    real, computed = read_rows._compute, 0

    async def compute(*arguments: Any) -> Any:
        nonlocal computed
        computed += 1
        if computed == 2:  # that of the message in the middle
            await other.ask(b"STORE 3 +FLAGS.SILENT (\\Deleted)")
            assert await other.done(b"EXPUNGE") == [b"* 3 EXPUNGE"]
        return await real(*arguments)

    async with member(port) as ann, member(port) as other:
        for subject in (b"a", b"b2", b"c", b"e"):
            await ann.append(b"INBOX", b"Subject: " + subject + b"\r\n\r\n")
        await ann.done(b"SELECT INBOX")
        await other.done(b"SELECT INBOX")
        assert await ann.done(b"SORT (SUBJECT) UTF-8 ALL") == [b"* SORT 1 2 3 4"]
        await ann.append(b"INBOX", b"Subject: b1\r\n\r\n")
        await ann.done(b"NOOP")
        monkeypatch.setattr(read_rows, "_compute", compute)
        await ann.done(b"UID SORT (SUBJECT) UTF-8 ALL")
        assert await ann.done(b"UID SORT (SUBJECT) UTF-8 ALL") == [b"* SORT 1 5 2 4"]
