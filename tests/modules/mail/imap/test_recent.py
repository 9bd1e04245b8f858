r"""\Recent: each message is recent in one session at most (RFC 3501 §2.3.2)."""

from tests.modules.mail.imap.client import member

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


async def test_among_messages_told_together_only_those_of_this_session_are_recent(any_port: int) -> None:
    async with member(any_port) as first, member(any_port) as second:
        for _ in range(3):
            await first.append(b"INBOX", MESSAGE)
        assert b"* 3 RECENT" in await first.done(b"SELECT INBOX")
        assert b"* 0 RECENT" in await second.done(b"SELECT INBOX")
        for _ in range(2):
            await second.append(b"INBOX", MESSAGE)
        assert await second.done(b"FETCH 3:5 FLAGS") == [
            b"* 3 FETCH (FLAGS ())",
            b"* 4 FETCH (FLAGS (\\Recent))",
            b"* 5 FETCH (FLAGS (\\Recent))",
        ]
        assert await second.done(b"FETCH 3,5 FLAGS") == [
            b"* 3 FETCH (FLAGS ())",
            b"* 5 FETCH (FLAGS (\\Recent))",
        ]


async def test_flags_changed_elsewhere_are_told_as_recent_where_they_are(any_port: int) -> None:
    async with member(any_port) as first, member(any_port) as second:
        for _ in range(2):
            await first.append(b"INBOX", MESSAGE)
        await first.done(b"SELECT INBOX")
        await second.done(b"SELECT INBOX")
        for _ in range(2):
            await second.append(b"INBOX", MESSAGE)
        await first.done(b"NOOP")
        await first.done(b"STORE 2,4 +FLAGS.SILENT (\\Seen)")
        assert await second.done(b"NOOP") == [
            b"* 2 FETCH (FLAGS (\\Seen))",
            b"* 4 FETCH (FLAGS (\\Seen \\Recent))",
        ]


async def test_how_many_are_recent_is_told_when_recent_messages_go(any_port: int) -> None:
    async with member(any_port) as first, member(any_port) as second:
        for _ in range(3):
            await first.append(b"INBOX", MESSAGE)
        await first.done(b"SELECT INBOX")
        await second.done(b"SELECT INBOX")
        await first.done(b"STORE 1:2 +FLAGS.SILENT (\\Deleted)")
        assert await first.done(b"EXPUNGE") == [b"* 2 EXPUNGE", b"* 1 EXPUNGE", b"* 1 RECENT"]
        assert await second.done(b"NOOP") == [b"* 2 EXPUNGE", b"* 1 EXPUNGE"]
