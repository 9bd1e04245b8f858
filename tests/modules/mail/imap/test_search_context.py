"""Results that are kept up to date: ADDTO, REMOVEFROM, NOUPDATE, CANCELUPDATE (RFC 5267)."""

import pytest

from freehold.modules.mail.imap.search import context as search_context
from freehold.modules.mail.imap.selected import live_result
from tests.modules.mail.imap.client import ImapTalk, member
from tests.modules.mail.imap.test_saved_result import fill


def news(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if line.startswith(b"* ESEARCH") or line.endswith(b"EXPUNGE")]


async def opened(talk: ImapTalk, command: bytes) -> list[bytes]:
    """Send a command with the tag `live`; returns its untagged responses."""
    talk.send(b"live " + command + b"\r\n")
    lines = await talk.replies(b"live")
    assert lines[-1].startswith(b"live OK"), lines
    return lines[:-1]


async def test_changes_of_a_search_are_told_as_they_happen(any_port: int) -> None:
    async with member(any_port) as talk:
        await fill(talk, 5)
        assert await opened(talk, b"SEARCH RETURN (UPDATE) SEEN") == [b'* ESEARCH (TAG "live")']
        assert news(await talk.done(b"STORE 1:2,4 +FLAGS (\\Seen)")) == [
            b'* ESEARCH (TAG "live") ADDTO (0 1:2,4)'
        ]
        assert news(await talk.done(b"STORE 1:2 -FLAGS.SILENT (\\Seen)")) == [
            b'* ESEARCH (TAG "live") REMOVEFROM (0 1:2)'
        ]
        assert news(await talk.done(b"STORE 3:5 +FLAGS.SILENT (\\Deleted)")) == []
        assert news(await talk.done(b"EXPUNGE")) == [
            b'* ESEARCH (TAG "live") REMOVEFROM (0 4)',
            b"* 5 EXPUNGE",
            b"* 4 EXPUNGE",
            b"* 3 EXPUNGE",
        ]
        talk.send(b"a APPEND INBOX (\\Seen) {5+}\r\nA: b\n\r\n")
        lines = await talk.replies()
        assert b"* 3 EXISTS" in lines
        assert news(lines) == [b'* ESEARCH (TAG "live") ADDTO (0 3)']
        await talk.done(b'CANCELUPDATE "live"')
        assert news(await talk.done(b"STORE 1 +FLAGS (\\Seen)")) == []
        assert (await talk.refused(b'CANCELUPDATE "live"')).startswith(b"NO")


async def test_changes_of_others_are_told_by_uid_while_idling(port: int) -> None:
    async with member(port) as talk, member(port) as other:
        await fill(talk, 3)
        await talk.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await talk.done(b"EXPUNGE")
        await other.done(b"SELECT INBOX")
        assert await opened(talk, b"UID SEARCH RETURN (UPDATE ALL) FLAGGED") == [
            b'* ESEARCH (TAG "live") UID'
        ]
        talk.send(b"a IDLE\r\n")
        await talk.replies()
        await other.done(b"UID STORE 2:3 +FLAGS (\\Flagged)")
        lines = [await talk.line() for _ in range(3)]
        assert lines[-1] == b'* ESEARCH (TAG "live") UID ADDTO (0 2:3)'
        talk.send(b"DONE\r\n")
        await talk.replies()


async def test_changes_of_a_sort_are_told_with_their_places(port: int) -> None:
    async with member(port) as talk:
        for letter in b"dbeac":
            await talk.append(b"INBOX", b"Subject: %c\r\n\r\n" % letter)
        await talk.done(b"SELECT INBOX")
        await talk.done(b"STORE 1,3:4 +FLAGS.SILENT (\\Seen)")
        assert await opened(talk, b"SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 SEEN") == [
            b'* ESEARCH (TAG "live") ALL 4,1,3'
        ]
        assert news(await talk.done(b"STORE 2,5 +FLAGS.SILENT (\\Seen)")) == [
            b'* ESEARCH (TAG "live") ADDTO (2 2,5)'
        ]
        assert news(await talk.done(b"STORE 1:2,4 -FLAGS.SILENT (\\Seen)")) == [
            b'* ESEARCH (TAG "live") REMOVEFROM (4 1 1 4,2)'
        ]
        await talk.done(b"STORE 5 +FLAGS.SILENT (\\Deleted)")
        assert news(await talk.done(b"EXPUNGE")) == [
            b'* ESEARCH (TAG "live") REMOVEFROM (1 5)',
            b"* 5 EXPUNGE",
        ]


async def test_numbers_among_the_keys_go_on_naming_the_same_messages(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, 4)
        await opened(talk, b"SEARCH RETURN (UPDATE) 3:* SEEN")
        await talk.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await talk.done(b"EXPUNGE")
        assert news(await talk.done(b"STORE 1:3 +FLAGS.SILENT (\\Seen)")) == [
            b'* ESEARCH (TAG "live") ADDTO (0 2:3)'
        ]
        lines = await talk.ask(b"APPEND INBOX (\\Seen) {5+}\r\nA: b\n")
        assert news(lines) == [b'* ESEARCH (TAG "live") ADDTO (0 4)']


async def test_a_tag_names_one_result(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, 1)
        await talk.done(b"SEARCH RETURN (UPDATE) ALL")
        assert (await talk.refused(b"SEARCH RETURN (UPDATE) ALL")).startswith(b"BAD")
        await talk.done(b"SEARCH RETURN (COUNT) ALL")


async def test_results_beyond_the_limit_are_not_kept_up_to_date(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_context, "MAX_CONTEXTS", 0)
    async with member(port) as talk:
        await fill(talk, 1)
        assert await opened(talk, b"SEARCH RETURN (UPDATE COUNT) ALL") == [
            b'* ESEARCH (TAG "live") COUNT 1',
            b'* NO [NOUPDATE "live"] Too much to keep up to date',
        ]
        assert (await talk.refused(b'CANCELUPDATE "live"')).startswith(b"NO")


async def test_a_sorted_result_that_grows_beyond_the_limit_is_given_up(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_context, "MAX_CONTEXT_MESSAGES", 2)
    async with member(port) as talk:
        await fill(talk, 3)
        await opened(talk, b"SORT RETURN (UPDATE) (SIZE) UTF-8 SEEN")
        lines = await talk.done(b"STORE 1:3 +FLAGS.SILENT (\\Seen)")
        assert lines == [b'* NO [NOUPDATE "live"] Too much to keep up to date']
        assert await talk.done(b"STORE 1 -FLAGS.SILENT (\\Seen)") == []


async def test_keys_with_too_many_ranges_are_not_kept(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_result, "MAX_KEY_RANGES", 1)
    async with member(port) as talk:
        await fill(talk, 3)
        assert await opened(talk, b"SEARCH RETURN (UPDATE) 1,3") == [
            b'* ESEARCH (TAG "live")',
            b'* NO [NOUPDATE "live"] Too much to keep up to date',
        ]


async def test_another_folder_ends_updates(port: int) -> None:
    async with member(port) as talk:
        await fill(talk, 1)
        await opened(talk, b"SEARCH RETURN (UPDATE) SEEN")
        await talk.done(b"SELECT INBOX")
        assert news(await talk.done(b"STORE 1 +FLAGS (\\Seen)")) == []


@pytest.mark.parametrize("command", [b"SEARCH %b SUBJECT b", b"SORT %b (REVERSE ARRIVAL) UTF-8 SUBJECT b"])
async def test_new_messages_of_a_result_are_fetched_if_the_client_wishes(
    any_port: int, command: bytes
) -> None:
    async with member(any_port) as talk:
        await fill(talk, 2)
        returns = b"RETURN (COUNT UPDATE (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) SAVE)"
        assert await opened(talk, command % returns) == [b'* ESEARCH (TAG "live") COUNT 0']
        talk.send(b"a APPEND INBOX {16+}\r\nSubject: abc\r\n\r\n {5+}\r\nA: b\n\r\n")
        lines = await talk.replies()
        assert b"* 4 EXISTS" in lines
        assert [line for line in lines if b"FETCH" in line] == [
            b"* 3 FETCH (UID 3 BODY[HEADER.FIELDS (SUBJECT)] {16}\r\nSubject: abc\r\n\r\n)"
        ]
        assert b'* ESEARCH (TAG "live") ADDTO ' in lines[1] + lines[2]
        assert (await talk.refused(b"SEARCH RETURN (UPDATE (NONE)) ALL")).startswith(b"BAD")
