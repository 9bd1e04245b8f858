"""imap-tools reads, files and waits for mail, with parsers of its own for all that comes back."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from imap_tools.errors import MailboxCopyError
from imap_tools.mailbox import BaseMailBox, MailBox, MailBoxStartTls
from imap_tools.query import AND, NOT, OR, H

from tests.scenarios.clients import (
    BOB,
    PASSWORD,
    RUN_SECONDS,
    deliver,
    message,
    read_all,
    subjects,
)
from tests.scenarios.server import Server, trusting_context

pytestmark = pytest.mark.scenario

PICTURE = bytes(range(256)) * 100
WITH_PICTURE = (
    b"From: =?utf-8?q?Ann_M=C3=BCller?= <ann@example.test>\r\n"
    b"To: bob@example.test, Eve <eve@example.test>\r\n"
    b"Subject: =?utf-8?q?K=C3=A4se?=\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="limit"\r\n\r\n'
    b"--limit\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
    b"--limit\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="=?utf-8?q?K=C3=A4se?=.png"\r\n\r\n'
    + base64.encodebytes(PICTURE).replace(b"\n", b"\r\n")
    + b"--limit--\r\n"
)


@contextmanager
def mailbox(server: Server) -> Iterator[BaseMailBox]:
    """Log in as Bob with INBOX open."""
    port, context = server.ports["imaps"], trusting_context()
    with MailBox("127.0.0.1", port, timeout=RUN_SECONDS, ssl_context=context).login(BOB, PASSWORD) as box:
        yield box


def test_imap_tools_reads_a_message_with_an_attachment(server: Server) -> None:
    port, context = server.ports["imap"], trusting_context()
    with MailBoxStartTls("127.0.0.1", port, timeout=RUN_SECONDS, ssl_context=context).login(
        BOB, PASSWORD
    ) as box:
        box.append(WITH_PICTURE, "INBOX", flag_set=[r"\Seen", "$Later"])
        (found,) = box.fetch(AND(subject="Käse", seen=True), charset="UTF-8")
        assert found.from_values is not None
        assert (found.from_values.name, found.from_values.email) == ("Ann Müller", "ann@example.test")
        assert found.to == ("bob@example.test", "eve@example.test")
        assert (found.subject, found.text) == ("Käse", "Grüße")
        assert set(found.flags) >= {r"\Seen", "$Later"}
        (attachment,) = found.attachments
        assert (attachment.filename, attachment.content_type) == ("Käse.png", "image/png")
        assert attachment.payload == PICTURE


def test_imap_tools_finds_by_many_criteria(server: Server) -> None:
    deliver(server, *(message(f"tool {number}", f"Text of {number}") for number in range(1, 6)))
    with mailbox(server) as box:
        first, second, *rest = box.uids()
        assert [each.subject for each in box.fetch(reverse=True, limit=2, bulk=True, mark_seen=False)] == [
            "tool 5",
            "tool 4",
        ]
        assert box.uids(OR(text="Text of 1", subject="tool 2")) == [first, second]
        assert box.uids(AND(NOT(subject="tool 1"), NOT(body="Text of 2"), seen=False)) == rest
        assert box.uids(AND(header=H("Message-ID", "tool.5"))) == [rest[-1]]
        assert box.uids(AND(size_gt=100_000)) == []
        assert box.uids(sort="REVERSE SUBJECT") == [*reversed(rest), second, first]
        (headers,) = box.fetch(AND(uid=first), headers_only=True, mark_seen=False)
        assert headers.headers["subject"] == ("tool 1",)
        assert box.numbers(AND(seen=True)) == []


def test_imap_tools_flags_copies_moves_and_deletes(server: Server) -> None:
    deliver(server, *(message(f"tool {number}") for number in range(1, 5)))
    with mailbox(server) as box:
        first, second, third, _ = box.uids()
        box.folder.create("Käse & Brot")
        box.flag([first], [r"\Flagged", "$Later"], value=True)
        assert box.uids(AND(flagged=True, keyword="$Later")) == [first]
        box.flag([first], [r"\Flagged"], value=False)
        assert box.uids(AND(flagged=True)) == []
        box.copy([first], "Käse & Brot")
        box.move([second], "Käse & Brot")
        box.delete([third])
        with pytest.raises(MailboxCopyError, match="TRYCREATE"):
            box.copy([first], "Nowhere")
        status = box.folder.status("Käse & Brot")
        assert (status["MESSAGES"], status["UNSEEN"]) == (2, 2)
        box.folder.rename("Käse & Brot", "Käse/Brot")
        assert box.folder.exists("Käse/Brot")
        assert not box.folder.exists("Käse & Brot")
        box.folder.subscribe("Käse/Brot", value=True)
        assert [each.name for each in box.folder.list("Käse/", subscribed_only=True)] == ["Käse/Brot"]
        box.folder.set("Käse/Brot")
        assert [each.subject for each in box.fetch(mark_seen=False)] == ["tool 1", "tool 2"]
        box.folder.set("INBOX")
        box.folder.delete("Käse/Brot")
    assert subjects(read_all(server)) == ["tool 1", "tool 4"]


def test_imap_tools_is_told_of_mail_while_it_idles(server: Server) -> None:
    with mailbox(server) as box:
        with box.idle as idle:
            deliver(server, message("pushed"))
            assert b"* 1 EXISTS" in idle.poll(timeout=RUN_SECONDS)
        (found,) = box.fetch()
        assert found.subject == "pushed"
        assert box.uids(AND(seen=True)) == [found.uid]
