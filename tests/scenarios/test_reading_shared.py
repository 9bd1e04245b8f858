"""Ann's folder at Bob's programs: imaplib, IMAPClient, mutt and mbsync, with two processes of the server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from imapclient import IMAPClient  # type: ignore[import-untyped] # it has no types

from tests.scenarios.clients import (
    ANN,
    BOB,
    PASSWORD,
    WAIT_SECONDS,
    certificate_of,
    deliver,
    message,
    need,
    open_imap,
    run_on_terminal,
    run_program,
    subjects,
    write_private,
)
from tests.scenarios.server import Server, running_server, trusting_context

pytestmark = pytest.mark.scenario

SHARED = f"Other Users/{ANN}/team"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server on which Ann shares a folder with three messages."""
    with running_server(tmp_path / "server", workers=2) as started:
        with open_imap(started, ANN) as ann:
            ann.create("team")
            assert ann.setacl("team", BOB, "lrswite")[0] == "OK"
            for number in range(1, 4):
                ann.append("team", "", None, message(f"team {number}"))
        yield started


def flags_of(server: Server, login: str, folder: str) -> list[bytes]:
    """Return the flags of each message as somebody sees them."""
    with open_imap(server, login) as client:
        assert client.select(f'"{folder}"', readonly=True)[0] == "OK"
        _, lines = client.fetch("1:*", "(FLAGS)")
    return [line for line in lines if isinstance(line, bytes)]


def test_imaplib_reads_and_changes_lists(server: Server) -> None:
    with open_imap(server, ANN) as ann, open_imap(server) as bob:
        assert bob.myrights(f'"{SHARED}"')[1] == [f'"{SHARED}" lrswited'.encode()]
        assert ann.getacl("team")[1] == [f"team {ANN} lrswipkxteacd {BOB} lrswited".encode()]
        assert bob.getacl(f'"{SHARED}"')[0] == "NO"
        assert bob.namespace()[1] == [b'(("" "/")) (("Other Users/" "/")) NIL']
        ann.deleteacl("team", BOB)
        assert bob.myrights(f'"{SHARED}"')[0] == "NO"


def test_imapclient_shares_and_finds(server: Server) -> None:
    port, context = server.ports["imaps"], trusting_context()
    with IMAPClient("127.0.0.1", port, ssl_context=context) as ann:
        ann.login(ANN, PASSWORD)
        assert ann.has_capability("ACL")
        ann.setacl("INBOX", BOB, "lr")
        assert ann.getacl("INBOX") == [(ANN.encode(), b"lrswipkxteacd"), (BOB.encode(), b"lr")]
    with IMAPClient("127.0.0.1", port, ssl_context=context) as bob:
        bob.login(BOB, PASSWORD)
        assert bob.namespace().other == (("Other Users/", "/"),)
        prefix = bob.namespace().other[0][0]
        names = {name for _, _, name in bob.list_folders(prefix)}
        assert names == {f"Other Users/{ANN}", f"Other Users/{ANN}/INBOX", SHARED}
        assert bob.select_folder(SHARED)[b"EXISTS"] == 3
        assert bob.search("UNSEEN") == [1, 2, 3]


def test_a_delivery_wakes_readers_until_the_folder_is_shared_no_longer(server: Server) -> None:
    server.run("folder", "share", ANN, "INBOX", BOB, "lrs")
    bob = IMAPClient("127.0.0.1", server.ports["imaps"], ssl_context=trusting_context())
    try:
        bob.login(BOB, PASSWORD)
        bob.select_folder(f"Other Users/{ANN}/INBOX")
        bob.idle()
        deliver(server, message("for the team", recipient=ANN), recipient=ANN)
        assert (1, b"EXISTS") in bob.idle_check(timeout=WAIT_SECONDS)
        server.run("folder", "unshare", ANN, "INBOX", BOB)
        assert b"BYE" in [answer[0] for answer in bob.idle_check(timeout=WAIT_SECONDS)]
    finally:
        bob.shutdown()


def test_mutt_reads_and_flags_what_is_shared(server: Server, tmp_path: Path) -> None:
    need("mutt")
    keys = "<first-entry><display-message><exit>2<enter><flag-message>3<enter><delete-message>"
    keys += "<sync-mailbox><quit>"
    settings = write_private(
        tmp_path / "muttrc",
        f'set folder = "imaps://{BOB}@127.0.0.1:{server.ports["imaps"]}/"',
        f'set spoolfile = "+{SHARED}"',
        f'set imap_pass = "{PASSWORD}"',
        f'set certificate_file = "{certificate_of(server)}"',
        'set ssl_verify_host = no record = "" mbox = "" header_cache = "" tmpdir = "/tmp"',
        "set delete = yes wait_key = no sleep_time = 0 mark_old = no move = no timeout = 5 quit = yes",
        'set imap_delim_chars = "/"',
        f'push "{keys}"',
    )
    run_on_terminal("mutt", "-n", "-F", str(settings), home=tmp_path)
    mine, hers = flags_of(server, BOB, SHARED), flags_of(server, ANN, "team")
    assert len(mine) == len(hers) == 2
    assert rb"\Seen" in mine[0]
    assert rb"\Seen" not in hers[0]
    assert rb"\Flagged" in hers[1]


def test_mbsync_keeps_a_copy_of_what_is_shared(server: Server, tmp_path: Path) -> None:
    need("mbsync")
    mail = tmp_path / "mail"
    mail.mkdir()
    settings = write_private(
        tmp_path / "mbsyncrc",
        "IMAPStore server",
        "Host 127.0.0.1",
        f"Port {server.ports['imaps']}",
        f"User {BOB}",
        f"Pass {PASSWORD}",
        "SSLType IMAPS",
        f"CertificateFile {certificate_of(server)}",
        "",
        "MaildirStore laptop",
        f"Path {mail}/",
        f"Inbox {mail}/INBOX",
        "SubFolders Verbatim",
        "",
        "Channel team",
        f'Far ":server:{SHARED}"',
        "Near :laptop:team",
        "Create Near",
        "Expunge Both",
        "SyncState *",
    )
    run_program("mbsync", "-c", str(settings), "team", home=tmp_path)
    files = sorted((mail / "team").glob("*/*,U=*"))
    assert sorted(subjects([each.read_bytes() for each in files])) == ["team 1", "team 2", "team 3"]
    files[0].rename(mail / "team" / "cur" / (files[0].name.partition(":")[0] + ":2,FS"))
    run_program("mbsync", "-c", str(settings), "team", home=tmp_path)
    assert rb"\Seen" in b"".join(flags_of(server, BOB, SHARED))
    assert rb"\Flagged" in b"".join(flags_of(server, ANN, "team"))
    assert rb"\Seen" not in b"".join(flags_of(server, ANN, "team"))
