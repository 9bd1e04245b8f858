"""What must hold while somebody misbehaves: others are served, memory is bounded, nothing crashes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from tests.scenarios.load import PASSWORD
from tests.scenarios.server import Server
from tests.scenarios.wire import connected, deliver, fetch, greet, log_in

MEMORY_BYTES = 64 << 20
"""What one process may take more while it is attacked."""
CRASHES = (
    "Traceback (most recent call last)",
    '"session failed"',
    '"session failed to end"',
    '"farewell failed"',
)


class Canary:
    """An ordinary client beside the attacker: mail from outside, read by its owner."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.rounds = 0

    async def sing(self) -> None:
        """Deliver a message and fetch it back."""
        text = b"Subject: canary %d\r\n\r\nStill alive.\r\n" % self.rounds
        async with connected(self._server.ports["smtp"]) as wire:
            await greet(wire)
            assert await deliver(wire, "zoe@elsewhere.example", ["ann@example.test"], text) == [250]
        async with connected(self._server.ports["imap"]) as wire:
            await log_in(wire, "ann@example.test", PASSWORD)
            await wire.run(b"s", b"SELECT INBOX")
            async for message in fetch(wire, b"*"):
                assert message.content.endswith(text)
        self.rounds += 1

    async def keep_singing(self, stop: asyncio.Event) -> None:
        """Go on until told to stop, and get through at least once."""
        await self.sing()
        while not stop.is_set():
            await self.sing()


@asynccontextmanager
async def others_are_served(server: Server) -> AsyncIterator[None]:
    """Run a canary beside the block; it must get through, and once more afterwards."""
    canary = Canary(server)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(canary.keep_singing(stop))
        try:
            yield
        finally:
            stop.set()
    await canary.sing()


@contextmanager
def nothing_breaks(server: Server) -> Iterator[None]:
    """Check that the processes stay the same, that none grows beyond bounds, and that none logs a crash."""
    before = {pid: _memory(pid, "VmRSS") for pid in server.pids()}
    start = server.log.stat().st_size
    for pid in before:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # begin a new high-water mark
    yield
    assert server.pids() == list(before)
    for pid, resident in before.items():
        assert _memory(pid, "VmHWM") - resident < MEMORY_BYTES
    with server.log.open(encoding="utf-8", errors="replace") as log:
        log.seek(start)
        assert [line for line in log if any(crash in line for crash in CRASHES)] == []


def _memory(pid: int, name: str) -> int:
    """Return a figure of a process's memory, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def client_hello() -> bytes:
    """Return the first bytes of a TLS client."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    session = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="mail.example.test")
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake needs two")
