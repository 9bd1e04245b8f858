"""FETCH PREVIEW (RFC 8970): from the index where it is there, computed where it must be."""

from freehold.storage.database import Transaction
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import member

PLAIN = b"Subject: x\r\n\r\nHello  there,\r\n\r\nhow are you?\r\n"
HTML = (
    b"Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<html><head><style>p {}</style></head><body><p>Gr\xc3\xbc\xc3\x9fe &amp; mehr</p></body></html>\r\n"
)
NO_TEXT = b"Subject: x\r\nContent-Type: image/png\r\n\r\nabc\r\n"


async def put_preview(tx: Transaction, text: str) -> None:
    await tx.execute(
        "INSERT INTO message_index (blob_id, sent_ms, base_subject, is_reply, from_key, to_key, cc_key,"
        " display_from, display_to, message_id, reference_ids, preview)"
        " SELECT blob_id, NULL, '', FALSE, '', '', '', '', '', '', '', ? FROM message"
        " WHERE id % 4294967296 = 1",
        text,
    )


async def test_previews_are_computed_where_they_are_not_indexed(any_port: int) -> None:
    async with member(any_port) as talk:
        for message in (PLAIN, HTML, NO_TEXT):
            await talk.append(b"INBOX", message)
        await talk.done(b"EXAMINE INBOX")
        assert await talk.done(b"FETCH 1:3 (UID PREVIEW)") == [
            b'* 1 FETCH (UID 1 PREVIEW "Hello there, how are you?")',
            "* 2 FETCH (UID 2 PREVIEW {14}\r\nGrüße & mehr)".encode(),
            b'* 3 FETCH (UID 3 PREVIEW "")',
        ]


async def test_lazy_waits_for_the_index(any_host: MailHost, any_port: int) -> None:
    async with member(any_port) as talk:
        await talk.append(b"INBOX", PLAIN)
        await talk.append(b"INBOX", PLAIN)
        await talk.done(b"EXAMINE INBOX")
        assert await talk.done(b"FETCH 1 PREVIEW (LAZY)") == [b"* 1 FETCH (PREVIEW NIL)"]
        await any_host.runtime.database.write(put_preview, "kept")
        assert await talk.done(b"FETCH 1:2 (preview ( lazy ) UID)") == [
            b'* 1 FETCH (PREVIEW "kept" UID 1)',
            b"* 2 FETCH (PREVIEW NIL UID 2)",
        ]
        assert await talk.done(b"FETCH 1 PREVIEW") == [b'* 1 FETCH (PREVIEW "kept")']
        changed = await talk.done(b"FETCH 1 PREVIEW (CHANGEDSINCE 1)")
        assert changed[-1] == b'* 1 FETCH (PREVIEW "kept" MODSEQ (2))'
        assert await talk.refused(b"FETCH 1 (PREVIEW (EAGER))")


async def test_a_preview_does_not_mark_a_message_as_seen(port: int) -> None:
    async with member(port) as talk:
        await talk.append(b"INBOX", PLAIN)
        await talk.done(b"SELECT INBOX")
        await talk.done(b"FETCH 1 PREVIEW")
        [line] = await talk.done(b"FETCH 1 FLAGS")
        assert b"\\Seen" not in line


async def test_a_large_message_has_a_preview_of_at_most_200_characters(port: int) -> None:
    async with member(port) as talk:
        await talk.append(b"INBOX", b"Subject: x\r\n\r\n" + b"word " * 60_000)
        await talk.done(b"EXAMINE INBOX")
        [line] = await talk.done(b"FETCH 1 (PREVIEW BODY.PEEK[HEADER])")
        preview = line.partition(b'PREVIEW "')[2].partition(b'"')[0]
        assert preview.startswith(b"word word")
        assert len(preview) in range(190, 201)


async def test_what_no_response_can_hold_is_left_out(port: int) -> None:
    half = b"Subject: x\r\nContent-Type: text/plain; charset=utf-7\r\n\r\na +2AA- b\r\n"
    nul = b"Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\nYQBi\r\n"
    async with member(port) as talk:
        await talk.append(b"INBOX", half)
        await talk.append(b"INBOX", nul)
        await talk.done(b"EXAMINE INBOX")
        first, second = await talk.done(b"FETCH 1:2 PREVIEW")
        assert first.startswith((b'* 1 FETCH (PREVIEW "a ? b"', b"* 1 FETCH (PREVIEW {"))
        assert second == b'* 2 FETCH (PREVIEW "ab")'
