"""News arrive at clients that wait: in another worker process, and on another host of the same database."""

import smtplib
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from benchmarks.processes import holder_of, tree_of
from tests.scenarios.server import Server, running_server

pytestmark = pytest.mark.scenario

PATIENCE_SECONDS = 20.0
MOST_CONNECTIONS = 64
MESSAGE = b"Subject: news\r\n\r\nhello\r\n"
NOTIFY = (
    b"NOTIFY SET (personal (MailboxName SubscriptionChange MessageNew MessageExpunge FlagChange"
    b" MailboxMetadataChange ServerMetadataChange))"
)


class Reader:
    """One IMAP connection of ann's; what does not come in time fails the test."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.ports["imap"]), PATIENCE_SECONDS)
        self._file = self._socket.makefile("rb")
        self.address: tuple[str, int] = self._socket.getsockname()
        assert self.line().startswith(b"* OK")
        self.ask(b"LOGIN ann@example.test kuvo-tase-rimi")

    def line(self) -> bytes:
        return self._file.readline().removesuffix(b"\r\n")

    def ask(self, command: bytes) -> list[bytes]:
        self._socket.sendall(b"a " + command + b"\r\n")
        lines = [self.line()]
        while lines[-1] and not lines[-1].startswith((b"a ", b"+ ")):
            lines.append(self.line())
        assert lines[-1].startswith((b"a OK", b"+ ")), lines
        return lines

    def until(self, end: bytes) -> bytes:
        """Return the next line that holds `end`."""
        line = self.line()
        while end not in line:
            assert line, f"nothing came of {end!r}"
            line = self.line()
        return line

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@contextmanager
def readers_of_two_workers(server: Server) -> Iterator[tuple[Reader, Reader]]:
    """Give two connections that different processes hold."""
    assert server.process is not None
    pids = tree_of(server.process.pid)
    with closing(Reader(server)) as one:
        for _ in range(MOST_CONNECTIONS):
            other = Reader(server)
            if holder_of(pids, other.address) != holder_of(pids, one.address):
                break
            other.close()
        with closing(other):
            assert holder_of(pids, other.address) != holder_of(pids, one.address)
            yield one, other


def deliver(server: Server) -> None:
    """Send ann a message by SMTP."""
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=PATIENCE_SECONDS) as client:
        client.sendmail("bob@example.test", "ann@example.test", MESSAGE)


def watch_everything(watch: Callable[[], Reader], actor: Reader, server: Server) -> None:
    """Assert that each kind of change reaches an idling client and one with NOTIFY."""
    with closing(watch()) as idler, closing(watch()) as notified:
        idler.ask(b"SELECT INBOX")
        assert idler.ask(b"IDLE") == [b"+ idling"]
        notified.ask(NOTIFY)
        deliver(server)
        assert idler.until(b"EXISTS") == b"* 1 EXISTS"
        assert b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2 " in notified.until(b"STATUS")
        actor.ask(b"APPEND INBOX {%d+}\r\n" % len(MESSAGE) + MESSAGE)
        assert idler.until(b"EXISTS") == b"* 2 EXISTS"
        assert b"MESSAGES 2 " in notified.until(b"STATUS")
        actor.ask(b"SELECT INBOX")
        actor.ask(b"STORE 1 +FLAGS (\\Seen \\Deleted)")
        assert b"* 1 FETCH " in idler.until(b"\\Deleted")
        assert notified.until(b"STATUS") == b"* STATUS INBOX (UNSEEN 1)"
        actor.ask(b"EXPUNGE")
        assert idler.until(b"EXPUNGE") == b"* 1 EXPUNGE"
        assert b"MESSAGES 1 " in notified.until(b"STATUS")
        actor.ask(b"CREATE travel")
        assert notified.until(b"LIST").endswith(b'"/" travel')
        actor.ask(b"RENAME travel journeys")
        assert notified.until(b"LIST").endswith(b'"/" journeys ("OLDNAME" (travel))')
        actor.ask(b'SETMETADATA journeys (/shared/comment "by train" /private/comment "soon")')
        assert notified.line() == b"* METADATA journeys /private/comment /shared/comment"
        actor.ask(b'SETMETADATA "" (/private/vendor/x "y")')
        assert notified.line() == b'* METADATA "" /private/vendor/x'


def test_news_reach_another_process(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=2) as server, readers_of_two_workers(server) as (actor, other):
        assert server.process is not None
        pids = tree_of(server.process.pid)
        place = holder_of(pids, other.address)

        def watch() -> Reader:
            for _ in range(MOST_CONNECTIONS):
                reader = Reader(server)
                if holder_of(pids, reader.address) == place:
                    return reader
                reader.close()
            raise AssertionError("no connection was taken by the other process")

        watch_everything(watch, actor, server)


def test_news_reach_another_host_that_shares_the_database(tmp_path: Path, postgres_url: str) -> None:
    with running_server(tmp_path / "one", database=postgres_url, workers=2) as one:
        two = Server(tmp_path / "two", hostname="two.example.test", database=postgres_url, workers=1)
        two.start()
        try:
            with closing(Reader(one)) as actor:
                watch_everything(lambda: Reader(two), actor, one)
        finally:
            two.stop()
