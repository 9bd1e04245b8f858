"""A full disk: every refusal says so, nothing crashes, reading goes on, and room is enough to go on."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from tests.scenarios.checks import check_mailbox, check_storage
from tests.scenarios.load import PASSWORD, Fate, Ledger
from tests.scenarios.server import Server, running_server
from tests.scenarios.wire import RefusedError, Wire, append, connected, greet, log_in, status

pytestmark = [pytest.mark.scenario, pytest.mark.slow]

DISK_BYTES = 64 << 20
LARGER_DISK_BYTES = 256 << 20
"""The smallest on which all of the reserve is kept."""
BALLAST_BYTES = 24 << 20
REFUSALS_WANTED = 5
CLIENTS = 4
RECOVERY_SECONDS = 60.0
ANN = "ann@example.test"
PATIENT = "[mail.smtp]\nmax_messages_per_connection = 100000\nmax_commands_per_minute = 1000000"
FULL = (b"452 4.3.1 ", b"451 4.3.1 ")


@contextmanager
def disk_of(folder: Path, size_bytes: int) -> Iterator[Path]:
    """Give an installation's folder whose data folder is a file system of this size."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=700", "tmpfs", str(data)],
            check=False,
            capture_output=True,
        ).returncode
    )
    if not mounted:
        pytest.skip("only root may mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(data)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """An installation on a small disk, with a ballast file in its data folder."""
    with disk_of(tmp_path, DISK_BYTES) as folder:
        (folder / "data" / "ballast").write_bytes(bytes(BALLAST_BYTES))
        yield folder


@pytest.fixture
def larger_disk(tmp_path: Path) -> Iterator[Path]:
    """An installation on a disk that is less small."""
    with disk_of(tmp_path, LARGER_DISK_BYTES) as folder:
        yield folder


@asynccontextmanager
async def server_on(folder: Path) -> AsyncIterator[Server]:
    """Run a server beside the loop."""
    running = running_server(folder, extra=PATIENT)
    server = await asyncio.to_thread(running.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)


async def fill(server: Server, ledger: Ledger, size: int) -> list[bytes]:
    """Deliver messages from several clients until each was refused some times; returns the refusals."""
    refusals: list[bytes] = []

    async def client() -> None:
        async with connected(server.ports["smtp"]) as wire:
            await greet(wire)
            refused = 0
            while refused < REFUSALS_WANTED:
                refusal = await deliver_one(wire, ledger, size)
                if refusal is not None:
                    refused += 1
                    refusals.append(refusal)

    async with asyncio.TaskGroup() as clients:
        for _ in range(CLIENTS):
            clients.create_task(client())
    return refusals


async def deliver_one(wire: Wire, ledger: Ledger, size: int) -> bytes | None:
    """Deliver a message to Ann; returns the words of a refusal, or None."""
    sent, message = ledger.compose("zoe@elsewhere.example", [ANN], size)
    try:
        await wire.ask(b"MAIL FROM:<zoe@elsewhere.example>")
        await wire.ask(b"RCPT TO:<ann@example.test>")
        await wire.ask(b"DATA", 354)
        await wire.send(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        code, text = await wire.reply()
    except RefusedError as refused:
        code, text = refused.code, refused.text
        await wire.ask(b"RSET")
    sent.fates[ANN] = Fate.TAKEN if code == 250 else Fate.REFUSED
    return None if code == 250 else b"%d %b" % (code, text)


async def append_one(server: Server, ledger: Ledger, size: int) -> bytes | None:
    """Store a message for Ann over IMAP; returns the words of a refusal, or None."""
    sent, message = ledger.compose(ANN, [ANN], size)
    async with connected(server.ports["imap"]) as wire:
        await log_in(wire, ANN, PASSWORD)
        try:
            await append(wire, "INBOX", message)
        except RefusedError as refused:
            sent.fates[ANN] = Fate.REFUSED
            return refused.text
    sent.fates[ANN] = Fate.TAKEN
    return None


async def wait_until_taken(server: Server, ledger: Ledger, size: int) -> None:
    """Deliver until a message is taken, on one connection after the other."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        async with connected(server.ports["smtp"]) as wire:
            await greet(wire)
            refusal = await deliver_one(wire, ledger, size)
        if refusal is None:
            return
        assert time.monotonic() < deadline, refusal
        await asyncio.sleep(0.1)


async def delete_everything(server: Server) -> None:
    """Empty Ann's INBOX over IMAP."""
    async with connected(server.ports["imap"]) as wire:
        await log_in(wire, ANN, PASSWORD)
        await wire.run(b"s", b"SELECT INBOX")
        await wire.run(b"d", rb"STORE 1:* +FLAGS.SILENT (\Deleted)")
        await wire.run(b"x", b"EXPUNGE")
        assert (await status(wire, "INBOX"))["MESSAGES"] == 0


def fill_up(path: Path) -> None:
    """Write a file until nothing is left on the disk."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))


@pytest.mark.parametrize("size", [4096, 400_000], ids=["in rows", "in files"])
async def test_people_make_room_for_mail_by_deleting_some(larger_disk: Path, size: int) -> None:
    ledger = Ledger()
    async with server_on(larger_disk) as server:
        before = server.pids()
        for _ in range(2):
            refusals = await fill(server, ledger, size)
            assert [text for text in refusals if not text.startswith(FULL)] == []
            refusal = await append_one(server, ledger, size)
            assert refusal is not None
            assert b"NO [" in refusal
            await delete_everything(server)
            await wait_until_taken(server, ledger, size)
        assert server.pids() == before
        await asyncio.to_thread(server.stop)
        await check_storage(server)


@pytest.mark.parametrize("size", [4096, 400_000], ids=["in rows", "in files"])
async def test_a_full_disk_refuses_mail_and_goes_on_when_there_is_room(small_disk: Path, size: int) -> None:
    ledger = Ledger()
    async with server_on(small_disk) as server:
        before = server.pids()
        await fill(server, ledger, size)
        await asyncio.to_thread(fill_up, server.data / "more ballast")
        refusals = await fill(server, ledger, size)
        assert [text for text in refusals if not text.startswith(FULL)] == []
        refusal = await append_one(server, ledger, size)
        assert refusal is not None
        assert b"NO [" in refusal
        assert ledger.ids(ANN, Fate.TAKEN)
        await check_mailbox(server, ANN, ledger)
        (server.data / "more ballast").unlink()
        (server.data / "ballast").unlink()
        await wait_until_taken(server, ledger, size)
        assert await append_one(server, ledger, size) is None
        await check_mailbox(server, ANN, ledger)
        await delete_everything(server)
        await wait_until_taken(server, ledger, size)
        assert server.pids() == before
        await asyncio.to_thread(server.stop)
        await check_storage(server)
