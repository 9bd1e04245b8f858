"""What a client with CONDSTORE or QRESYNC is told of mod-sequences, and when (RFC 7162)."""

import re

from tests.modules.mail.imap.client import ImapTalk, member
from tests.modules.mail.imap.neighbours import ANN, BOB, MESSAGE, of, share


async def fill(talk: ImapTalk, count: int = 3) -> None:
    for _ in range(count):
        await talk.append(b"INBOX", MESSAGE)


async def highest(talk: ImapTalk, folder: bytes = b"INBOX") -> int:
    """Return the HIGHESTMODSEQ of a folder, as STATUS has it."""
    (line,) = await talk.done(b"STATUS " + folder + b" (HIGHESTMODSEQ)")
    return int(line.rpartition(b" ")[2].rstrip(b")"))


async def expunge(talk: ImapTalk, uids: bytes) -> None:
    await talk.done(b"UID STORE " + uids + b" +FLAGS.SILENT (\\Deleted)")
    await talk.done(b"UID EXPUNGE " + uids)


def masked(lines: list[bytes]) -> list[bytes]:
    """Return lines with `#` for mod-sequences, and without RECENT."""
    return [re.sub(rb"(MODSEQ) (\(?)\d+", rb"\1 \2#", line) for line in lines if b" RECENT" not in line]


async def test_changes_of_flags_are_told_with_uid_and_mod_sequence(any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk)
        await expunge_first(talk)
        await talk.done(b"SELECT INBOX (CONDSTORE)")
        assert masked(await talk.done(b"STORE 1 +FLAGS (\\Flagged)")) == [
            b"* 1 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (#))"
        ]
        assert masked(await talk.done(b"STORE 1 +FLAGS.SILENT (\\Draft)")) == [
            b"* 1 FETCH (UID 2 MODSEQ (#))"
        ]


async def expunge_first(talk: ImapTalk) -> None:
    await talk.done(b"SELECT INBOX")
    await expunge(talk, b"1")
    await talk.done(b"UNSELECT")


async def test_a_body_that_marks_as_seen_tells_the_new_mod_sequence(any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk, 2)
        await talk.done(b"SELECT INBOX (CONDSTORE)")
        assert masked(await talk.done(b"FETCH 1 (FLAGS BODY[]<0.1>)")) == [
            b"* 1 FETCH (FLAGS (\\Seen \\Recent) BODY[]<0> {1}\r\nS)",
            b"* 1 FETCH (UID 1 FLAGS (\\Seen \\Recent) MODSEQ (#))",
        ]
        assert masked(await talk.done(b"FETCH 2 (UID FLAGS MODSEQ BODY[]<0.1>)")) == [
            b"* 2 FETCH (UID 2 FLAGS (\\Seen \\Recent) MODSEQ (#) BODY[]<0> {1}\r\nS)"
        ]


async def test_a_conditional_store_tells_each_message_that_passed(any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk)
        await talk.done(b"SELECT INBOX (CONDSTORE)")
        await talk.done(b"STORE 1 +FLAGS.SILENT (\\Flagged)")
        modseq = await highest(talk)
        await talk.done(b"STORE 3 +FLAGS.SILENT (\\Flagged)")
        lines = await talk.ask(b"STORE 1:3 (UNCHANGEDSINCE %d) +FLAGS.SILENT (\\Flagged)" % modseq)
        assert masked(lines) == [
            b"* 1 FETCH (UID 1 MODSEQ (#))",
            b"* 2 FETCH (UID 2 MODSEQ (#))",
            b"a OK [MODIFIED 3] Conditional store failed",
        ]
        assert b"MODSEQ (%d)" % modseq in lines[0]
        assert (await talk.ask(b"UID STORE 2 (UNCHANGEDSINCE 0) FLAGS ()"))[-1] == (
            b"a OK [MODIFIED 2] Conditional store failed"
        )


async def test_mod_sequences_above_an_expunge_that_waits_are_not_to_be_believed(any_port: int) -> None:
    async with member(any_port) as talk, member(any_port) as other:
        await fill(other)
        await talk.done(b"ENABLE QRESYNC")
        await talk.done(b"SELECT INBOX")
        known = await highest(talk)
        await other.done(b"SELECT INBOX")
        await expunge(other, b"2")
        lines = await talk.ask(b"STORE 3 +FLAGS.SILENT (\\Seen)")
        assert masked(lines[:1]) == [b"* 3 FETCH (UID 3 MODSEQ (#))"]
        assert lines[1:] == [
            b"* OK [HIGHESTMODSEQ %d] Expunges are told later" % known,
            b"a OK [EXPUNGEISSUED] Store completed",
        ]
        assert masked(await talk.ask(b"NOOP")) == [b"* VANISHED 2", b"a OK NOOP completed"]
        assert (await talk.ask(b"FETCH 1 MODSEQ"))[1:] == [b"a OK Fetch completed"]


async def test_numbers_in_a_search_by_uid_stay_what_they_are(any_port: int) -> None:
    async with member(any_port) as talk, member(any_port) as other:
        await fill(other)
        await talk.done(b"SELECT INBOX")
        await other.done(b"SELECT INBOX")
        await expunge(other, b"2")
        assert await talk.done(b"UID SEARCH 3") == [b"* SEARCH 3"]
        assert masked(await talk.done(b"UID SEARCH UID 3")) == [b"* SEARCH 3", b"* 2 EXPUNGE"]


async def test_enabling_while_a_mailbox_is_open_tells_its_mod_sequence(any_port: int) -> None:
    for name in (b"CONDSTORE", b"QRESYNC"):
        async with member(any_port) as talk:
            await talk.done(b"SELECT INBOX")
            lines = await talk.done(b"ENABLE " + name)
            assert masked(lines) == [b"* OK [HIGHESTMODSEQ #] Highest", b"* ENABLED " + name]


async def test_moving_tells_the_mod_sequence_that_the_mailbox_has_now(any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk)
        await talk.done(b"SELECT INBOX (CONDSTORE)")
        lines = await talk.ask(b"MOVE 1 Sent")
        assert lines[-1] == b"a OK [HIGHESTMODSEQ %d] Move completed" % await highest(talk)


async def test_a_sample_of_numbers_and_uids_spares_what_the_client_has_heard(
    port: int,
) -> None:
    async with member(port) as talk:
        await fill(talk, 8)
        await talk.done(b"SELECT INBOX")
        (validity,) = re.findall(rb"UIDVALIDITY (\d+)", b"".join(await talk.done(b"SELECT INBOX")))
        await expunge(talk, b"2,5,7")
        await talk.done(b"ENABLE QRESYNC")
        assert await resynchronised(talk, validity, b"") == [b"* VANISHED (EARLIER) 2,5,7"]
        for sample, told in (
            (b" (1:5 1,3:4,6,8)", []),
            (b" (2,4:5 3,5:6)", [b"* VANISHED (EARLIER) 5,7"]),
            (b" (3:4 4:5)", [b"* VANISHED (EARLIER) 5,7"]),
            (b" (1:4294967295 1:4294967295)", [b"* VANISHED (EARLIER) 2,5,7"]),
            (b" (9 9)", [b"* VANISHED (EARLIER) 2,5,7"]),
        ):
            assert await resynchronised(talk, validity, sample) == told, sample


async def resynchronised(talk: ImapTalk, validity: bytes, sample: bytes) -> list[bytes]:
    lines = await talk.done(b"SELECT INBOX (QRESYNC (%b 1 1:8%b))" % (validity, sample))
    return [line for line in lines if b"VANISHED" in line]


async def test_an_annotation_raises_the_mod_sequence_of_its_mailbox(any_port: int) -> None:
    async with member(any_port) as talk, member(any_port, BOB) as bob:
        await share(talk, b"Box", BOB, b"lr")
        before = await highest(talk, b"Box")
        await talk.done(b'SETMETADATA Box (/shared/comment "x")')
        after = await highest(talk, b"Box")
        assert after > before
        seen = await highest(bob, of(ANN, b"Box"))
        assert seen == after
        await bob.done(b"SETMETADATA " + of(ANN, b"Box") + b' (/private/comment "x")')
        assert await highest(bob, of(ANN, b"Box")) > seen
        assert await highest(talk, b"Box") == after
        assert (await talk.ask(b'SETMETADATA "" (/private/comment "x")'))[-1].startswith(b"a OK")


async def test_uids_of_a_mailbox_that_may_not_be_read_are_not_told(any_port: int) -> None:
    async with member(any_port) as talk, member(any_port, BOB) as bob:
        await share(talk, b"Box", BOB, b"li")
        box = of(ANN, b"Box")
        assert await bob.append(box, MESSAGE) == b"a OK Append completed"
        await bob.append(b"INBOX", MESSAGE)
        await bob.done(b"SELECT INBOX")
        assert await bob.ask(b"COPY 1 " + box) == [b"a OK Copy completed"]
        assert masked(await bob.ask(b"MOVE 1 " + box)) == [b"* 1 EXPUNGE", b"a OK Move completed"]


async def test_replacing_tells_the_mod_sequence_of_its_expunge(any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk, 2)
        await talk.done(b"ENABLE QRESYNC")
        await talk.done(b"SELECT INBOX")
        before = await highest(talk)
        talk.send(b"a REPLACE 1 INBOX {%d+}\r\n%b\r\n" % (len(MESSAGE), MESSAGE))
        lines = await talk.replies()
        assert masked(lines)[-2:] == [
            b"* VANISHED 1",
            b"a OK [HIGHESTMODSEQ #] Replace completed",
        ]
        assert before < int(lines[-1].split(b" ")[3].rstrip(b"]")) <= await highest(talk)
