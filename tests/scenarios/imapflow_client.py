"""imapflow, the client of Node programs, in its own process: calls go in, results and events come out."""

import json
import queue
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.clients import BOB, PASSWORD, WAIT_SECONDS, need
from tests.scenarios.server import Server

FOLDER = Path(__file__).parent / "imapflow"


class ImapFlow:
    """One imapflow client in a process of its own: calls go in, results and events come out."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._calls = 0
        self._outcomes: dict[int, tuple[Any, Any]] = {}
        self._events: defaultdict[str, list[Any]] = defaultdict(list)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(json.loads(line))
        self._said.put("imapflow has ended")

    def send(self, request: Any) -> None:
        """Send one line of JSON."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def begin(self, method: str, *arguments: Any) -> int:
        """Call a method of the client without waiting for what comes of it."""
        self._calls += 1
        self.send([self._calls, method, *arguments])
        return self._calls

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the client and return its result."""
        result, error = self._outcome(self.begin(method, *arguments))
        assert error is None, error
        return result

    def refused(self, method: str, *arguments: Any) -> str:
        """Call a method that the server refuses and return its response code."""
        _, error = self._outcome(self.begin(method, *arguments))
        assert error is not None
        return str(error["code"])

    def event(self, name: str) -> Any:
        """Return what the next event of a kind tells; events that came earlier count."""
        while not self._events[name]:
            self._take()
        return self._events[name].pop(0)

    def _outcome(self, call: int) -> tuple[Any, Any]:
        while call not in self._outcomes:
            self._take()
        return self._outcomes.pop(call)

    def _take(self) -> None:
        said = self._said.get(timeout=WAIT_SECONDS)
        match said:
            case {"call": call, "result": result, "error": error}:
                self._outcomes[call] = (result, error)
            case {"event": name, "value": value}:
                self._events[name].append(value)
            case _:
                raise AssertionError(said)


@contextmanager
def imapflow(server: Server, *, secure: bool = True, **options: Any) -> Iterator[ImapFlow]:
    """Log in as Bob, over TLS from the start or by STARTTLS."""
    need("node")
    if not (FOLDER / "node_modules").is_dir():
        pytest.skip(f"imapflow is not installed: npm ci --prefix {FOLDER}")
    port = server.ports["imaps" if secure else "imap"]
    settings = {"host": "127.0.0.1", "port": port, "secure": secure, "tls": {"rejectUnauthorized": False}}
    settings |= {"auth": {"user": BOB, "pass": PASSWORD}, "doSTARTTLS": None if secure else True}
    with subprocess.Popen(
        ["node", str(FOLDER / "bridge.cjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            client = ImapFlow(process)
            client.send({**settings, **options})
            client.call("connect")
            yield client
            client.call("logout")
        finally:
            process.kill()
