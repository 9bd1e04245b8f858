"""A person at mutt: reads, flags, saves to a new folder, deletes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.clients import (
    BOB,
    PASSWORD,
    certificate_of,
    deliver,
    empty,
    message,
    need,
    open_imap,
    read_all,
    run_on_terminal,
    run_program,
    subjects,
    write_private,
)
from tests.scenarios.server import Server, running_server

pytestmark = pytest.mark.scenario


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of this file."""
    with running_server(tmp_path_factory.mktemp("server")) as started:
        yield started


def type_at_mutt(server: Server, home: Path, keys: str, *options: str) -> bytes:
    """Open Bob's INBOX in mutt on a terminal, type the keys, and return what the terminal showed.

    What mutt and the server said is in .muttdebug0 of the home folder.
    """
    need("mutt")
    settings = write_private(
        home / "muttrc",
        f'set folder = "imaps://{BOB}@127.0.0.1:{server.ports["imaps"]}/"',
        'set spoolfile = "+INBOX"',
        f'set imap_pass = "{PASSWORD}"',
        f'set certificate_file = "{certificate_of(server)}"',
        'set ssl_verify_host = no record = "" mbox = "" header_cache = "" tmpdir = "/tmp"',
        *options,
        "set delete = yes confirmappend = no confirmcreate = no wait_key = no sleep_time = 0 mark_old = no",
        "set move = no timeout = 5 quit = yes",
        f'push "{keys}"',
    )
    return run_on_terminal("mutt", "-d", "2", "-n", "-F", str(settings), home=home)


def flags(server: Server, folder: str = "INBOX") -> dict[str, bytes]:
    """Return the flags of each message by its subject."""
    with open_imap(server) as client:
        client.select(f'"{folder}"', readonly=True)
        _, lines = client.fetch("1:*", "(FLAGS)")
    found = [line for line in lines if isinstance(line, bytes)]
    return dict(zip(subjects(read_all(server, folder=folder)), found, strict=True))


def test_a_person_reads_flags_saves_and_deletes(server: Server, tmp_path: Path) -> None:
    deliver(server, *(message(f"mutt {number}", f"Text of {number}") for number in range(1, 6)))
    keys = "<first-entry><display-message><exit>"
    keys += "2<enter><flag-message>"
    keys += "3<enter><save-message><kill-line>=Saved/Käse&Brot<enter>"
    keys += "4<enter><copy-message><kill-line>=Saved/Käse&Brot<enter>"
    keys += "5<enter><delete-message>"
    keys += "<sync-mailbox><quit>"
    type_at_mutt(server, tmp_path, keys)
    inbox = flags(server)
    assert list(inbox) == ["mutt 1", "mutt 2", "mutt 4"]
    assert rb"\Seen" in inbox["mutt 1"]
    assert rb"\Flagged" in inbox["mutt 2"]
    assert rb"\Seen" not in inbox["mutt 2"]
    assert list(flags(server, "Saved/K&AOQ-se&-Brot")) == ["mutt 3", "mutt 4"]


def test_mutt_comes_back_to_its_cache_with_qresync_over_a_compressed_connection(
    server: Server, tmp_path: Path
) -> None:
    empty(server)
    deliver(server, *(message(f"cached {number}") for number in range(1, 5)))
    cache = (
        f'set header_cache = "{tmp_path}/headers" message_cachedir = "{tmp_path}/bodies"',
        "set imap_condstore = yes imap_qresync = yes imap_deflate = yes imap_fetch_chunk_size = 2",
        'set index_format = "%Z %s"',
    )
    shown = type_at_mutt(server, tmp_path, "<first-entry><display-message><exit><quit>", *cache)
    assert all(f"cached {number}".encode() in shown for number in range(1, 5))
    with open_imap(server) as client:
        client.select()
        client.store("2", "+FLAGS", r"\Flagged")
        client.store("3", "+FLAGS", r"\Deleted")
        client.expunge()
    deliver(server, message("cached 5"))
    keys = "<last-entry><flag-message><first-entry><delete-message><sync-mailbox><quit>"
    shown = type_at_mutt(server, tmp_path, keys, *cache)
    assert b"cached 3" not in shown
    assert b"cached 5" in shown
    said = (tmp_path / ".muttdebug0").read_text("utf-8", "replace")
    for expected in ("COMPRESS DEFLATE", "ENABLED QRESYNC", " VANISHED)", "* VANISHED (EARLIER)"):
        assert expected in said
    left = flags(server)
    assert list(left) == ["cached 2", "cached 4", "cached 5"]
    assert rb"\Flagged" in left["cached 2"]
    assert rb"\Flagged" in left["cached 5"]


def test_mutt_submits_mail_and_keeps_a_copy_in_sent(server: Server, tmp_path: Path) -> None:
    need("mutt")
    settings = write_private(
        tmp_path / "muttrc",
        f'set smtp_url = "smtps://{BOB}@127.0.0.1:{server.ports["submissions"]}/"',
        f'set smtp_pass = "{PASSWORD}" imap_pass = "{PASSWORD}" imap_user = "{BOB}" from = "{BOB}"',
        f'set certificate_file = "{certificate_of(server)}" ssl_verify_host = no realname = "Bob Ü"',
        f'set record = "imaps://127.0.0.1:{server.ports["imaps"]}/Sent" tmpdir = "/tmp"',
    )
    text = "Grüße\n.\nvon mutt\n".encode()
    command = ["mutt", "-n", "-F", str(settings), "-s", "Käse", "--", "ann@example.test"]
    run_program(*command, stdin=text, home=tmp_path)
    (copy,) = read_all(server, folder="Sent")
    (arrived,) = read_all(server, "ann@example.test")
    assert b"=?" in arrived
    assert arrived.partition(b"\r\n\r\n")[2] == copy.partition(b"\r\n\r\n")[2]
