"""A fresh Freehold in a folder of its own on free loopback ports: configured, started, filled and stopped."""

import asyncio
import getpass
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.database import fresh_database
from benchmarks.processes import Memory, cpu_seconds, memory_of
from freehold.accounts.domains import add_domain
from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.accounts.owners import add_owner
from freehold.accounts.passwords import Passwords
from freehold.app import all_modules, load_configuration
from freehold.kernel.bus_client import OneShotBus
from freehold.kernel.module import Runtime
from freehold.kernel.runtime import open_runtime
from freehold.modules.mail.addresses.mailboxes import NewMailbox, add_mailbox, list_mailboxes
from freehold.modules.mail.search.manage import index_status

START_SECONDS = 60.0
STOP_SECONDS = 40.0
POLL_SECONDS = 0.005
INDEX_SECONDS = 600.0
INDEX_POLL_SECONDS = 0.5
AT_ONCE = 16
"""Users that are added together: their passwords use all cores, their transactions share syncs."""
HOSTNAME = "mx.bench.test"
DOMAIN = "bench.test"
PASSWORD = "password-%d"
LISTENERS = ("smtp", "submission", "submissions", "lmtp", "imap", "imaps", "pop3", "pop3s")
EVERYTHING_FROM_ONE_CLIENT = """
[mail.smtp]
max_messages_per_connection = 1000000
max_commands_per_minute = 100000000
"""
"""The load generator is one peer that sends what thousands would; the bounds meant for one are lifted."""


class ServerFailedError(RuntimeError):
    """The server did not do what a benchmark needs; the message ends with its log."""


def address_of(number: int) -> str:
    """Return the address, and login, of a benchmark's user; they count from 1."""
    return f"user{number}@{DOMAIN}"


def password_of(number: int) -> str:
    """Return the password of a benchmark's user."""
    return PASSWORD % number


def free_port() -> int:
    """Return a loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class BenchServer:
    """One installation; `prefix` are the words of a command that runs the server's."""

    folder: Path
    workers: int = 2
    database: str = ""
    prefix: Sequence[str] = ()
    ports: dict[str, int] = field(default_factory=lambda: {name: free_port() for name in LISTENERS})
    process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.folder / "freehold.toml"

    @property
    def log(self) -> Path:
        """What the server wrote to its standard streams."""
        return self.folder / "server.log"

    def start(self) -> None:
        """Start the server and wait until all its ports take connections.

        Raises:
            ServerFailedError: it ended, or took too long.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(self._configuration())
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", "freehold", "--config", str(self.config), "serve"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        for port in self.ports.values():
            self._wait_for(port, deadline)

    def stop(self) -> None:
        """End the server; what does not end in time is killed."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def command(self, *words: str, stdin: str = "") -> None:
        """Run a freehold command on this installation.

        Raises:
            ServerFailedError: the command failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "freehold", "--config", str(self.config), *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )
        if done.returncode:
            raise ServerFailedError(f"freehold {' '.join(words)}: {done.stderr}")

    def add_users(self, count: int) -> None:
        """Add the domain and users 1 to `count`, each with its own password."""
        asyncio.run(self._add_users(count))

    def stored_messages(self) -> int:
        """Return how many messages the mailboxes of all users hold."""
        return asyncio.run(self._stored_messages())

    def wait_until_indexed(self) -> None:
        """Wait until the search index knows all messages.

        Raises:
            ServerFailedError: it took too long.
        """
        deadline = time.monotonic() + INDEX_SECONDS
        while asyncio.run(self._unindexed_messages()):
            if time.monotonic() > deadline:
                raise ServerFailedError("the search index does not catch up")
            time.sleep(INDEX_POLL_SECONDS)

    def cpu_seconds(self) -> float:
        """Return the CPU seconds that the server's processes have used."""
        assert self.process is not None
        return cpu_seconds(self.process.pid)

    def memory(self) -> Memory:
        """Return the memory of the server's processes."""
        assert self.process is not None
        return memory_of(self.process.pid)

    def _configuration(self) -> str:
        lines = [
            f'hostname = "{HOSTNAME}"',
            f'data = "{self.folder / "data"}"',
            f'user = "{getpass.getuser()}"',
            f"workers = {self.workers}",
            "[metrics]",
            'address = ""',
            *(["[database]", f'url = "{self.database}"'] if self.database else []),
        ]
        for name, port in self.ports.items():
            lines += [
                f"[listen.{name}]",
                f'addresses = ["127.0.0.1:{port}"]',
                'unlimited_networks = ["127.0.0.0/8"]',
            ]
        return "\n".join(lines) + EVERYTHING_FROM_ONE_CLIENT

    def _wait_for(self, port: int, deadline: float) -> None:
        assert self.process is not None
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS):
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ServerFailedError(f"the server is not there:\n{self.log.read_text()[-4000:]}")
            time.sleep(POLL_SECONDS)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Runtime]:
        configuration = load_configuration(self.config, None)
        bus = OneShotBus(configuration.settings.data)
        async with open_runtime(configuration, all_modules(), bus) as runtime:
            yield runtime

    async def _stored_messages(self) -> int:
        async with self._open() as runtime:
            mailboxes = await runtime.database.read(list_mailboxes, HOST_ADMINISTRATOR)
            return sum(mailbox.message_count for mailbox in mailboxes)

    async def _unindexed_messages(self) -> int:
        async with self._open() as runtime:
            mailboxes = await runtime.database.read(list_mailboxes, HOST_ADMINISTRATOR)
            states = await runtime.database.read(index_status, [mailbox.id for mailbox in mailboxes])
            return sum(state.behind for state in states)

    async def _add_users(self, count: int) -> None:
        async with self._open() as runtime:
            passwords, now_ms = Passwords(), runtime.clock.now_ms()
            write = runtime.database.write
            await write(add_owner, HOST_ADMINISTRATOR, "bench", is_administrator=True, now_ms=now_ms)
            await write(add_domain, HOST_ADMINISTRATOR, DOMAIN, now_ms=now_ms)

            async def add(number: int) -> None:
                credentials = await passwords.make(password_of(number))
                new = NewMailbox(address_of(number), credentials)
                await write(add_mailbox, HOST_ADMINISTRATOR, new, now_ms=now_ms)

            try:
                for first in range(1, count + 1, AT_ONCE):
                    await asyncio.gather(*map(add, range(first, min(first + AT_ONCE, count + 1))))
            finally:
                passwords.close()


@contextmanager
def running_server(
    folder: Path, *, workers: int = 2, database: str = "", users: int = 100
) -> Iterator[BenchServer]:
    """Run a fresh server with users, and stop it afterwards; `database` names a PostgreSQL server."""
    with fresh_database(database) as url:
        server = BenchServer(folder, workers, url)
        try:
            server.start()
            server.add_users(users)
            yield server
        finally:
            server.stop()
