"""A fresh Freehold in a folder of its own on free loopback ports: configured, started, filled and stopped."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
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
from tests.scenarios.server import LISTENERS, Server, ServerFailedError

INDEX_SECONDS = 600.0
INDEX_POLL_SECONDS = 0.5
AT_ONCE = 16
"""Users that are added together: their passwords use all cores, their transactions share syncs."""
DOMAIN = "bench.test"
PASSWORD = "password-%d"
UNLIMITED = 'unlimited_networks = ["127.0.0.0/8"]'
EVERYTHING_FROM_ONE_CLIENT = """
[mail.smtp]
max_messages_per_connection = 1000000
max_commands_per_minute = 100000000
"""
"""The load generator is one peer that sends what thousands would; the bounds meant for one are lifted."""


def address_of(number: int) -> str:
    """Return the address, and login, of a benchmark's user; they count from 1."""
    return f"user{number}@{DOMAIN}"


def password_of(number: int) -> str:
    """Return the password of a benchmark's user."""
    return PASSWORD % number


@dataclass
class BenchServer(Server):
    """An installation to which one client may do what thousands would."""

    hostname: str = "mx.bench.test"
    extra: str = EVERYTHING_FROM_ONE_CLIENT
    listen_extra: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(LISTENERS, UNLIMITED))
    has_metrics: bool = False

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
        server = BenchServer(folder, database=url, workers=workers)
        try:
            server.start()
            server.add_users(users)
            yield server
        finally:
            server.end()
