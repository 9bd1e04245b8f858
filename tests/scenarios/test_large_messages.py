"""Messages of 100 MB in real processes: many read and append them at once, and nobody holds one in memory."""

import asyncio
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from hashlib import sha256
from pathlib import Path

import pytest

from tests.scenarios.load import PASSWORD
from tests.scenarios.server import Server, running_server
from tests.scenarios.wire import Wire, connected, log_in

pytestmark = [pytest.mark.scenario, pytest.mark.slow]

MIB = 1 << 20
ROOM = f"[mail.imap]\nmax_message_bytes = {200 * MIB}\n"
ANN = "ann@example.test"
BLOCK = bytes(index * 7 % 256 for index in range(57 * 1000))
BLOCKS = 1300
"""So many blocks, in base64 lines of 76 letters, are 100 MB."""
ENCODED = b"".join(b64encode(BLOCK[at : at + 57]) + b"\r\n" for at in range(0, len(BLOCK), 57))
HEAD = (
    b"From: a@x.test\r\nSubject: large\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nsee below\r\n"
    b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
)
TAIL = b"--b--\r\n"
SIZE = len(HEAD) + len(ENCODED) * BLOCKS + len(TAIL)
PART_BYTES = len(ENCODED) * BLOCKS - 2
MARGIN_KIB = 48 * 1024
"""What eight connections may add together: half of one message, and most of it is buffers."""


async def append(wire: Wire) -> None:
    await wire.send(b"a APPEND INBOX {%d+}\r\n" % SIZE + HEAD)
    for _ in range(BLOCKS):
        await wire.send(ENCODED)
    await wire.send(TAIL + b"\r\n")
    await wire.until_tagged(b"a")


async def fetch(wire: Wire, item: bytes, *, pause: float = 0.0) -> tuple[int, str]:
    """Return the size and hash of the literal that an item of message 1 is."""
    await wire.send(b"a FETCH 1 " + item + b"\r\n")
    found = re.search(rb"\{(\d+)\}\r\n$", await wire.line())
    assert found is not None
    size = left = int(found[1])
    digest = sha256()
    while left:
        piece = await wire.octets(min(left, 256 * 1024))
        left -= len(piece)
        digest.update(piece)
        await asyncio.sleep(pause)
    await wire.until_tagged(b"a")
    return size, digest.hexdigest()


def hashed(pieces: list[bytes]) -> str:
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


WHOLE = (SIZE, hashed([HEAD, *[ENCODED] * BLOCKS, TAIL]))
PART = (PART_BYTES, hashed([*[ENCODED] * (BLOCKS - 1), ENCODED[:-2]]))
DECODED = (len(BLOCK) * BLOCKS, hashed([BLOCK] * BLOCKS))
MIDDLE = (len(ENCODED) * 900, hashed([ENCODED] * 900))


def memory_kib(pid: int) -> dict[str, int]:
    """Return a process's largest resident size and its proportional share now, in KiB."""
    text = Path(f"/proc/{pid}/status").read_text() + Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {name: int(value) for name, value in re.findall(r"^(VmHWM|Pss):\s+(\d+) kB", text, re.MULTILINE)}


class Watch:
    """How much the processes of a server have grown since it began, in KiB."""

    def __init__(self, server: Server) -> None:
        self._pids = server.pids()[1:]
        for pid in self._pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # VmHWM counts from now on
        self._before = [memory_kib(pid) for pid in self._pids]
        self._shares: list[int] = []

    async def run(self) -> None:
        """Sample the shares until cancelled."""
        while True:
            self._shares.append(sum(memory_kib(pid)["Pss"] for pid in self._pids))
            await asyncio.sleep(0.2)

    def growth(self) -> tuple[int, int]:
        """Return the growth of the peaks and of the shares."""
        peaks = [memory_kib(pid)["VmHWM"] for pid in self._pids]
        return (
            sum(peaks) - sum(each["VmHWM"] for each in self._before),
            max(self._shares) - sum(each["Pss"] for each in self._before),
        )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    with running_server(tmp_path, workers=1, extra=ROOM) as running:
        yield running


async def open_inbox(stack: AsyncExitStack, server: Server) -> Wire:
    wire = await stack.enter_async_context(connected(server.ports["imap"]))
    await log_in(wire, ANN, PASSWORD)
    await wire.run(b"a", b"SELECT INBOX")
    return wire


async def test_readers_and_writers_of_100_mb_cost_little_memory(server: Server) -> None:
    async with AsyncExitStack() as stack:
        wires = [await open_inbox(stack, server) for _ in range(8)]
        await append(wires[0])
        for wire in wires:
            await wire.run(b"a", b"NOOP")
        header = HEAD[: HEAD.index(b"--b")]
        assert await fetch(wires[0], b"BODY.PEEK[HEADER]") == (len(header), hashed([header]))
        watch = Watch(server)
        sampling = asyncio.create_task(watch.run())
        results = await asyncio.gather(
            fetch(wires[0], b"BODY.PEEK[]"),
            fetch(wires[1], b"BODY.PEEK[2]"),
            fetch(wires[2], b"BINARY.PEEK[2]"),
            fetch(wires[3], b"BODY.PEEK[2]<%d.%d>" % (len(ENCODED) * 200, len(ENCODED) * 900)),
            fetch(wires[4], b"RFC822"),
            fetch(wires[5], b"BODY.PEEK[]", pause=0.01),
            append(wires[6]),
            append(wires[7]),
        )
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling
    assert results[:6] == [WHOLE, PART, DECODED, MIDDLE, WHOLE, WHOLE]
    assert max(watch.growth()) < MARGIN_KIB
