"""A server that is killed while a draft is replaced keeps one draft: the old one or the new one."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.scenarios.load import PASSWORD
from tests.scenarios.server import Server, running_server
from tests.scenarios.wire import PeerClosedError, Wire, connected, log_in

pytestmark = [pytest.mark.scenario, pytest.mark.slow]

ANN = "ann@example.test"
ROUNDS = 6
HEADER = b"Subject: a draft\r\n\r\n"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    with running_server(tmp_path, workers=1) as running:
        yield running


async def replace_until_it_dies(wire: Wire, version: int, told: asyncio.Queue[int]) -> None:
    """Replace the draft again and again by its header and a new text; tells each version that was kept."""
    with suppress(PeerClosedError, ConnectionError):
        while True:
            version += 1
            text = b"version %d\r\n" % version
            command = b'REPLACE 1 Drafts CATENATE (URL "/;UID=%d/;SECTION=HEADER" TEXT {%d+}\r\n%b)'
            [found] = await wire.run(b"a", b"FETCH 1 UID")
            uid = re.search(rb"UID (\d+)", found)
            assert uid is not None
            await wire.run(b"a", command % (int(uid[1]), len(text), text))
            told.put_nowait(version)


async def read_draft(server: Server) -> bytes:
    """Return the one draft."""
    async with connected(server.ports["imap"]) as wire:
        await log_in(wire, ANN, PASSWORD)
        lines = await wire.run(b"a", b"SELECT Drafts")
        assert b"* 1 EXISTS\r\n" in lines
        lines = await wire.run(b"a", b"FETCH 1 BODY.PEEK[]")
        return b"".join(lines[1:]).removesuffix(b")\r\n")


async def test_a_draft_is_never_lost_or_doubled_by_a_kill(server: Server) -> None:
    async with connected(server.ports["imap"]) as wire:
        await log_in(wire, ANN, PASSWORD)
        first = HEADER + b"version 0\r\n"
        await wire.run(b"a", b"APPEND Drafts {%d+}\r\n%b" % (len(first), first))
    version = 0
    for number in range(ROUNDS):
        told: asyncio.Queue[int] = asyncio.Queue()
        async with connected(server.ports["imap"]) as wire:
            await log_in(wire, ANN, PASSWORD)
            await wire.run(b"a", b"SELECT Drafts")
            replacing = asyncio.create_task(replace_until_it_dies(wire, version, told))
            for _ in range(1 + 3 * number):
                version = await told.get()
            server.kill()
            await replacing
        while not told.empty():
            version = told.get_nowait()
        server.start()
        draft = await read_draft(server)
        assert draft in {HEADER + b"version %d\r\n" % each for each in (version, version + 1)}
        version = int(draft.split()[-1])
