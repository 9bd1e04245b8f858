"""Kills without warning: one process of the server, or all of them at once."""

import asyncio
import os
import random
import signal
from contextlib import suppress
from dataclasses import dataclass

from tests.scenarios.server import Server

LONGEST_PAUSE_SECONDS = 2.5
ALL_AT_ONCE = 0.3
"""Which part of the kills hits the whole server."""


@dataclass
class Kills:
    """What has been done so far."""

    workers: int = 0
    servers: int = 0


async def kill_at_random(server: Server, stop: asyncio.Event, chance: random.Random) -> Kills:
    """Kill with SIGKILL until told to stop, and start again what does not do so by itself."""
    kills = Kills()
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(chance.uniform(0.1, LONGEST_PAUSE_SECONDS)):
                await stop.wait()
        if stop.is_set():
            return kills
        if chance.random() < ALL_AT_ONCE:
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            kills.servers += 1
        elif workers := server.pids()[1:]:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
            kills.workers += 1
