"""SEARCH: by rows, by position, by what a message says."""

import pytest

from tests.modules.mail.imap.client import member

MESSAGES = (
    b"From: Ann <ann@x.test>\r\nSubject: hello world\r\nDate: Mon, 02 Nov 2026 23:30:00 -0800\r\n"
    b"\r\nplain text\r\n",
    b"From: =?utf-8?b?SsO2cmc=?= <j@y.test>\r\nSubject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"U3RyYcOfZSBpbiBCZXJsaW4=\r\n",
    b"From: c@z.test\r\nX-Note: folded\r\n value\r\nContent-Type: text/plain; charset=iso-8859-15\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nprice =A4 5, soft=\r\n break\r\n",
)


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (b"ALL", b" 1 2 3"),
        (b"1,3", b" 1 3"),
        (b"2:*", b" 2 3"),
        (b"NOT 2", b" 1 3"),
        (b"UID 2:99", b" 2 3"),
        (b"1:2 UID 2:3", b" 2"),
        (b"7", b""),
        (b"SEEN", b" 2"),
        (b"UNSEEN", b" 1 3"),
        (b"NEW", b" 1 3"),
        (b"RECENT UNSEEN NOT DELETED", b" 1 3"),
        (b"OLD", b""),
        (b"KEYWORD WORK", b" 2"),
        (b"UNKEYWORD work", b" 1 3"),
        (b"KEYWORD w_rk", b""),
        (b"OR SEEN 3", b" 2 3"),
        (b"OR (SEEN SUBJECT gr) FROM ann", b" 1 2"),
        (b"LARGER 130", b" 2 3"),
        (b"SMALLER 130", b" 1"),
        (b"ON 1-Feb-2026", b" 1"),
        (b"BEFORE 1-Feb-2026", b""),
        (b"SINCE 2-Feb-2026", b" 2 3"),
        (b"SENTON 2-Nov-2026", b" 1"),
        (b"SENTSINCE 3-Nov-2026", b""),
        (b"NOT SENTBEFORE 1-Jan-2030", b" 2 3"),
        (b"OLDER 1", b" 1 2 3"),
        (b"YOUNGER 1", b""),
        (b"SUBJECT WORLD", b" 1"),
        (b"SUBJECT {7+}\r\ngr\xc3\xbc\xc3\x9fe", b" 2"),
        (b"CHARSET ISO-8859-1 SUBJECT {5+}\r\nGR\xdc\xdfE", b" 2"),
        (b"FROM {5+}\r\nj\xc3\xb6rg", b" 2"),
        (b"FROM @y.test", b" 2"),
        (b"FROM nobody", b""),
        (b'HEADER x-note "folded value"', b" 3"),
        (b'HEADER X-Note ""', b" 3"),
        (b'NOT HEADER Subject ""', b" 3"),
        (b"BODY berlin", b" 2"),
        (b"BODY {7+}\r\nSTRASSE", b" 2"),
        (b"BODY {3+}\r\n\xe2\x82\xac", b" 3"),
        (b'BODY "soft break"', b" 3"),
        (b"BODY hello", b""),
        (b"TEXT hello", b" 1"),
        (b"TEXT plain", b" 1 2 3"),
        (b"NOT BODY plain", b" 2 3"),
        (b"MODSEQ 3", b" 2 3 (MODSEQ 5)"),
    ],
)
async def test_each_key_finds_its_messages(any_port: int, keys: bytes, found: bytes) -> None:
    async with member(any_port) as talk:
        for number, message in enumerate(MESSAGES, 1):
            await talk.append(b"INBOX", message, b'" %d-Feb-2026 12:00:00 +0000" ' % number)
        await talk.done(b"SELECT INBOX")
        await talk.done(b"STORE 2 FLAGS.SILENT (\\Seen Work)")
        lines = await talk.done(b"SEARCH " + keys)
        assert lines[-1] == b"* SEARCH" + found


async def test_esearch_tells_only_what_was_asked(port: int) -> None:
    async with member(port) as talk:
        for message in MESSAGES:
            await talk.append(b"INBOX", message)
        await talk.done(b"SELECT INBOX")
        await talk.done(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await talk.done(b"EXPUNGE")
        assert await talk.done(b"SEARCH RETURN (MIN MAX COUNT ALL) ALL") == [
            b'* ESEARCH (TAG "a") MIN 1 MAX 2 COUNT 2 ALL 1:2'
        ]
        assert await talk.done(b"UID SEARCH RETURN () ALL") == [b'* ESEARCH (TAG "a") UID ALL 2:3']
        assert await talk.done(b"UID SEARCH RETURN (COUNT) FROM nobody") == [
            b'* ESEARCH (TAG "a") UID COUNT 0'
        ]
        assert await talk.done(b"UID SEARCH ALL") == [b"* SEARCH 2 3"]
        assert (await talk.refused(b"SEARCH CHARSET KLINGON TEXT x")).startswith(b"NO [BADCHARSET")
        await talk.refused(b"SEARCH NONSENSE")
