"""Thunderbird reads, marks, files, stores and finds mail, is told of news, and catches up after a pause."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.clients import (
    ANN,
    BOB,
    below_trace,
    deliver,
    message,
    only_with_subject,
    open_imap,
    read_all,
    subjects,
    wait_until,
)
from tests.scenarios.server import Server, running_server
from tests.scenarios.thunderbird_client import Thunderbird, thunderbird

pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server on which Bob may hold 10 MiB, for all tests of this file."""
    with running_server(tmp_path_factory.mktemp("server")) as started:
        started.run("mailbox", "quota", BOB, "10MiB")
        yield started


@pytest.fixture(scope="module")
def bob(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thunderbird]:
    """Thunderbird with Bob's account, signed in."""
    with thunderbird(tmp_path_factory.mktemp("bob")) as started:
        started.sign_in(server)
        started.do("getMail")
        yield started


def flags(server: Server, subject: str, folder: str = "INBOX") -> bytes:
    """Return what the server tells of the flags of the one message with a subject."""
    with open_imap(server) as client:
        client.select(f'"{folder}"', readonly=True)
        _, numbers = client.search(None, "HEADER", "Subject", f'"{subject}"')
        _, lines = client.fetch(numbers[0].decode(), "(FLAGS)")
    assert isinstance(lines[0], bytes)
    return lines[0]


def test_thunderbird_signs_in_finds_the_folders_and_keeps_the_mail(server: Server, bob: Thunderbird) -> None:
    large = message("large", ("0123456789" * 7 + "\r\n") * 4000)
    deliver(server, message("small"), large)
    bob.do("getMail")
    assert bob.do("waitFor", "INBOX", "small", {"kept": True, "read": False})["author"] == "ann@example.test"
    assert bob.do("waitFor", "INBOX", "large", {"kept": True})
    assert bob.do("source", "INBOX", "large").encode("latin1").endswith(b"\r\n" + large)
    assert bob.do("folders") == ["Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"]
    assert bob.do("quota", "INBOX")[0][2] == 10 * 1024
    said = bob.commands()
    for expected in (
        "namespace",
        "COMPRESS DEFLATE",
        "ENABLE UTF8=ACCEPT",
        'list (subscribed) "" "*" return (special-use)',
        'getquotaroot "INBOX"',
        'myrights "INBOX"',
    ):
        assert expected in said


def test_thunderbird_is_told_of_mail_and_flags_while_it_idles(server: Server, bob: Thunderbird) -> None:
    deliver(server, message("pushed", "It came by itself."))
    assert bob.do("waitFor", "INBOX", "pushed", {})["read"] is False
    with open_imap(server) as other:
        other.select()
        _, numbers = other.search(None, "SUBJECT", "pushed")
        other.store(numbers[0].decode(), "+FLAGS", r"(\Seen \Flagged $label1)")
        told = bob.do("waitFor", "INBOX", "pushed", {"read": True, "flagged": True})
        assert told["tags"] == ["$label1"]
        other.store(numbers[0].decode(), "+FLAGS", r"\Deleted")
        other.expunge()
    bob.do("waitUntilGone", "INBOX", "pushed")
    assert "IDLE" in bob.commands()


def test_thunderbird_marks_files_and_throws_away(server: Server, bob: Thunderbird) -> None:
    deliver(server, *(message(f"to {what}") for what in ("mark", "copy", "move", "remove")))
    for what in ("mark", "copy", "move", "remove"):
        bob.do("waitFor", "INBOX", f"to {what}", {})
    bob.do("mark", "INBOX", "to mark", {"read": True, "flagged": True, "tag": "$label2"})
    wanted = (rb"\Seen", rb"\Flagged", b"$label2")
    wait_until(lambda: all(flag in flags(server, "to mark") for flag in wanted), "the flags")
    bob.do("mark", "INBOX", "to mark", {"read": False})
    wait_until(lambda: rb"\Seen" not in flags(server, "to mark"), "the end of \\Seen")
    bob.do("createFolder", "", "Büro")
    bob.do("createFolder", "Büro", "Plan B")
    bob.do("copy", "INBOX", "to copy", "Büro/Plan B", False)
    bob.do("copy", "INBOX", "to move", "Büro/Plan B", True)
    bob.do("remove", "INBOX", "to remove")
    assert sorted(subjects(read_all(server, folder="B&APw-ro/Plan B"))) == ["to copy", "to move"]
    assert subjects(read_all(server, folder="Trash")) == ["to remove"]
    left = subjects(read_all(server))
    assert {"to mark", "to copy"} <= set(left)
    assert not {"to move", "to remove"} & set(left)


def test_thunderbird_stores_and_finds(server: Server, bob: Thunderbird, tmp_path: Path) -> None:
    mine = tmp_path / "mine.eml"
    mine.write_bytes(message("stored", "Grüße aus Köln".encode().decode("latin1")))
    bob.do("store", "Sent", str(mine))
    assert only_in(server, "Sent") == mine.read_bytes()
    assert rb"\Seen" in flags(server, "stored", "Sent")
    deliver(server, message("hay"), message("needle", "A thimble is in here."))
    bob.do("waitFor", "INBOX", "needle", {})
    assert bob.do("search", "INBOX", "Body", "thimble") == ["needle"]
    assert bob.do("search", "INBOX", "Subject", "hay") == ["hay"]


def test_thunderbird_sends(server: Server, bob: Thunderbird, tmp_path: Path) -> None:
    mine = tmp_path / "mine.eml"
    mine.write_bytes(message("sent by Bob", sender=BOB, recipient=ANN))
    bob.send(server, ANN, mine)
    arrived = only_with_subject(server, "sent by Bob", ANN)
    assert below_trace(arrived) == mine.read_bytes()


def only_in(server: Server, folder: str) -> bytes:
    """Return the one message of a folder."""
    (found,) = read_all(server, folder=folder)
    return found


def test_thunderbird_catches_up_after_a_pause(server: Server, tmp_path: Path) -> None:
    deliver(server, *(message(f"pause {number}") for number in (1, 2, 3)))
    with thunderbird(tmp_path) as first:
        first.sign_in(server)
        first.do("getMail")
        for number in (1, 2, 3):
            first.do("waitFor", "INBOX", f"pause {number}", {})
    with open_imap(server) as other:
        other.select()
        _, numbers = other.search(None, "SUBJECT", '"pause 1"')
        other.store(numbers[0].decode(), "+FLAGS", r"\Answered")
        _, numbers = other.search(None, "SUBJECT", '"pause 2"')
        other.store(numbers[0].decode(), "+FLAGS", r"\Deleted")
        other.expunge()
    deliver(server, message("pause 4"))
    with thunderbird(tmp_path) as again:
        again.do("getMail")
        again.do("waitFor", "INBOX", "pause 1", {"answered": True})
        again.do("waitUntilGone", "INBOX", "pause 2")
        again.do("waitFor", "INBOX", "pause 4", {})
        assert any("CHANGEDSINCE" in said for said in again.commands())
    assert only_with_subject(server, "pause 4")
