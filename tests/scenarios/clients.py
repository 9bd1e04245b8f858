"""Programs that people use with a mail server: how to start them, and the files that configure them."""

import email
import imaplib
import os
import select
import shutil
import smtplib
import ssl
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.scenarios.server import Server, trusting_context

PASSWORD = "kuvo-tase-rimi"
ANN = "ann@example.test"
BOB = "bob@example.test"
RUN_SECONDS = 60.0
WAIT_SECONDS = 20.0
DOTS = ".\r\n..\r\n.hidden\r\n\r\nend"
"""A body whose lines SMTP and POP3 must stuff."""


def need(*programs: str) -> None:
    """Skip the test if one of the programs is not installed (in CI a skip is a failure)."""
    for program in programs:
        if find_program(program) is None:
            pytest.skip(f"{program} is not installed")


def find_program(name: str) -> str | None:
    """Return where a program is, also one of those for administrators."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")


def run_program(
    *command: str, stdin: bytes = b"", home: Path | None = None, accepted: Sequence[int] = (0,)
) -> bytes:
    """Run a program to its end and return its standard output; one that fails shows all that it said."""
    done = run_unchecked(*command, stdin=stdin, home=home)
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode in accepted, f"{command[0]} ended with {done.returncode}:\n{said}"
    return done.stdout


def run_unchecked(
    *command: str, stdin: bytes = b"", home: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end, whatever that is; `home` is its home folder."""
    place = find_program(command[0]) or command[0]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TERM": "xterm"}
    environment["HOME"] = str(home or "/nonexistent")
    return subprocess.run(
        [place, *command[1:]],
        input=stdin,
        capture_output=True,
        env=environment,
        timeout=RUN_SECONDS,
        check=False,
    )


def run_on_terminal(*command: str, home: Path) -> bytes:
    """Run a program that wants a terminal to its end and return all that it showed."""
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TERM": "xterm", "HOME": str(home)}
    shown = b""
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as program:
        os.close(theirs)
        deadline = time.monotonic() + WAIT_SECONDS
        try:
            while select.select([ours], [], [], max(0, deadline - time.monotonic()))[0]:
                shown += os.read(ours, 65536)
        except OSError:  # the terminal has nobody on its other side any longer: the program has ended
            pass
        else:
            program.kill()
        finally:
            os.close(ours)
    assert program.returncode == 0, shown.decode("utf-8", "replace")
    return shown


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is true that another process brings about."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def message(subject: str, body: str = "Hello.", *, sender: str = ANN, recipient: str = BOB) -> bytes:
    """Return a message that needs nothing added: it has a date and an id."""
    lines = [
        f"From: {sender}",
        f"To: {recipient}",
        f"Subject: {subject}",
        "Date: Fri, 20 Nov 2026 12:00:00 +0000",
        f"Message-ID: <{subject.replace(' ', '.')}@client.example.test>",
        "",
        body,
        "",
    ]
    return "\r\n".join(lines).encode()


def deliver(server: Server, *messages: bytes, recipient: str = BOB, sender: str = ANN) -> None:
    """Hand messages to the server as another host would, over one connection."""
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=RUN_SECONDS) as client:
        for content in messages:
            client.sendmail(sender, [recipient], content)


def open_imap(server: Server, login: str = BOB, password: str = PASSWORD) -> imaplib.IMAP4_SSL:
    """Log in over TLS with the standard library's client."""
    client = imaplib.IMAP4_SSL(
        "127.0.0.1", server.ports["imaps"], ssl_context=trusting_context(), timeout=RUN_SECONDS
    )
    try:
        client.login(login, password)
    except imaplib.IMAP4.error:
        client.shutdown()
        raise
    return client


def empty(server: Server, login: str = BOB, folder: str = "INBOX") -> None:
    """Remove all messages of a folder; they go to Trash, unless they are there or the mailbox keeps none."""
    with open_imap(server, login) as client:
        client.select(folder)
        client.store("1:*", "+FLAGS", r"\Deleted")
        client.expunge()


def read_all(server: Server, login: str = BOB, folder: str = "INBOX") -> list[bytes]:
    """Return all messages of a folder, byte for byte, by number."""
    with open_imap(server, login) as client:
        status, _ = client.select(f'"{folder}"', readonly=True)
        assert status == "OK"
        _, parts = client.fetch("1:*", "(BODY.PEEK[])")
        return [part[1] for part in parts if isinstance(part, tuple)]


def subjects(messages: Sequence[bytes]) -> list[str]:
    """Return the Subject of each message."""
    return [str(email.message_from_bytes(content)["Subject"]) for content in messages]


def only_with_subject(server: Server, subject: str, login: str = BOB) -> bytes:
    """Return the one message in INBOX with this subject."""
    found = [content for content in read_all(server, login) if subjects([content]) == [subject]]
    assert len(found) == 1, f"{len(found)} messages about {subject!r}"
    return found[0]


def below_trace(content: bytes) -> bytes:
    """Return a delivered message without the trace lines that the server put on top."""
    lines = content.splitlines(keepends=True)
    start = 0
    while lines[start].startswith((b"Return-Path:", b"Received:", b"Delivered-To:", b" ", b"\t")):
        start += 1
    return b"".join(lines[start:])


def certificate_of(server: Server) -> Path:
    """Return the server's self-signed certificate, for programs that want to check it."""
    place = server.folder / "server.pem"
    if not place.exists():
        place.write_text(
            ssl.get_server_certificate(("127.0.0.1", server.ports["imaps"]), timeout=RUN_SECONDS)
        )
    return place


def fetchmail(
    server: Server, home: Path, listener: str, *options: str, accepted: Sequence[int] = (0,)
) -> None:
    """Have fetchmail fetch Bob's mail once; over TLS, begun by STARTTLS where the listener is plain."""
    protocol = listener.removesuffix("s")
    uidl = " uidl" if protocol == "pop3" else ""
    tls = "ssl" if listener.endswith("s") else 'sslproto "tls1.2+"'
    settings = write_private(
        home / "fetchmailrc",
        f'set idfile "{home / "ids"}"',
        f"poll 127.0.0.1 protocol {protocol} service {server.ports[listener]} timeout 30{uidl}",
        f'user "{BOB}" password "{PASSWORD}" {tls} sslcertck sslcertfile "{certificate_of(server)}"',
        f'sslcommonname "{server.hostname}"',
        *options,
    )
    command = ("fetchmail", "-f", str(settings), "--nosyslog", "--nodetach")
    run_program(*command, home=home, accepted=accepted)


def getmail(server: Server, home: Path, listener: str, *, delete: bool) -> None:
    """Have getmail fetch Bob's mail once ("imaps", "pop3s") and hand it to the server by LMTP, for Ann.

    All other ways out of getmail fork, and wait three minutes in vain for a child that ends too soon.
    """
    write_private(
        home / "getmailrc",
        "[retriever]",
        f"type = Simple{listener.removesuffix('s').upper()}SSLRetriever",
        "server = 127.0.0.1",
        f"port = {server.ports[listener]}",
        f"username = {BOB}",
        f"password = {PASSWORD}",
        "[destination]",
        "type = MDA_lmtp",
        "host = 127.0.0.1",
        f"port = {server.ports['lmtp']}",
        f"override = {ANN}",
        "[options]",
        f"delete = {str(delete).lower()}",
        "read_all = false",
        "delivered_to = false",
        "received = false",
        "verbose = 1",
    )
    run_program("getmail", "--getmaildir", str(home), "--rcfile", "getmailrc", home=home)


def write_private(path: Path, *lines: str) -> Path:
    """Write a configuration file that only its owner may read, as programs demand of files with passwords."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("\n".join([*lines, ""]))
    return path
