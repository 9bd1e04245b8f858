"""Mail that leaves: to a second Freehold, to Postfix's sink, to files and programs; and what comes back."""

import email
import os
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest

from tests.scenarios.clients import (
    ANN,
    BOB,
    PASSWORD,
    below_trace,
    find_program,
    message,
    need,
    read_all,
    subjects,
    wait_until,
)
from tests.scenarios.server import FREEHOLD, Server, free_port, running_server, trusting_context
from tests.scenarios.zone import serving_zone

pytestmark = pytest.mark.scenario

CARL = "carl@elsewhere.test"


@dataclass(frozen=True)
class Pair:
    """Two installations, the second of which the first finds by DNS; the sink's port is its other way out."""

    first: Server
    second: Server


@contextmanager
def running_pair(folder: Path, zone: str = "") -> Iterator[Pair]:
    """Start both, and the name server that the first asks."""
    second = Server(folder / "second", hostname="mx.elsewhere.test", workers=0)
    names = "elsewhere.test 60 MX 10 mx.elsewhere.test\nmx.elsewhere.test 60 A 127.0.0.1\n"
    names += "example.test 60 MX 10 mail.example.test\nmail.example.test 60 A 127.0.0.1\n"
    with serving_zone(names + zone) as address:
        resolver = f'[resolver]\nnameservers = ["{address}"]\ntotal_seconds = 1\n'
        second.extra = f"{resolver}[mail.smtp]\ntrusted_networks = []\n"
        second.start()
        try:
            second.add_people(CARL)
            extra = f"{resolver}[mail.queue]\nsmtp_port = {second.ports['smtp']}\n"
            with running_server(folder / "first", extra=extra) as first:
                yield Pair(first, second)
        finally:
            second.stop()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two servers for all tests of this file."""
    with running_pair(tmp_path_factory.mktemp("pair"), "silent.test 0 SERVFAIL\n") as both:
        yield both


def submit(server: Server, content: bytes, *recipients: str, sender: str = ANN) -> None:
    """Send as a person with a mail program does."""
    with smtplib.SMTP_SSL(
        "127.0.0.1", server.ports["submissions"], context=trusting_context(), timeout=60
    ) as client:
        client.login(sender, PASSWORD)
        client.sendmail(sender, list(recipients), content)


def arrived(server: Server, login: str, subject: str) -> list[bytes]:
    """Return the messages about something that have arrived so far."""
    return [content for content in read_all(server, login) if subjects([content]) == [subject]]


def wait_for(server: Server, login: str, subject: str) -> bytes:
    """Return a message as soon as it has arrived."""
    wait_until(lambda: bool(arrived(server, login, subject)), f"{subject!r} in the INBOX of {login}")
    (content,) = arrived(server, login, subject)
    return content


def parts_by_type(bounce: Message) -> dict[str, Message]:
    """Return the parts of a multipart/report by their type."""
    return {part.get_content_type(): part for part in bounce.walk()}


def test_a_second_server_receives_over_tls_what_the_first_sends(pair: Pair) -> None:
    submit(pair.first, message("over there", recipient=CARL), CARL, BOB)
    content = wait_for(pair.second, CARL, "over there")
    assert below_trace(content) == message("over there", recipient=CARL)
    trace = content[: content.index(b"\r\nFrom:")]
    assert b"Return-Path: <ann@example.test>\r\n" in trace
    assert b"with ESMTPS" in trace
    assert b"with ESMTPSA" in trace
    assert len(arrived(pair.first, BOB, "over there")) == 1
    wait_until(lambda: pair.first.run_json("queue", "list") == [], "an empty queue")
    states = {line["state"] for line in pair.first.run_json("message", "trace", CARL)}
    assert states == {"relayed"}


def test_an_alias_forwards_to_the_second_server_and_a_mailbox_here(pair: Pair) -> None:
    pair.first.run("alias", "add", "team@example.test", CARL, BOB)
    submit(pair.first, message("to the team"), "team@example.test")
    wait_for(pair.second, CARL, "to the team")
    wait_for(pair.first, BOB, "to the team")


def test_mail_to_an_unknown_user_there_comes_back_as_a_report(pair: Pair) -> None:
    submit(pair.first, message("to nobody"), "nobody@elsewhere.test")
    wait_until(lambda: bool(reports(pair.first, b"nobody@elsewhere.test")), "a bounce in the INBOX of Ann")
    (content,) = reports(pair.first, b"nobody@elsewhere.test")
    assert content.startswith(b"Return-Path: <>\r\n")
    parts = parts_by_type(email.message_from_bytes(content))
    assert set(parts) >= {"multipart/report", "text/plain", "message/delivery-status"}
    status = parts["message/delivery-status"].as_string()
    assert "Final-Recipient: rfc822;nobody@elsewhere.test" in status.replace("; ", ";")
    assert "Action: failed" in status
    assert "Status: 5.1.1" in status
    assert "nobody@elsewhere.test" in parts["text/plain"].as_string()
    states = {line["state"] for line in pair.first.run_json("message", "trace", "nobody@elsewhere.test")}
    assert states == {"bounced"}


def reports(server: Server, about: bytes) -> list[bytes]:
    """Return the delivery reports in Ann's INBOX that name an address."""
    return [one for one in read_all(server, ANN) if b"multipart/report" in one and about in one]


def test_the_queue_is_looked_at_and_changed_while_the_server_runs(pair: Pair) -> None:
    first = pair.first
    submit(first, message("waits"), "dora@silent.test", "erik@silent.test")
    wait_until(lambda: attempts(first) == [1, 1], "the first attempts")
    first.run("queue", "hold", "dora@silent.test")
    assert [one["recipient"] for one in first.run_json("queue", "list", "--held")] == ["dora@silent.test"]
    first.run("queue", "retry", "silent.test")
    wait_until(lambda: 2 in attempts(first), "a second attempt")
    held = first.run_json("queue", "list", "--held")
    assert [(one["recipient"], one["attempts"]) for one in held] == [("dora@silent.test", 1)]
    first.run("queue", "release")
    wait_until(lambda: attempts(first) == [2, 2], "the released recipient's attempt")
    first.run("queue", "show", held[0]["id"])
    assert "--yes" in failing(first, "queue", "remove", "erik@silent.test")
    first.run("queue", "remove", "erik@silent.test", "--yes")
    assert [one["recipient"] for one in first.run_json("queue", "list")] == ["dora@silent.test"]
    first.run("queue", "remove", held[0]["id"], "--yes")
    assert first.run_json("queue", "list") == []
    assert reports(first, b"silent.test") == []


def attempts(server: Server) -> list[int]:
    """Return how often each recipient in the queue was tried, in the order of their addresses."""
    entries = server.run_json("queue", "list", "silent.test")
    return [one["attempts"] for one in sorted(entries, key=lambda one: str(one["recipient"]))]


def failing(server: Server, *arguments: str) -> str:
    """Run a command that must fail, and return what it says on stderr."""
    command = [*FREEHOLD, "--config", str(server.config), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, input="")
    assert done.returncode == 1
    return done.stderr


def test_aliases_lead_to_files_programs_and_nowhere(pair: Pair, tmp_path: Path) -> None:
    first = pair.first
    out = tmp_path / "out"
    script = tmp_path / "keep"
    script.write_text(f'#!/bin/sh\n{{ echo "$1 $SENDER"; cat; }} > {out}.part && mv {out}.part {out}\n')
    script.chmod(0o755)
    targets = [f"maildir:{tmp_path}/maildir/", f"mbox:{tmp_path}/mbox", f"program:{script} word", "discard:"]
    first.run("alias", "add", "many@example.test", *targets)
    sent = message("to many places", "From here on\r\n>From there")
    submit(first, sent, "many@example.test")
    wait_until(out.exists, "the program's output")
    assert out.read_bytes().startswith(b"word")
    assert sent.replace(b"\r\n", b"\n") in out.read_bytes().replace(b"\r\n", b"\n")
    wait_until((tmp_path / "mbox").exists, "the mbox")
    wait_until(lambda: first.run_json("queue", "list", "many@example.test") == [], "an empty queue")
    assert (tmp_path / "mbox").read_bytes().startswith(b"From ann@example.test ")
    assert b"\n>From here on\n>>From there\n" in (tmp_path / "mbox").read_bytes()
    (delivered,) = (tmp_path / "maildir" / "new").iterdir()
    assert below_trace(delivered.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")) == sent


@contextmanager
def smtp_sink(port: int, folder: Path) -> Iterator[None]:
    """Run Postfix's smtp-sink, which keeps each message in a file of the folder."""
    folder.mkdir(parents=True)
    program = find_program("smtp-sink")
    assert program is not None
    as_user = ["-u", "root"] if os.geteuid() == 0 else []
    command = [program, "-c", *as_user, "-d", f"{folder}/%M.", f"127.0.0.1:{port}", "100"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sink:
        try:
            yield
        finally:
            sink.terminate()


def test_postfix_receives_many_messages_over_few_connections(tmp_path: Path) -> None:
    need("smtp-sink")
    port = free_port()
    zone = "elsewhere.test 60 MX 10 mx.elsewhere.test\nmx.elsewhere.test 60 A 127.0.0.1\n"
    with serving_zone(zone) as address, smtp_sink(port, tmp_path / "sink"):
        extra = f'[resolver]\nnameservers = ["{address}"]\n[mail.queue]\nsmtp_port = {port}\n'
        with running_server(tmp_path / "server", extra=extra) as server:
            with smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=60) as client:
                client.login(ANN, PASSWORD)
                for number in range(20):
                    client.sendmail(ANN, [f"user{number}@elsewhere.test"], message(f"sink {number}"))
            wait_until(lambda: len(list((tmp_path / "sink").iterdir())) == 20, "twenty messages")
            wait_until(lambda: server.run_json("queue", "list") == [], "an empty queue")
        taken = [one.read_bytes() for one in (tmp_path / "sink").iterdir()]
    assert sorted(subjects(taken)) == sorted(f"sink {number}" for number in range(20))
    assert all(b"X-Mail-Args: <ann@example.test>" in one for one in taken)
