"""Programs that carry mail away: fetchmail and getmail, by IMAP and by POP3, and curl by IMAP."""

from pathlib import Path

import pytest

from tests.scenarios.clients import (
    ANN,
    BOB,
    DOTS,
    PASSWORD,
    below_trace,
    certificate_of,
    deliver,
    fetchmail,
    getmail,
    message,
    need,
    only_with_subject,
    read_all,
    run_program,
    subjects,
)
from tests.scenarios.server import Server

pytestmark = pytest.mark.scenario

FETCHMAIL_NO_MAIL = 1
GETMAIL_FIELD = b"X-getmail-retrieved-from-mailbox: INBOX\r\n"
"""What getmail adds to what it has read by IMAP."""


@pytest.mark.parametrize("listener", ["imap", "imaps", "pop3", "pop3s"])
def test_fetchmail_keeps_mail_and_fetches_only_what_is_new(
    server: Server, tmp_path: Path, listener: str
) -> None:
    need("fetchmail")
    out = tmp_path / "out"
    options = ("keep", f"mda \"/bin/sh -c 'cat >> {out}'\"")
    deliver(server, message("fetchmail one"), message("fetchmail two"))
    fetchmail(server, tmp_path, listener, *options)
    assert out.read_bytes().count(b"Subject: fetchmail") == 2
    fetchmail(server, tmp_path, listener, *options, accepted=[FETCHMAIL_NO_MAIL])
    deliver(server, message("fetchmail three"))
    fetchmail(server, tmp_path, listener, *options)
    assert out.read_bytes().count(b"Subject: fetchmail") == 3
    assert len(read_all(server)) == 3


@pytest.mark.parametrize("listener", ["imaps", "pop3s"])
def test_fetchmail_moves_mail_to_another_mailbox_over_smtp(
    server: Server, tmp_path: Path, listener: str
) -> None:
    need("fetchmail")
    options = ("nokeep", "fetchall", f'smtphost "127.0.0.1/{server.ports["smtp"]}"', f'smtpname "{ANN}"')
    deliver(server, message("moved on", DOTS), message("moved on too"))
    fetchmail(server, tmp_path, listener, *options)
    assert read_all(server) == []
    assert below_trace(only_with_subject(server, "moved on", ANN)) == message("moved on", DOTS)
    assert sorted(subjects(read_all(server, ANN))) == ["moved on", "moved on too"]


@pytest.mark.parametrize("delete", [False, True])
@pytest.mark.parametrize("listener", ["imaps", "pop3s"])
def test_getmail_fetches_each_message_once(
    server: Server, tmp_path: Path, listener: str, delete: bool
) -> None:
    need("getmail")
    blanks = "Two\r\n\r\n  lines \t\r\n"
    sent = [message("getmail one"), message("getmail two", DOTS), message("getmail three", blanks)]
    deliver(server, *sent)
    for _ in range(2):
        getmail(server, tmp_path, listener, delete=delete)
    arrived = [one.replace(GETMAIL_FIELD, b"") for one in read_all(server, ANN)]
    assert [below_trace(one) for one in arrived] == sent
    assert len(read_all(server)) == (0 if delete else 3)


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
