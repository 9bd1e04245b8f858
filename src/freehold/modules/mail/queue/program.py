"""Delivery to a program: the message on standard input, no shell, bounded in time and memory."""

import asyncio
import os
import resource
import shlex
import signal
from collections.abc import Mapping
from contextlib import suppress

from freehold.modules.mail.queue.local import unix_pieces
from freehold.modules.mail.queue.outcome import Outcome, deferred, delivered, failed
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.protocols.mime.buffer import Buffer

MAX_OUTPUT_BYTES = 4096
"""How much of what the program prints is kept to explain a failure."""
LAST_OUTPUT_SECONDS = 1.0
"""How long to wait for output after a program's end."""

_TEMPORARY_STATUSES = frozenset({os.EX_OSERR, os.EX_IOERR, os.EX_TEMPFAIL})
_PERMANENT_CODES: Mapping[int, str] = {
    os.EX_USAGE: "5.3.0",
    os.EX_DATAERR: "5.6.0",
    os.EX_NOINPUT: "5.3.0",
    os.EX_NOUSER: "5.1.1",
    os.EX_NOHOST: "5.1.2",
    os.EX_UNAVAILABLE: "5.3.0",
    os.EX_CANTCREAT: "5.2.0",
    os.EX_NOPERM: "5.7.0",
    os.EX_CONFIG: "5.3.5",
}


async def deliver_to_program(
    command: str, message: Buffer, *, settings: QueueSettings, environment: Mapping[str, str]
) -> Outcome:
    """Run `command` with the message on its standard input and read its exit status (sysexits.h).

    Status 0 is success; EX_TEMPFAIL, EX_OSERR, EX_IOERR, a signal and a time-out are temporary; any
    other status is permanent. What the program leaves running in its process group is killed.
    """
    read_end, write_end = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *shlex.split(command),
            stdin=asyncio.subprocess.PIPE,
            stdout=write_end,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        os.close(read_end)
        return deferred(f"{command}: {error}", "4.3.5")
    except BaseException:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    try:
        _limit(process, settings)  # before it is given anything that a stranger wrote
        output = await _Output.of(read_end)
        try:
            async with asyncio.timeout(settings.program_seconds):
                status = await _converse(process, message)
        except TimeoutError:
            return deferred(f"{command}: still running after {settings.program_seconds:g} s", "4.3.0")
        finally:
            await _end(process)
            text = await output.finish()
    finally:
        await _end(process)
    return _outcome(command, status, text)


class _Output(asyncio.Protocol):
    """Keeps the end of what a program prints, and lets it print on."""

    def __init__(self) -> None:
        self._kept = b""
        self._over = asyncio.get_running_loop().create_future()
        self._transport: asyncio.BaseTransport | None = None

    @classmethod
    async def of(cls, descriptor: int) -> "_Output":
        """Read from the reading end of a pipe, which is closed in the end."""
        loop = asyncio.get_running_loop()
        transport, output = await loop.connect_read_pipe(cls, os.fdopen(descriptor, "rb", buffering=0))
        output._transport = transport
        return output

    def data_received(self, data: bytes) -> None:
        self._kept = (self._kept + data)[-MAX_OUTPUT_BYTES:]

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self._over.done():
            self._over.set_result(None)

    async def finish(self) -> str:
        """Return the text; a process that got away with the pipe is waited for only a moment."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_OUTPUT_SECONDS):
                await asyncio.shield(self._over)
        if self._transport is not None:
            self._transport.close()
        return self._kept.decode("utf-8", "replace").strip()


def _limit(process: asyncio.subprocess.Process, settings: QueueSettings) -> None:
    size = settings.program_memory_bytes
    with suppress(ProcessLookupError):
        resource.prlimit(process.pid, resource.RLIMIT_AS, (size, size))
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))


async def _converse(process: asyncio.subprocess.Process, message: Buffer) -> int:
    """Feed the program until it ends; returns its status."""
    feeding = asyncio.create_task(_feed(process, message))
    try:
        return await process.wait()
    finally:
        feeding.cancel()
        await asyncio.wait([feeding])


async def _feed(process: asyncio.subprocess.Process, message: Buffer) -> None:
    if process.stdin is None:
        return
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # it need not read all of it
            for piece in unix_pieces(message):
                process.stdin.write(piece)
                await process.stdin.drain()
    finally:
        process.stdin.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of the program's process group, and reap it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _outcome(command: str, status: int, output: str) -> Outcome:
    if status == 0:
        return delivered(f"program {command}")
    detail = f"{command}: {'signal' if status < 0 else 'exit status'} {abs(status)}"
    if output:
        detail = f"{detail}: {output}"
    if status < 0 or status in _TEMPORARY_STATUSES:
        return deferred(detail, "4.3.0")
    return failed(detail, _PERMANENT_CODES.get(status, "5.3.0"))
