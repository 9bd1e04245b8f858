"""A stranger's first minutes: `freehold --data DIR serve`, as `make serve` does it, at its fixed ports."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.scenarios.clients import need, run_program, run_unchecked
from tests.scenarios.server import FREEHOLD, STOP_SECONDS

pytestmark = pytest.mark.scenario

PORTS = (2025, 2587, 2465, 2143, 2993, 2110, 2995)
OWN_NETWORK = """
import fcntl, os, socket, struct, sys
IFF_UP, SIOCSIFFLAGS = 1, 0x8914
with socket.socket() as control:
    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Brings a new network's loopback up, then becomes the program."""


def can_have_own_network() -> bool:
    """Return whether a process may be started in a network of its own, in which all ports are free."""
    return run_unchecked("unshare", "--net", "true").returncode == 0


def is_free(port: int) -> bool:
    """Return whether nothing listens at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def local_server(folder: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Serve a data folder; gives the lines printed up to the last, and what begins a client's command."""
    isolated = can_have_own_network()
    if not isolated and not all(map(is_free, PORTS)):
        pytest.skip("the ports of local mode are taken, and this user cannot have a network of its own")
    own = ["unshare", "--net", sys.executable, "-c", OWN_NETWORK] if isolated else []
    with (
        (folder / "log").open("ab") as log,
        subprocess.Popen(
            [*own, *FREEHOLD, "--data", str(folder / "var"), "serve"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            yield (
                said_at_start(process),
                (["nsenter", f"--net=/proc/{process.pid}/ns/net"] if isolated else []),
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_SECONDS) == 0
        finally:
            process.kill()


def said_at_start(process: "subprocess.Popen[str]") -> list[str]:
    """Return the lines that the server prints until it says that it serves."""
    lines: list[str] = []
    assert process.stdout is not None
    while not lines or not lines[-1].startswith("Serving "):
        line = process.stdout.readline()
        assert line, f"the server ended: {lines}"
        lines.append(line.rstrip())
    return lines


def passwords(lines: list[str]) -> dict[str, str]:
    """Return the printed passwords by mailbox."""
    found = (re.fullmatch(r" *(\S+@\S+) +password (\S+)", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def test_what_the_first_start_prints_works_and_the_second_start_keeps_everything(tmp_path: Path) -> None:
    need("curl", "unshare", "nsenter")
    with local_server(tmp_path) as (lines, prefix):
        printed = "\n".join(lines)
        assert all(f"127.0.0.1:{port}" in printed for port in PORTS)
        known = passwords(lines)
        assert list(known) == ["ann@example.test", "bob@example.test"]
        send, read = (line.strip() for line in lines if " | curl " in line or line.startswith("  curl "))
        run_program(*prefix, "sh", "-c", send)
        assert run_program(*prefix, "sh", "-c", read).endswith(b"\r\nSubject: Hello\r\n\r\nHi Ann\r\n")
        bob = ["--user", f"bob@example.test:{known['bob@example.test']}", "--insecure"]
        folders = run_program(*prefix, "curl", "--silent", *bob, "imaps://localhost:2993/")
        assert b"INBOX" in folders
    with local_server(tmp_path) as (lines, prefix):
        assert passwords(lines) == {}
        assert run_program(*prefix, "sh", "-c", read).endswith(b"\r\n\r\nHi Ann\r\n")
        trace = [*FREEHOLD, "--data", str(tmp_path / "var"), "message", "trace", "ann@example.test", "--json"]
        assert [one["state"] for one in json.loads(run_program(*trace))] == ["delivered"]
    assert known["ann@example.test"].encode() not in (tmp_path / "log").read_bytes()


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    need("unshare", "nsenter")
    with local_server(tmp_path) as (_, prefix):
        second = run_unchecked(*prefix, *FREEHOLD, "--data", str(tmp_path / "var"), "serve")
        assert second.returncode == 1
        assert second.stderr.startswith(b"error: ")
