"""SORT and THREAD after any arrivals, expunges and changes of flags: what a server that just started tells."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from freehold.modules.mail.imap.search import sort_order
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
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.lists(MESSAGES, min_size=1, max_size=3)),
        st.tuples(st.just("go"), st.integers(1, 6)),
        st.tuples(st.just("seen"), st.integers(1, 6)),
        st.tuples(
            st.just("ask"),
            st.lists(
                st.builds(
                    lambda uid, what, key: b"%b%b UTF-8 %b" % (uid, what, key),
                    st.sampled_from((b"", b"UID ")),
                    st.sampled_from(
                        [b"SORT (%b)" % words for words in CRITERIA]
                        + [b"THREAD " + name for name in ALGORITHMS]
                    ),
                    st.sampled_from(KEYS),
                ),
                min_size=1,
                max_size=4,
            ),
        ),
    ),
    min_size=2,
    max_size=14,
)


async def take(talk: ImapTalk, step: tuple[str, object]) -> None:
    match step:
        case ("come", [*messages]):
            for flags, message in messages:
                await talk.append(b"box", message, flags)
        case ("go", int(number)):
            await talk.ask(b"STORE %d +FLAGS.SILENT (\\Deleted)" % number)
            await talk.done(b"EXPUNGE")
        case ("seen", int(number)):
            await talk.ask(b"STORE %d FLAGS.SILENT (\\Seen)" % number)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, others=STEPS)
async def test_going_on_gives_what_starting_anew_gives(
    host: MailHost, steps: list[tuple[str, object]], others: list[tuple[str, object]]
) -> None:
    """Two sessions share what is remembered; each is asked where it is, which may be behind the other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sort_order, "KNOWN_FOR_EACH_NEW", 1)
        async with host.listening(imap(host), tls=False) as port:
            async with member(port) as ann, member(port) as other:
                await ann.ask(b"DELETE box")
                await ann.done(b"CREATE box")
                await ann.done(b"SELECT box")
                await other.done(b"SELECT box")
                for talk, step in [
                    each
                    for pair in zip(
                        ((ann, one) for one in steps), ((other, two) for two in others), strict=False
                    )
                    for each in pair
                ]:
                    await take(talk, step)
                    if step[0] == "ask":
                        await talk.done(b"NOOP")
                        await compare(host, talk, step[1])


async def compare(host: MailHost, talk: ImapTalk, commands: object) -> None:
    assert isinstance(commands, list)
    async with host.listening(imap(host), tls=False) as port, member(port, select=b"box") as fresh:
        for command in commands:
            assert await talk.done(command) == await fresh.done(command), command
