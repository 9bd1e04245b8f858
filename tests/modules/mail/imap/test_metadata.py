"""GETMETADATA and SETMETADATA over real sockets (RFC 5464)."""

from freehold.modules.mail.imap.settings import ImapSettings
from freehold.storage.database import Row, Transaction
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, imap, member

BOB = b"bob@example.test"


async def all_metadata(tx: Transaction) -> list[Row]:
    return await tx.fetch("SELECT entry, value FROM metadata ORDER BY entry")


async def note(talk: ImapTalk, mailbox: bytes, *pairs: bytes) -> None:
    assert await talk.ask(b"SETMETADATA " + mailbox + b" (" + b" ".join(pairs) + b")") == [
        b"a OK Setmetadata completed"
    ]


async def test_what_was_set_is_told_and_nil_removes_it(any_port: int) -> None:
    async with member(any_port) as talk:
        await note(talk, b"INBOX", b'/private/comment "mine"', b'/shared/comment "ours"')
        ask = b"GETMETADATA INBOX (/private/comment /shared/comment /private/none)"
        assert await talk.ask(ask) == [
            b'* METADATA INBOX (/private/comment "mine" /shared/comment "ours" /private/none NIL)',
            b"a OK Getmetadata completed",
        ]
        await note(talk, b"INBOX", b'/private/Comment "other"', b"/shared/comment NIL")
        assert await talk.done(b"GETMETADATA INBOX (/PRIVATE/comment /shared/comment)") == [
            b'* METADATA INBOX (/PRIVATE/comment "other" /shared/comment NIL)'
        ]


async def test_values_keep_every_octet(any_port: int) -> None:
    async with member(any_port) as talk:
        await note(talk, b"INBOX", b"/private/x ~{4+}\r\n\0\r\n\xff")
        talk.send(b"a GETMETADATA INBOX /private/x\r\n")
        assert await talk.line() == b"* METADATA INBOX (/private/x ~{4}\r\n\0\r\n\xff)"
        assert await talk.line() == b"a OK Getmetadata completed"


async def test_depth_says_how_far_below_an_entry_is_looked(any_port: int) -> None:
    async with member(any_port) as talk:
        await note(
            talk, b"INBOX", *(b'/private/%b "%b"' % (name, name) for name in (b"a", b"a/b", b"a/b/c", b"ab"))
        )
        assert await talk.done(b"GETMETADATA INBOX /private/a") == [b'* METADATA INBOX (/private/a "a")']
        assert await talk.done(b"GETMETADATA (DEPTH 1) INBOX /private/a") == [
            b'* METADATA INBOX (/private/a "a" /private/a/b "a/b")'
        ]
        everything = (
            b'* METADATA INBOX (/private/a "a" /private/a/b "a/b" /private/a/b/c "a/b/c" /private/ab "ab")'
        )
        assert await talk.done(b"GETMETADATA (DEPTH infinity) INBOX /private") == [everything]
        assert await talk.done(b"GETMETADATA INBOX (DEPTH 1) (/private/none)") == []


async def test_long_values_are_kept_back_and_their_size_told(port: int) -> None:
    async with member(port) as talk:
        await note(talk, b"INBOX", b'/private/a "123456789"', b'/private/b "1"')
        assert await talk.ask(b"GETMETADATA (MAXSIZE 8) INBOX (/private/a /private/b)") == [
            b'* METADATA INBOX (/private/b "1")',
            b"a OK [METADATA LONGENTRIES 9] Getmetadata completed",
        ]
        assert await talk.ask(b"GETMETADATA (MAXSIZE 9) INBOX /private/a") == [
            b'* METADATA INBOX (/private/a "123456789")',
            b"a OK Getmetadata completed",
        ]


async def test_sizes_and_numbers_are_bounded_and_nothing_is_set_by_half(any_host: MailHost) -> None:
    settings = ImapSettings(max_metadata_bytes=10, max_metadata_entries=3)
    async with (
        any_host.listening(imap(any_host, settings), tls=False) as port,
        member(port) as talk,
    ):
        assert await talk.refused(b'SETMETADATA INBOX (/private/a "1" /private/b "12345678901")') == (
            b"NO [METADATA MAXSIZE 10] value is too long"
        )
        await note(talk, b"INBOX", b'/private/a "1"', b'/private/b "2"')
        await note(talk, b'""', b'/private/c "3"')
        assert await talk.refused(b'SETMETADATA Trash (/private/d "4" /private/e "5")') == (
            b"NO [METADATA TOOMANY] too many entries"
        )
        rows = await any_host.runtime.database.read(all_metadata)
        assert [row[0] for row in rows] == ["/private/a", "/private/b", "/private/c"]
        await note(talk, b"INBOX", b'/private/d "4"', b"/private/a NIL")


async def test_the_server_says_what_its_administrator_set(host: MailHost) -> None:
    settings = ImapSettings(admin_uri="mailto:root@example.test", server_comment="closed on Sundays")
    async with host.listening(imap(host, settings), tls=False) as port, member(port) as talk:
        assert await talk.done(b'GETMETADATA "" (/shared/admin /shared/comment /shared/other)') == [
            b'* METADATA "" (/shared/admin "mailto:root@example.test" /shared/comment "closed on Sundays"'
            b" /shared/other NIL)"
        ]
        assert await talk.done(b'GETMETADATA (DEPTH 1) "" /shared') == [
            b'* METADATA "" (/shared/admin "mailto:root@example.test" /shared/comment "closed on Sundays")'
        ]
        assert (await talk.refused(b'SETMETADATA "" (/shared/comment "x")')).startswith(b"NO [NOPERM]")
        await note(talk, b'""', b'/private/vendor/x "y"')
        assert await talk.done(b'GETMETADATA "" /private/vendor/x') == [
            b'* METADATA "" (/private/vendor/x "y")'
        ]


async def test_nobody_sees_what_is_private_to_another(any_port: int) -> None:
    async with member(any_port) as ann, member(any_port, BOB) as bob:
        for mailbox in (b"INBOX", b'""'):
            await note(ann, mailbox, b'/private/secret "of ann"')
            asked = await bob.done(b"GETMETADATA (DEPTH infinity) " + mailbox + b" (/private /shared)")
            assert asked == []


async def test_annotations_are_kept_by_a_rename_and_go_with_the_folder(
    any_host: MailHost, any_port: int
) -> None:
    async with member(any_port) as talk:
        await talk.done(b"CREATE one")
        await note(talk, b"one", b'/private/x "y"')
        await talk.done(b"RENAME one two")
        assert await talk.done(b"GETMETADATA two /private/x") == [b'* METADATA two (/private/x "y")']
        assert (await talk.refused(b"GETMETADATA one /private/x")).startswith(b"NO [NONEXISTENT]")
        await talk.done(b"DELETE two")
        assert await any_host.runtime.database.read(all_metadata) == []
        assert (await talk.refused(b'SETMETADATA two (/private/x "y")')).startswith(b"NO [NONEXISTENT]")


async def test_those_of_inbox_are_copied_by_its_rename_as_far_as_there_may_be_more(
    any_host: MailHost,
) -> None:
    settings = ImapSettings(max_metadata_entries=2)
    both, inbox = b"(/private/x /shared/x)", b'"Other Users/ann@example.test/INBOX"'
    async with (
        any_host.listening(imap(any_host, settings), tls=False) as port,
        member(port) as talk,
        member(port, BOB) as bob,
    ):
        await talk.done(b"SETACL INBOX " + BOB + b" lr")
        await note(talk, b"INBOX", b'/private/x "mine"')
        await note(talk, b"INBOX", b'/shared/x "ours"', b'/shared/y "gone"')
        await note(talk, b"INBOX", b"/shared/y NIL")
        await note(bob, inbox, b'/private/bob "his"')
        await talk.done(b"RENAME INBOX old")
        told = b' (/private/x "mine" /shared/x "ours")'
        for mailbox in (b"INBOX", b"old"):
            assert await talk.done(b"GETMETADATA " + mailbox + b" " + both) == [
                b"* METADATA " + mailbox + told
            ]
        await note(talk, b"old", b"/shared/x NIL")
        await talk.done(b"RENAME INBOX older//")
        assert await talk.done(b"GETMETADATA older " + both) == [
            b'* METADATA older (/private/x NIL /shared/x "ours")'
        ]
        assert await bob.done(b"GETMETADATA " + inbox + b" /private/bob") == [
            b"* METADATA " + inbox + b' (/private/bob "his")'
        ]


async def test_list_tells_entries_along_with_the_names(any_port: int) -> None:
    async with member(any_port) as talk:
        await talk.done(b"CREATE one/two")
        await note(talk, b"one/two", b'/private/color "red"', b'/shared/comment "all"')
        lines = await talk.done(b'LIST "" "one*" RETURN (METADATA (/private/Color /shared/comment) CHILDREN)')
        assert lines == [
            b'* LIST (\\Noselect \\HasChildren) "/" one',
            b'* LIST (\\HasNoChildren) "/" one/two',
            b'* METADATA one/two (/private/Color "red" /shared/comment "all")',
        ]
        lines = await talk.done(b'LIST "" INBOX RETURN (METADATA /private/color)')
        assert lines[1:] == [b"* METADATA INBOX (/private/color NIL)"]
        assert (await talk.refused(b'LIST "" * RETURN (METADATA ())')).startswith(b"BAD")
        assert (await talk.refused(b'LIST "" * RETURN (METADATA /color)')).startswith(b"BAD")


async def test_in_shared_folders_rights_decide_and_what_is_private_stays_so(any_port: int) -> None:
    theirs = b'"Other Users/ann@example.test/INBOX"'
    async with member(any_port) as ann, member(any_port, BOB) as bob:
        await note(ann, b"INBOX", b'/shared/comment "for all"', b'/private/comment "for ann"')
        ask = b"GETMETADATA " + theirs + b" (/shared/comment /private/comment)"
        assert (await bob.refused(ask)).startswith(b"NO [NONEXISTENT]")
        await ann.done(b"SETACL INBOX bob@example.test l")
        assert (await bob.refused(ask)).startswith(b"NO [NOPERM]")
        await ann.done(b"SETACL INBOX bob@example.test lr")
        told = b"* METADATA " + theirs + b' (/shared/comment "for all" /private/comment '
        assert await bob.done(ask) == [told + b"NIL)"]
        set_shared = b"SETMETADATA " + theirs + b' (/shared/comment "of bob")'
        assert (await bob.refused(set_shared)).startswith(b"NO [NOPERM]")
        await note(bob, theirs, b'/private/comment "for bob"')
        assert await bob.done(ask) == [told + b'"for bob")']
        assert await ann.done(b"GETMETADATA INBOX /private/comment") == [
            b'* METADATA INBOX (/private/comment "for ann")'
        ]
        await ann.done(b"SETACL INBOX bob@example.test lrw")
        await bob.done(set_shared)
        assert await ann.done(b"GETMETADATA INBOX /shared/comment") == [
            b'* METADATA INBOX (/shared/comment "of bob")'
        ]
