"""The back process is killed while it indexes: answers stay right, and nothing is indexed twice."""

import imaplib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.server import Server, running_server

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(240)]

ANN = "ann@example.test"
MESSAGES = 600
KILLS = 5
WAIT_SECONDS = 150.0


def back_pid(server: Server) -> int | None:
    """Return the process id of the back process, if it lives."""
    for pid in server.pids()[1:]:
        shown = subprocess.run(
            ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        if "freehold: back" in shown.stdout:
            return pid
    return None


def status(server: Server) -> dict[str, Any]:
    (shown,) = server.run_json("search", "status", "--mailbox", ANN)
    found: dict[str, Any] = shown
    return found


def found(client: imaplib.IMAP4, *key: str) -> list[int]:
    kind, (numbers,) = client.search(None, *key)
    assert kind == "OK"
    return [int(number) for number in numbers.split()]


def check_answers(client: imaplib.IMAP4) -> None:
    assert found(client, "TEXT", "absentword") == []
    assert found(client, "BODY", '"common word"') == list(range(1, MESSAGES + 1))
    assert found(client, "BODY", "w17x") == [17]
    assert found(client, "SUBJECT", "n599n") == [599]


def test_a_killed_indexer_goes_on_where_it_was(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=1) as server:
        client = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
        client.login(ANN, "kuvo-tase-rimi")
        client.select("INBOX")
        filler = b"filler of some length " * 100
        for number in range(1, MESSAGES + 1):
            text = b"Subject: n%dn\r\n\r\ncommon word w%dx\r\n%b\r\n" % (number, number, filler)
            client.append("INBOX", "", "", text)
            if number % (MESSAGES // KILLS) == 0 and (pid := back_pid(server)) is not None:
                os.kill(pid, signal.SIGKILL)
        client.noop()
        check_answers(client)
        deadline = time.monotonic() + WAIT_SECONDS
        kills = 0
        while (now := status(server))["behind"]:
            assert time.monotonic() < deadline, now
            if now["contents"] and kills < KILLS and (pid := back_pid(server)) is not None:
                os.kill(pid, signal.SIGKILL)
                kills += 1
        check_answers(client)
        assert (now["messages"], now["contents"]) == (MESSAGES, MESSAGES)
        client.logout()
