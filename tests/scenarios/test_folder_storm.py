"""Many sessions of several processes change one folder at random while workers are killed."""

import asyncio
import os
import random
import re
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.databases import PostgresDatabases, postgres_server
from tests.scenarios.checks import check_storage
from tests.scenarios.load import PASSWORD
from tests.scenarios.server import Server, running_server
from tests.scenarios.wire import PeerClosedError, Wire, connected, log_in

pytestmark = [pytest.mark.scenario, pytest.mark.slow, pytest.mark.timeout(400)]

ANN = "ann@example.test"
CLIENTS = 12
COMMANDS = 120
KILLS = 4
FEW = 5
"""With fewer messages there is always another."""

_EXISTS = re.compile(rb"\* (\d+) EXISTS")


class Folder:
    """What one session knows of INBOX: how many messages there are."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.count = 0

    async def run(self, command: bytes) -> None:
        """Send a command that must succeed, and count as the server tells."""
        for line in await self.wire.run(b"s", command):
            if exists := _EXISTS.match(line):
                assert int(exists[1]) >= self.count
                self.count = int(exists[1])
            elif line.endswith(b" EXPUNGE\r\n"):
                assert 1 <= int(line.split()[1]) <= self.count
                self.count -= 1
            elif b" FETCH (" in line:
                assert 1 <= int(line.split()[1]) <= self.count


async def change_at_random(folder: Folder, chance: random.Random) -> None:
    """Send one command that changes or reads the open folder."""
    if folder.count < FEW or chance.random() < 0.2:
        message = b"Subject: %d\r\n\r\nx\r\n" % chance.randrange(10**6)
        await folder.run(b"APPEND INBOX {%d+}\r\n%b" % (len(message), message))
        return
    number = chance.randrange(folder.count) + 1
    some = b"%d:%d" % (number, min(number + chance.randrange(3), folder.count))
    flag = chance.choice((rb"\Deleted", rb"\Seen", rb"\Flagged", b"work"))
    await folder.run(
        chance.choice(
            (
                b"STORE %b +FLAGS (%b)" % (some, flag),
                b"STORE %b -FLAGS (%b)" % (some, flag),
                b"COPY %b Archive" % some,
                b"MOVE %b Trash" % some,
                b"FETCH %b (UID FLAGS ENVELOPE)" % some,
                b"SEARCH UNSEEN",
                b"EXPUNGE",
            )
        )
    )


async def keep_changing(server: Server, seed: int) -> None:
    """Change the folder until enough commands have succeeded; connects again when a worker dies."""
    chance = random.Random(seed)
    left = COMMANDS
    while left:
        with suppress(PeerClosedError, ConnectionError):
            async with connected(server.ports["imap"]) as wire:
                await log_in(wire, ANN, PASSWORD)
                folder = Folder(wire)
                await folder.run(b"SELECT INBOX")
                while left:
                    await change_at_random(folder, chance)
                    left -= 1


async def kill_workers(server: Server, chance: random.Random) -> None:
    """Kill one process after the other; the supervisor starts each again."""
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        with suppress(ProcessLookupError):
            os.kill(chance.choice(server.pids()[1:]), signal.SIGKILL)


async def storm(server: Server) -> None:
    """Run all clients and the kills to their end."""
    async with asyncio.TaskGroup() as clients:
        clients.create_task(kill_workers(server, random.Random(0)))
        for seed in range(CLIENTS):
            clients.create_task(keep_changing(server, seed))


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_sessions_that_change_one_folder_while_workers_die_leave_it_consistent(
    tmp_path: Path, engine: str
) -> None:
    if engine == "sqlite":
        run_storm(tmp_path, "")
        return
    with postgres_server() as url:
        databases = PostgresDatabases(url)
        try:
            run_storm(tmp_path, databases.create())
        finally:
            databases.drop_all()


def run_storm(folder: Path, database: str) -> None:
    """Run a server through the storm, stop it, and check what it leaves."""
    with running_server(folder, database=database, workers=3) as server:
        asyncio.run(storm(server))
        assert server.stop() == 0
        asyncio.run(check_storage(server))
