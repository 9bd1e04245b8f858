"""What SORT, THREAD and PREVIEW read: the same for a message that is indexed and for one that is not yet."""

from freehold.modules.mail.search.index_row import (
    COLUMNS,
    MAX_REFERENCE_CHARACTERS,
    MAX_REFERENCES,
    header_row,
    index_row,
)
from freehold.modules.mail.search.read_rows import read_index_rows
from freehold.protocols.mime.structure import scan
from tests.mail_host import MailHost
from tests.modules.mail.search.folder import folder_id, indexer, put

ANN = "ann@example.test"
MESSAGES = (
    b"From: =?utf-8?q?J=C3=B6rg?= <j.x@y.test>\r\nTo: Team: a@x.test, b@x.test;\r\nCc: c@x.test\r\n"
    b"Subject: Re: [list] =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Mon, 02 Nov 2026 10:00:00 +0100\r\n"
    b'Message-ID: <"a.b"@x.test>\r\nReferences: <1@x.test> <2@x.test>\r\n\r\nHello\r\nyou',
    b"In-Reply-To: <3@x.test> <4@x.test>\r\nDate: nonsense\r\n\r\n" + b"large " * 60_000,
    b"Subject: a\0b\r\n\r\n",
)


async def rows(host: MailHost, columns: tuple[str, ...]) -> list[tuple[object, ...]]:
    runtime = host.runtime
    folder = await folder_id(host, ANN)
    return await read_index_rows(runtime.database, runtime.blobs, 1, folder, [(1, 1), (2, 9)], columns)


async def test_rows_are_the_same_before_and_after_indexing_but_for_the_preview(any_host: MailHost) -> None:
    await put(any_host, ANN, *MESSAGES)
    without_preview = (*COLUMNS[:3], "size_bytes", *COLUMNS[3:-1])
    before = await rows(any_host, without_preview)
    sent = await rows(any_host, ("sent_ms", "internal_ms"))
    await indexer(any_host).index_all()
    after = await rows(any_host, (*without_preview, "preview"))
    assert [row[:-1] for row in after] == before
    assert await rows(any_host, ("sent_ms", "internal_ms")) == sent
    assert [row[1] for row in sent] == [row[1] for row in before]
    assert [row[-1] for row in after] == ["Hello you", " ".join(["large"] * 33), ""]
    assert [row[0] for row in after] == [1, 2, 3]
    assert [row[4] for row in after] == list(map(len, MESSAGES))


def test_a_row_is_ready_to_be_compared() -> None:
    row = index_row(MESSAGES[0], scan(MESSAGES[0]))
    assert row.sent_ms == 1_793_610_000_000
    assert (row.base_subject, row.is_reply) == ("GRU\u0308SSE", True)
    assert (row.from_key, row.to_key, row.cc_key) == ("J.X", "TEAM", "C")
    assert (row.display_from, row.display_to) == ("JO\u0308RG", "TEAM")
    assert (row.message_id, row.reference_ids) == ("a.b@x.test", "1@x.test 2@x.test")


def test_without_references_the_first_id_replied_to_counts() -> None:
    row = index_row(MESSAGES[1][:200], scan(MESSAGES[1][:200]))
    assert (row.sent_ms, row.reference_ids) == (None, "3@x.test")


def test_of_long_references_the_first_and_the_latest_are_kept() -> None:
    ids = [b"%04d%b@x.test" % (number, b"i" * 800) for number in range(MAX_REFERENCES + 1)]
    row = header_row(b"References: <" + b">\r\n <".join(ids) + b">\r\n\r\n")
    kept = row.reference_ids.encode().split(b" ")
    assert kept == [ids[0], *ids[1 - len(kept) :]]
    assert MAX_REFERENCE_CHARACTERS - len(ids[0]) <= len(row.reference_ids) <= MAX_REFERENCE_CHARACTERS
