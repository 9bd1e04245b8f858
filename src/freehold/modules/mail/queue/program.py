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
    other status is permanent.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *shlex.split(command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return deferred(f"{command}: {error}", "4.3.5")
    limit = settings.program_memory_bytes
    with suppress(ProcessLookupError):
        resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, limit))
    try:
        async with asyncio.timeout(settings.program_seconds):
            output = await _converse(process, message)
            status = await process.wait()
    except TimeoutError:
        return deferred(f"{command}: still running after {settings.program_seconds:g} s", "4.3.0")
    finally:
        await _end(process)
    return _outcome(command, status, output)


async def _converse(process: asyncio.subprocess.Process, message: Buffer) -> str:
    async with asyncio.TaskGroup() as group:
        group.create_task(_feed(process, message))
        output = group.create_task(_read_output(process))
    return output.result().decode("utf-8", "replace").strip()


async def _feed(process: asyncio.subprocess.Process, message: Buffer) -> None:
    if process.stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):  # it need not read all of it
        for piece in unix_pieces(message):
            process.stdin.write(piece)
            await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _read_output(process: asyncio.subprocess.Process) -> bytes:
    kept = b""
    if process.stdout is None:
        return kept
    while data := await process.stdout.read(MAX_OUTPUT_BYTES):
        kept = (kept + data)[-MAX_OUTPUT_BYTES:]
    return kept


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
