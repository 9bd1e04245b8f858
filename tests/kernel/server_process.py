"""Runs `echo_server` as a real process and talks to it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from freehold.kernel.status import ServerStatus, ask_status

PATIENCE_SECONDS = 20.0


class ServerProcess:
    """A running echo server."""

    def __init__(self, process: asyncio.subprocess.Process, data: Path) -> None:
        self.process = process
        self.data = data
        self.announced: dict[str, Any] = {}

    @property
    def port(self) -> int:
        """The port of the first address of `echo`."""
        return int(self.announced["listeners"][0]["addresses"][0].rpartition(":")[2])

    async def read_announcement(self) -> None:
        """Wait until the server says that it is ready."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the server did not start: {await self.errors()}")
        self.announced = json.loads(line)

    async def errors(self) -> str:
        """Return all of standard error, after the server has ended."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            return (await self.process.stderr.read()).decode()

    async def ask(self, *lines: str) -> list[str]:
        """Send lines on a new connection and return the answers."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write("".join(f"{line}\n" for line in lines).encode())
            answers = [(await reader.readline()).decode().strip() for _ in lines]
            writer.close()
            return answers

    async def get(self, path: str) -> tuple[int, str]:
        """Return the status and body of a page of the monitor."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.announced["metrics"])
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            return int(head.split(b" ")[1]), body.decode()

    async def status(self) -> ServerStatus:
        """Return what the server says of itself."""
        found = await asyncio.to_thread(ask_status, self.data)
        assert found is not None
        return found

    async def status_when_all_ready(self, *, without_pid: int = 0) -> ServerStatus:
        """Return the status once every worker is ready and none has the given process number."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                status = await self.status()
                if all(worker.ready and worker.pid != without_pid for worker in status.workers):
                    return status

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.process.wait()


@asynccontextmanager
async def running(
    folder: Path,
    toml: str = "",
    *,
    environment: dict[str, str] | None = None,
    announced: bool = True,
    python: str = sys.executable,
) -> AsyncIterator[ServerProcess]:
    """Run a server on `folder/data` with loopback ports chosen by the system, and end it afterwards."""
    data = folder / "data"
    config = folder / "freehold.toml"
    config.write_text(
        f"{toml}\n[listen.echo]\naddresses = ['127.0.0.1:0']\n[metrics]\naddress = '127.0.0.1:0'\n"
    )
    process = await start(config, data, environment, python)
    server = ServerProcess(process, data)
    try:
        if announced:
            await server.read_announcement()
        yield server
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def start(
    config: Path | str, data: Path, environment: dict[str, str] | None = None, python: str = sys.executable
) -> asyncio.subprocess.Process:
    """Start the process."""
    return await asyncio.create_subprocess_exec(
        python,
        "-m",
        "tests.kernel.echo_server",
        str(config),
        str(data),
        cwd=Path(__file__).parents[2],
        env={**os.environ, **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def open_python() -> str | None:
    """Return an interpreter of this version that every user may run: a home folder's often is not."""
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    for program, library in ((sys.executable, sys.base_prefix), (system, "/usr")):
        folders = [Path(library), *Path(library).parents]
        if Path(program).exists() and all(folder.stat().st_mode & 0o001 for folder in folders):
            return program
    return None


def import_path() -> dict[str, str]:
    """Return the environment that has another interpreter import what this one does."""
    repository = Path(__file__).parents[2]
    installed = [path for path in sys.path if path.endswith("site-packages")]
    return {
        "PYTHONPATH": os.pathsep.join([str(repository / "src"), *installed]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
