"""offlineimap keeps a Maildir and the server alike, in both directions."""

from pathlib import Path

import pytest

from tests.scenarios.clients import (
    BOB,
    PASSWORD,
    below_trace,
    certificate_of,
    deliver,
    message,
    need,
    open_imap,
    read_all,
    run_program,
    subjects,
    write_private,
)
from tests.scenarios.server import Server, running_server

pytestmark = pytest.mark.scenario


def write_settings(server: Server, home: Path, compression: str) -> Path:
    """Write offlineimap's configuration for Bob's mail, with compression ("yes") or without."""
    return write_private(
        home / "offlineimaprc",
        "[general]",
        "accounts = bob",
        f"metadata = {home}/metadata",
        "ui = quiet",
        "[Account bob]",
        "localrepository = laptop",
        "remoterepository = server",
        "[Repository laptop]",
        "type = Maildir",
        f"localfolders = {home}/mail",
        "[Repository server]",
        "type = IMAP",
        "remotehost = 127.0.0.1",
        f"remoteport = {server.ports['imaps']}",
        f"remoteuser = {BOB}",
        f"remotepass = {PASSWORD}",
        "ssl = yes",
        f"cert_fingerprint = {fingerprint(server)}",
        "maxconnections = 2",
        f"usecompression = {compression}",
    )


def fingerprint(server: Server) -> str:
    """Return the SHA-1 fingerprint of the server's certificate."""
    said = run_program("openssl", "x509", "-noout", "-fingerprint", "-in", str(certificate_of(server)))
    return said.decode().partition("=")[2].strip().replace(":", "").lower()


def files(home: Path, folder: str) -> list[Path]:
    """Return the files of the messages of a folder."""
    return sorted((home / "mail" / folder).glob("[cn][ue][rw]/*"))


@pytest.mark.parametrize("compression", ["no", "yes"])
def test_offlineimap_synchronizes_messages_flags_and_removals_both_ways(
    tmp_path: Path, compression: str
) -> None:
    need("offlineimap", "openssl")
    home = tmp_path / "home"
    with running_server(tmp_path / "server") as server:
        settings = write_settings(server, home, compression)
        synchronize = ("offlineimap", "-o", "-c", str(settings))
        sent = [message(f"offlineimap {number}") for number in range(4)]
        deliver(server, *sent)
        run_program(*synchronize, home=home)
        local = {below_trace(one.read_bytes().replace(b"\n", b"\r\n")): one for one in files(home, "INBOX")}
        assert set(local) == set(sent)

        read, removed = local[sent[0]], local[sent[1]]
        read.rename(read.parent.parent / "cur" / f"{read.name.partition(':')[0]}:2,FS")
        removed.unlink()
        with open_imap(server) as client:
            client.create("Archive/2026")
            client.select()
            client.copy("3", "Archive/2026")
            client.store("3", "+FLAGS", r"(\Deleted)")
            client.expunge()
        run_program(*synchronize, home=home)
        assert subjects(read_all(server)) == ["offlineimap 0", "offlineimap 3"]
        assert len(files(home, "INBOX")) == 2
        (moved,) = files(home, "Archive.2026")
        assert below_trace(moved.read_bytes().replace(b"\n", b"\r\n")) == sent[2]
        with open_imap(server) as client:
            client.select()
            assert client.search(None, "FLAGGED", "SEEN")[1] == [b"1"]
