"""POP3 on real processes: sessions at once, a kill between DELE and QUIT, excess, the limit of readers."""

import asyncio
import imaplib
import poplib
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.scenarios.clients import BOB, PASSWORD, deliver, message, read_all, subjects
from tests.scenarios.hostile import nothing_breaks, others_are_served
from tests.scenarios.server import Server, running_server
from tests.scenarios.wire import connected

pytestmark = pytest.mark.scenario

READERS = 30
COMMANDS = 100_000
LARGE_LINES = 200_000
LOGIN = f"USER {BOB}\r\nPASS {PASSWORD}\r\n".encode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server with one front process, in which its limits are counted."""
    with running_server(tmp_path, workers=1) as started:
        yield started


def open_session(server: Server) -> poplib.POP3:
    """Log in as Bob."""
    client = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=60)
    client.user(BOB)
    client.pass_(PASSWORD)
    return client


def greeting(server: Server, listener: str) -> bytes:
    """Return the first that a new connection is told."""
    with socket.create_connection(("127.0.0.1", server.ports[listener]), timeout=60) as connection:
        return connection.recv(200)


def test_two_sessions_at_once_see_the_same_and_remove_their_own(server: Server) -> None:
    deliver(server, *(message(f"pop {number}") for number in range(3)))
    one, two = open_session(server), open_session(server)
    assert one.uidl()[1] == two.uidl()[1]
    one.dele(1)
    two.dele(1)
    two.dele(2)
    one.quit()
    assert len(two.list()[1]) == 1
    with pytest.raises(poplib.error_proto, match="No such message"):
        two.retr(1)
    two.quit()
    assert subjects(read_all(server)) == ["pop 2"]


def test_a_kill_before_quit_removes_nothing_and_one_after_it_brings_nothing_back(server: Server) -> None:
    deliver(server, *(message(f"pop {number}") for number in range(4)))
    killed = open_session(server)
    killed.retr(1)
    killed.dele(1)
    killed.dele(2)
    server.kill()
    killed.close()
    server.start()
    assert len(read_all(server)) == 4
    survivor = open_session(server)
    survivor.dele(1)
    survivor.quit()
    server.kill()
    server.start()
    assert subjects(read_all(server)) == ["pop 1", "pop 2", "pop 3"]


async def test_a_large_message_and_many_commands_cost_no_memory_and_hold_up_nobody(server: Server) -> None:
    large = message("large", "." + "x" * 76 + "\r\n" + ("y" * 76 + "\r\n") * LARGE_LINES)
    await asyncio.to_thread(deliver, server, large)
    with nothing_breaks(server):
        async with others_are_served(server), connected(server.ports["pop3"]) as wire:
            await wire.send(LOGIN + b"RETR 1\r\n" * 20)  # the answers wait for somebody to read them
            async with others_are_served(server), connected(server.ports["pop3"]) as busy:
                await busy.line()
                busy.offer(b"CAPA\r\n" * COMMANDS)
                for _ in range(COMMANDS):
                    while await busy.line() != b".\r\n":
                        pass
        async with connected(server.ports["pop3"]) as wire:
            await wire.line()
            for _ in range(100):
                await wire.send(b"x" * (1 << 20))
            await wire.send(b"\r\nQUIT\r\n")
            assert await wire.line() == b"-ERR Line too long\r\n"
            assert await wire.line() == b"+OK Goodbye\r\n"


def test_a_program_may_have_a_connection_for_each_folder_and_no_more_than_thirty(server: Server) -> None:
    with ExitStack() as stack:
        for number in range(READERS):
            client = stack.enter_context(imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=60))
            client.login(BOB, PASSWORD)
            client.create(f"folder{number}")
            assert client.select(f"folder{number}")[0] == "OK"
        assert greeting(server, "imap").startswith(b"* BYE [UNAVAILABLE] Too many connections")
        sessions = [open_session(server) for _ in range(READERS)]
        assert greeting(server, "pop3").startswith(b"-ERR [SYS/TEMP] Too many connections")
        for session in sessions:
            session.quit()
        assert client.noop()[0] == "OK"
