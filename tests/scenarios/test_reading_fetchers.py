"""Programs that carry mail away: fetchmail, getmail and curl."""

from pathlib import Path

import pytest

from tests.scenarios.clients import (
    ANN,
    BOB,
    PASSWORD,
    below_trace,
    certificate_of,
    deliver,
    getmail,
    message,
    need,
    only_with_subject,
    read_all,
    run_program,
    subjects,
    write_private,
)
from tests.scenarios.server import Server

pytestmark = pytest.mark.scenario

FETCHMAIL_NO_MAIL = 1
GETMAIL_FIELD = b"X-getmail-retrieved-from-mailbox: INBOX\r\n"


def fetchmail_settings(server: Server, home: Path, *options: str) -> Path:
    """Write fetchmail's configuration for Bob's mail."""
    return write_private(
        home / "fetchmailrc",
        f"poll 127.0.0.1 protocol imap service {server.ports['imaps']} timeout 30",
        f'user "{BOB}" password "{PASSWORD}" ssl sslcertck sslcertfile "{certificate_of(server)}"',
        f'sslcommonname "{server.hostname}"',
        *options,
    )


def test_fetchmail_keeps_mail_and_fetches_only_what_is_new(server: Server, tmp_path: Path) -> None:
    need("fetchmail")
    out = tmp_path / "out"
    settings = fetchmail_settings(server, tmp_path, "keep", f"mda \"/bin/sh -c 'cat >> {out}'\"")
    fetch = ("fetchmail", "-f", str(settings), "--nosyslog", "--nodetach")
    deliver(server, message("fetchmail one"), message("fetchmail two"))
    run_program(*fetch, home=tmp_path)
    assert out.read_bytes().count(b"Subject: fetchmail") == 2
    run_program(*fetch, home=tmp_path, accepted=[FETCHMAIL_NO_MAIL])
    deliver(server, message("fetchmail three"))
    run_program(*fetch, home=tmp_path)
    assert out.read_bytes().count(b"Subject: fetchmail") == 3
    assert len(read_all(server)) == 3


def test_fetchmail_moves_mail_to_another_mailbox_over_smtp(server: Server, tmp_path: Path) -> None:
    need("fetchmail")
    options = ("nokeep", "fetchall", f'smtphost "127.0.0.1/{server.ports["smtp"]}"', f'smtpname "{ANN}"')
    settings = fetchmail_settings(server, tmp_path, *options)
    deliver(server, message("moved on"), message("moved on too"))
    run_program("fetchmail", "-f", str(settings), "--nosyslog", "--nodetach", home=tmp_path)
    assert read_all(server) == []
    assert below_trace(only_with_subject(server, "moved on", ANN)) == message("moved on")
    assert sorted(subjects(read_all(server, ANN))) == ["moved on", "moved on too"]


@pytest.mark.parametrize("delete", [False, True])
def test_getmail_fetches_each_message_once(server: Server, tmp_path: Path, delete: bool) -> None:
    need("getmail")
    sent = [message("getmail one"), message("getmail two", "Two\r\n\r\n  lines \t\r\n")]
    deliver(server, *sent)
    for _ in range(2):
        getmail(server, tmp_path, "SimpleIMAPSSLRetriever", "imaps", delete=delete)
    arrived = [one.replace(GETMAIL_FIELD, b"") for one in read_all(server, ANN)]
    assert [below_trace(one) for one in arrived] == sent
    assert len(read_all(server)) == (0 if delete else 2)


def curl(server: Server, path: str, *arguments: str) -> bytes:
    """Ask the server something as Bob with curl."""
    need("curl")
    return run_program(
        *("curl", "--silent", "--show-error", "--cacert", str(certificate_of(server))),
        *("--connect-to", f"::127.0.0.1:{server.ports['imaps']}"),
        *("--user", f"{BOB}:{PASSWORD}", f"imaps://{server.hostname}/{path}", *arguments),
    )


def test_curl_lists_fetches_and_appends(server: Server, tmp_path: Path) -> None:
    deliver(server, message("curl one"), message("curl two"))
    assert {line.split()[-1] for line in curl(server, "").splitlines()} >= {b"INBOX", b"Sent", b"Trash"}
    assert below_trace(curl(server, "INBOX;MAILINDEX=1")) == message("curl one")
    header = curl(server, "INBOX;MAILINDEX=2;SECTION=HEADER.FIELDS%20(SUBJECT)")
    assert header == b"Subject: curl two\r\n\r\n"
    assert curl(server, "INBOX?SUBJECT%20two") == b"* SEARCH 2\r\n"
    mine = tmp_path / "mine.eml"
    mine.write_bytes(message("curl appended"))
    curl(server, "INBOX", "--upload-file", str(mine))
    assert curl(server, "INBOX;MAILINDEX=3") == mine.read_bytes()


def test_curl_sends_any_command(server: Server) -> None:
    deliver(server, message("curl command"))
    stored = curl(server, "INBOX", "--request", r"STORE 1 +FLAGS (\Flagged)")
    assert stored.startswith(b"* 1 FETCH (")
    assert rb"\Flagged" in stored
    assert curl(server, "INBOX", "--request", "SEARCH FLAGGED") == b"* SEARCH 1\r\n"
    assert b"MESSAGES 1" in curl(server, "", "--request", "STATUS INBOX (MESSAGES)")
    curl(server, "INBOX", "--request", r"STORE 1 +FLAGS.SILENT (\Deleted)")
    assert curl(server, "INBOX", "--request", "EXPUNGE").startswith(b"* 1 EXPUNGE\r\n")
