"""Programs that read by POP3: poplib, curl and mutt, over plain text, STLS and TLS."""

import poplib
from pathlib import Path

import pytest

from tests.scenarios.clients import (
    BOB,
    DOTS,
    PASSWORD,
    certificate_of,
    deliver,
    message,
    need,
    open_imap,
    read_all,
    run_on_terminal,
    run_program,
    subjects,
    write_private,
)
from tests.scenarios.server import Server, trusting_context

pytestmark = pytest.mark.scenario


def open_pop3(server: Server, transport: str) -> poplib.POP3:
    """Connect with the standard library's client."""
    if transport == "tls":
        return poplib.POP3_SSL("127.0.0.1", server.ports["pop3s"], timeout=60, context=trusting_context())
    client = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=60)
    if transport == "stls":
        client.stls(trusting_context())
    return client


@pytest.mark.parametrize("transport", ["plain", "stls", "tls"])
def test_poplib_reads_and_removes(server: Server, transport: str) -> None:
    sent = [message("pop one", DOTS), message("pop two")]
    deliver(server, *sent)
    client = open_pop3(server, transport)
    assert "PIPELINING" in client.capa()
    assert ("STLS" in client.capa()) == (transport == "plain")
    client.user(BOB)
    client.pass_(PASSWORD)
    stored = read_all(server)
    assert client.stat() == (2, sum(map(len, stored)))
    _, lines, octets = client.retr(1)
    assert b"\r\n".join([*lines, b""]) == stored[0]
    assert octets == len(stored[0])
    assert b"Subject: pop two" in client.top(2, 0)[1]
    assert len(client.uidl()[1]) == 2
    client.dele(1)
    assert client.quit() == b"+OK Goodbye"
    assert subjects(read_all(server)) == ["pop two"]


@pytest.mark.parametrize("transport", ["plain", "stls", "tls"])
@pytest.mark.parametrize("login", ["AUTH=PLAIN", "AUTH=LOGIN", "AUTH=*"])
def test_curl_logs_in_lists_and_fetches(server: Server, transport: str, login: str) -> None:
    need("curl")
    deliver(server, message("curl one"), message("curl two", DOTS))
    scheme = "pop3s" if transport == "tls" else "pop3"

    def curl(path: str, *arguments: str) -> bytes:
        return run_program(
            *("curl", "--silent", "--show-error", "--cacert", str(certificate_of(server))),
            *("--connect-to", f"::127.0.0.1:{server.ports[scheme]}", "--login-options", login),
            *(["--ssl-reqd"] if transport == "stls" else []),
            *("--user", f"{BOB}:{PASSWORD}", f"{scheme}://{server.hostname}/{path}", *arguments),
        )

    first, second = read_all(server)
    assert curl("").split() == [b"1", b"%d" % len(first), b"2", b"%d" % len(second)]
    assert curl("2") == second
    curl("1", "--request", "DELE", "--head")
    assert read_all(server) == [second]


def test_mutt_proves_the_password_shows_and_deletes(server: Server, tmp_path: Path) -> None:
    need("mutt")
    deliver(server, message("mutt one"), message("mutt two"))
    settings = write_private(
        tmp_path / "muttrc",
        f'set spoolfile = "pops://{BOB}@127.0.0.1:{server.ports["pop3s"]}/" pop_pass = "{PASSWORD}"',
        f'set certificate_file = "{certificate_of(server)}" ssl_verify_host = no tmpdir = "/tmp"',
        "set delete = yes wait_key = no sleep_time = 0 mark_old = no move = no quit = yes pop_delete = yes",
        f'set folder = "{tmp_path}" pop_authenticators = "scram-sha-256"',
        'push "<first-entry><display-message><exit><next-entry><delete-message><sync-mailbox><quit>"',
    )
    shown = run_on_terminal("mutt", "-n", "-F", str(settings), home=tmp_path)
    assert b"Authenticating (SCRAM-SHA-256)" in shown
    assert subjects(read_all(server)) == ["mutt one"]
    with open_imap(server) as client:
        client.select(readonly=True)
        assert client.search(None, "SEEN") == ("OK", [b"1"])
