"""A peer and a host within the process, for sessions that are talked to at random."""

import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from freehold.kernel.stream import TlsFacts
from freehold.storage.open import open_database
from tests.mail_host import SCHEMAS, MailHost, mail_host

COMMANDS_AT_ONCE = 2000


class Peer:
    """A peer on this host, in plain text, that takes everything at once."""

    def __init__(self) -> None:
        self.address: IPv4Address | IPv6Address = ip_address("127.0.0.1")
        self.port = 1
        self.tls: TlsFacts | None = None
        self.has_unread = False
        self.is_woken = False
        self._sent = bytearray()

    def send(self, data: bytes) -> None:
        self._sent += data

    def taken(self) -> bytes:
        """Return what was sent since the last time."""
        sent = bytes(self._sent)
        self._sent.clear()
        return sent

    async def flush(self) -> None:
        """Everything is taken at once."""

    def wake(self) -> None:
        self.is_woken = True

    def start_compression(self, unused: bytes) -> None:
        """Nobody asks."""


@asynccontextmanager
async def fresh_host() -> AsyncIterator[MailHost]:
    """Make a host with ann and bob, on SQLite, in a folder that goes with it."""
    with tempfile.TemporaryDirectory() as folder:
        database = await open_database(f"{folder}/freehold.db", schemas=SCHEMAS)
        async with mail_host(database, Path(folder)) as host:
            await host.add_people("ann@example.test", "bob@example.test")
            yield host
        await database.close()


class _Raising(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage()) from (record.exc_info[1] if record.exc_info else None)


@contextmanager
def no_errors() -> Iterator[None]:
    """Fail at the first error that is logged."""
    handler = _Raising(logging.ERROR)
    logging.getLogger("freehold").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("freehold").removeHandler(handler)


async def converse_for_long(converse: Callable[[MailHost, int, int], Awaitable[None]]) -> None:
    """Converse with one seed after the other: arguments are for how many seconds, and the first seed."""
    ends, seed = time.monotonic() + float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    while time.monotonic() < ends:
        sys.stderr.write(f"seed {seed}\n")
        async with fresh_host() as host:
            with no_errors():
                await converse(host, seed, COMMANDS_AT_ONCE)
        seed += 1
