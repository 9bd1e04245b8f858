"""Peers that are many, slow or deaf: each has its bounds, and the others are served meanwhile."""

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from tests.scenarios.hostile import nothing_breaks, others_are_served
from tests.scenarios.load import PASSWORD
from tests.scenarios.server import Server, running_server, trusting_context
from tests.scenarios.wire import Wire, connected, deliver, greet, log_in

pytestmark = [pytest.mark.scenario, pytest.mark.slow]

IDLE_CONNECTIONS = 2000
OPENED_AT_ONCE = 100
DESCRIPTORS = 8192
PATIENCE_SECONDS = 60.0
"""How long a time-out of two seconds is waited for; no speed is asserted by it."""
IMPATIENT = """
[mail.smtp]
command_seconds = 2
data_seconds = 2
[mail.imap]
login_seconds = 2
"""
LARGE = b"Subject: large\r\n\r\n" + (b"l" * 998 + b"\r\n") * 8000
MAX_PER_NETWORK = 5
ANN = "ann@example.test"


@contextmanager
def many_descriptors() -> Iterator[None]:
    """Let this process, and the servers that it starts, open many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        pytest.skip(f"{DESCRIPTORS} file descriptors are more than this system allows")
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def open_many(stack: AsyncExitStack, server: Server) -> list[tuple[str, Wire]]:
    """Open connections to both ports in turn and read their greetings."""
    opened: list[tuple[str, Wire]] = []

    async def open_one(listener: str) -> None:
        wire = await stack.enter_async_context(connected(server.ports[listener]))
        assert (await wire.line()).startswith((b"220 ", b"* OK "))
        opened.append((listener, wire))

    while len(opened) < IDLE_CONNECTIONS:
        async with asyncio.TaskGroup() as group:
            for _ in range(OPENED_AT_ONCE // 2):
                group.create_task(open_one("smtp"))
                group.create_task(open_one("imap"))
    return opened


async def test_two_thousand_idle_connections_are_held_and_hold_up_nobody(tmp_path: Path) -> None:
    unlimited = 'unlimited_networks = ["127.0.0.0/8"]'
    with (
        many_descriptors(),
        running_server(tmp_path, listen_extra={"smtp": unlimited, "imap": unlimited}) as server,
    ):
        async with AsyncExitStack() as stack:
            with nothing_breaks(server):
                opened = await open_many(stack, server)
                async with others_are_served(server):
                    pass
                for listener, wire in opened:
                    await wire.send(b"NOOP\r\n" if listener == "smtp" else b"a NOOP\r\n")
                    assert (await wire.line()).startswith((b"250 ", b"a OK "))


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose time-outs are two seconds."""
    with running_server(tmp_path_factory.mktemp("impatient"), extra=IMPATIENT) as server:
        yield server


async def drip(wire: Wire, octet: bytes) -> bytes:
    """Send an octet each second until the server closes; returns what it said."""
    answer = asyncio.create_task(wire.rest())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not answer.done():
            try:
                await wire.send(octet)
            except ConnectionError:
                break
            await asyncio.wait([answer], timeout=1)
        return await answer


@pytest.mark.parametrize(
    ("listener", "farewell"), [("smtp", b"421 4.4.2 "), ("submission", b"421 4.4.2 "), ("imap", b"* BYE ")]
)
@pytest.mark.parametrize("octet", [b"", b"x"], ids=["silent", "an octet a second"])
async def test_a_peer_that_never_completes_a_command_is_closed(
    impatient: Server, listener: str, farewell: bytes, octet: bytes
) -> None:
    with nothing_breaks(impatient):
        async with others_are_served(impatient), connected(impatient.ports[listener]) as wire:
            await wire.line()
            assert (await drip(wire, octet)).startswith(farewell)


@pytest.mark.parametrize("listener", ["submissions", "imaps"])
async def test_a_peer_that_stops_after_its_handshake_is_closed(impatient: Server, listener: str) -> None:
    with nothing_breaks(impatient):
        async with (
            others_are_served(impatient),
            connected(impatient.ports[listener], trusting_context()) as wire,
        ):
            await wire.line()
            assert (await drip(wire, b"")).startswith((b"421 4.4.2 ", b"* BYE "))


async def test_a_peer_that_stops_within_a_message_is_closed_and_nothing_is_kept(impatient: Server) -> None:
    with nothing_breaks(impatient):
        async with others_are_served(impatient), connected(impatient.ports["smtp"]) as wire:
            await greet(wire)
            await wire.ask(b"MAIL FROM:<zoe@elsewhere.example>")
            await wire.ask(b"RCPT TO:<bob@example.test>")
            await wire.ask(b"DATA", 354)
            await wire.send(b"Subject: half\r\n\r\n" + b"h" * 400_000)
            assert (await drip(wire, b"")).startswith(b"421 4.4.2 ")
        assert list((impatient.data / "blobs" / "incoming").iterdir()) == []


async def test_a_reader_who_takes_nothing_costs_no_memory(impatient: Server) -> None:
    async with connected(impatient.ports["smtp"]) as wire:
        await greet(wire)
        for _ in range(12):
            assert await deliver(wire, "zoe@elsewhere.example", ["bob@example.test"], LARGE) == [250]
    with nothing_breaks(impatient):
        async with AsyncExitStack() as stack:
            for _ in range(4):
                wire = await stack.enter_async_context(connected(impatient.ports["imap"]))
                await log_in(wire, "bob@example.test", PASSWORD)
                await wire.run(b"s", b"SELECT INBOX")
                wire.offer(b"f FETCH 1:* (FLAGS BODY.PEEK[])\r\n" * 20)
            async with others_are_served(impatient):
                pass


@pytest.fixture
async def fenced(tmp_path: Path) -> AsyncIterator[Server]:
    """A server with one front process, so that its limits are counted in one place."""
    limit = f"max_connections_per_network = {MAX_PER_NETWORK}"
    names = ("smtp", "imap", "lmtp", "imaps")
    with running_server(tmp_path, workers=1, listen_extra=dict.fromkeys(names, limit)) as server:
        yield server


@pytest.mark.parametrize(
    ("listener", "farewell"),
    [("smtp", b"421 4.7.0 "), ("lmtp", b"421 4.7.0 "), ("imap", b"* BYE "), ("imaps", b"")],
)
async def test_one_connection_too_many_is_told_so_and_the_next_is_taken(
    fenced: Server, listener: str, farewell: bytes
) -> None:
    tls = trusting_context() if listener == "imaps" else None
    with nothing_breaks(fenced):
        async with AsyncExitStack() as stack:
            for _ in range(MAX_PER_NETWORK):
                wire = await stack.enter_async_context(connected(fenced.ports[listener], tls))
                assert (await wire.line()).startswith((b"220 ", b"* OK "))
            async with connected(fenced.ports[listener]) as wire:
                answer = await wire.rest()
                assert answer.startswith(farewell)
                assert bool(answer) == bool(farewell)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await is_taken(fenced, listener):  # until the server has seen the others end
                pass


async def is_taken(server: Server, listener: str) -> bool:
    """Tell whether a new connection is greeted."""
    tls = trusting_context() if listener == "imaps" else None
    try:
        async with connected(server.ports[listener], tls) as wire:
            return (await wire.line()).startswith((b"220 ", b"* OK "))
    except OSError:
        return False
