"""The whole server as real processes, and a person at its command line."""

import getpass
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
STOP_SECONDS = 40.0
POLL_SECONDS = 0.005
COMMAND_SECONDS = 60.0
LISTENERS = ("smtp", "submission", "submissions", "lmtp", "imap", "imaps", "pop3", "pop3s")
FREEHOLD = (sys.executable, "-m", "freehold")

PORTS = range(10_000, 32_000)
"""Below those that the kernel gives to connections."""
WORKERS = 16


class ServerFailedError(RuntimeError):
    """The server did not do what was asked of it; the message says what, or ends with its log."""


def _candidates() -> Iterator[int]:
    """Yield this test process's share of the ports, round and round from somewhere in it."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    share = PORTS[worker * len(PORTS) // WORKERS : (worker + 1) * len(PORTS) // WORKERS]
    start = os.getpid() * 97 % len(share)
    while True:
        yield from (*share[start:], *share[:start])


_CANDIDATES = _candidates()


def free_port() -> int:
    """Return a loopback port that nobody uses now, and no other test is about to."""
    while True:
        port = next(_CANDIDATES)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class Server:
    """One installation: its folder, configuration and ports; started and killed at will.

    `extra` is TOML that follows; `listen_extra` adds lines to a listener's section; `prefix` are the words
    of a command that runs the server's.
    """

    folder: Path
    hostname: str = "mail.example.test"
    database: str = ""
    workers: int = 2
    extra: str = ""
    listen_extra: Mapping[str, str] = field(default_factory=dict)
    prefix: Sequence[str] = ()
    has_metrics: bool = True
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in LISTENERS})
    metrics_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "freehold.toml"

    @property
    def log(self) -> Path:
        """What the server has written to its standard streams."""
        return self.folder / "server.log"

    def write_config(self) -> None:
        """Write the configuration file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        metrics = f"127.0.0.1:{self.metrics_port}" if self.has_metrics else ""
        lines = [
            f'hostname = "{self.hostname}"',
            f'data = "{self.data}"',
            f'user = "{getpass.getuser()}"',
            f"workers = {self.workers}",
            "[metrics]",
            f'address = "{metrics}"',
        ]
        if self.database:
            lines += ["[database]", f'url = "{self.database}"']
        for name, port in self.ports.items():
            lines += [
                f"[listen.{name}]",
                f'addresses = ["127.0.0.1:{port}"]',
                self.listen_extra.get(name, ""),
            ]
        self.config.write_text("\n".join([*lines, self.extra, ""]))

    def start(self) -> None:
        """Start the server and wait until it takes connections on every port.

        Raises:
            ServerFailedError: it ended, or took too long.
        """
        self.write_config()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *FREEHOLD, "--config", str(self.config), "serve"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until every port answers.

        Raises:
            ServerFailedError: the server ended, or took too long.
        """
        deadline = time.monotonic() + START_SECONDS
        for port in self.ports.values():
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
                    probe.settimeout(5)
                    break
                assert self.process is not None
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise ServerFailedError(f"the server is not there:\n{self.log.read_text()[-4000:]}")
                time.sleep(POLL_SECONDS)

    def pids(self) -> list[int]:
        """Return the processes of the running server, the supervisor first."""
        if self.process is None:
            return []
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [self.process.pid, *map(int, found.stdout.split())]

    def kill(self) -> None:
        """Kill the supervisor and all workers at once with -9; nothing is flushed."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)
        self.process = None
        self._wait_until_deaf()

    def _wait_until_deaf(self) -> None:
        """Wait until nobody listens any more: workers may die a moment after their supervisor."""
        deadline = time.monotonic() + STOP_SECONDS
        for port in self.ports.values():
            with suppress(OSError):
                while time.monotonic() < deadline:
                    socket.create_connection(("127.0.0.1", port), timeout=5).close()

    def stop(self) -> int:
        """End the server with SIGTERM and return its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process = None

    def end(self) -> None:
        """Stop the server if it runs."""
        if self.process is not None:
            self.stop()

    def run(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """Run a freehold command on this installation and return what it printed.

        Raises:
            ServerFailedError: the command failed, and is checked.
        """
        done = subprocess.run(
            [*FREEHOLD, "--config", str(self.config), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if check and done.returncode:
            raise ServerFailedError(f"freehold {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def run_json(self, *arguments: str) -> Any:
        """Run a command with --json and return what it printed."""
        return json.loads(self.run(*arguments, "--json"))

    def add_people(self, *addresses: str, password: str = "kuvo-tase-rimi") -> None:
        """Add an owner, the addresses' domains, and a mailbox for each."""
        self.run("owner", "add", "admin", "--administrator")
        for domain in dict.fromkeys(address.partition("@")[2] for address in addresses):
            self.run("domain", "add", domain)
        for address in addresses:
            self.run("mailbox", "add", address, "--password-stdin", stdin=f"{password}\n")


@contextmanager
def running_server(folder: Path, **settings: Any) -> Iterator[Server]:
    """Start an installation with ann@example.test and bob@example.test; ends it afterwards."""
    server = Server(folder, **settings)
    server.start()
    try:
        server.add_people("ann@example.test", "bob@example.test")
        yield server
    finally:
        server.end()


def trusting_context() -> ssl.SSLContext:
    """Return a client's TLS context that takes the server's self-signed certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
