"""What the parsers cost in microseconds: no server, no sockets, no storage."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from benchmarks.messages import make_message
from benchmarks.options import Options
from benchmarks.report import Table
from freehold.protocols.imap.commands import Command
from freehold.protocols.imap.connection import ServerConnection as ImapConnection
from freehold.protocols.imap.states import State
from freehold.protocols.mime.imap_structure import bodystructure, envelope
from freehold.protocols.mime.structure import scan
from freehold.protocols.smtp.events import NEED_DATA, MessageChunk, Quit
from freehold.protocols.smtp.options import ServerOptions
from freehold.protocols.smtp.server import ServerConnection as SmtpConnection

DEFAULT_TIMES: Final = 2_000
ROUNDS: Final = 5
LABEL_BYTES: Final = 40
CHUNK_BYTES: Final = 64 * 1024
SIZES: Final = (("4 KiB", 4 * 1024), ("64 KiB", 64 * 1024))
OPTIONS: Final = ServerOptions("mx.bench.test")
HEAD: Final = (
    b"EHLO client.example.test\r\n",
    b"MAIL FROM:<sender@example.test> SIZE=4096\r\n",
    b"RCPT TO:<user1@bench.test>\r\n",
    b"DATA\r\n",
)
COMMANDS: Final = (
    b"a NOOP\r\n",
    b"a SELECT INBOX\r\n",
    b"a UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)\r\n",
    b"a FETCH 1:50 (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])\r\n",
    b"a UID STORE 7:9,12 +FLAGS.SILENT (\\Seen $Forwarded)\r\n",
    b'a UID SEARCH SINCE 1-Nov-2026 OR FROM "ann" SUBJECT "invoice" NOT DELETED\r\n',
)
COLUMNS: Final = ("what", "µs each, best of 5 rounds")


def run(options: Options) -> Iterator[Table]:
    """Time each parser over `--messages` inputs in each round."""
    times = options.messages or DEFAULT_TIMES
    rows = [(label, _microseconds(action, times)) for label, action in _actions()]
    yield Table("micro", "parsers, CPU of one process", COLUMNS, rows)


def _actions() -> Iterator[tuple[str, Callable[[], object]]]:
    for label, size_bytes in SIZES:
        message = make_message(1, size_bytes)
        yield f"SMTP dialogue of one message, {label}", _smtp(message)
    for label, size_bytes in SIZES:
        message = make_message(1, size_bytes)
        yield f"MIME scan, {label}", lambda message=message: scan(message)  # type: ignore[misc]
    message = make_message(1, SIZES[0][1])
    part = scan(message)
    yield "IMAP ENVELOPE, 4 KiB", lambda: envelope(message)
    yield "IMAP BODYSTRUCTURE, 4 KiB", lambda: bodystructure(message, part)
    for words in COMMANDS:
        yield f"IMAP command {words[2:LABEL_BYTES].decode().strip()}", _imap(words)


def _smtp(message: bytes) -> Callable[[], object]:
    """Return what takes a whole connection with one message through the state machine."""
    content = message + b".\r\n"
    pieces = [content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES)]
    received = (*HEAD, *pieces, b"QUIT\r\n")

    def dialogue() -> None:
        connection = SmtpConnection(OPTIONS)
        connection.greet()
        event: object = None
        for data in received:
            connection.receive(data)
            while (event := connection.next_event()) is not NEED_DATA:
                if isinstance(event, Quit):
                    break
                if not isinstance(event, MessageChunk):
                    connection.accept()
            connection.bytes_to_send()
        if not isinstance(event, Quit):
            raise TypeError(f"the dialogue ended with {event}")

    return dialogue


def _imap(words: bytes) -> Callable[[], object]:
    """Return what makes a command of its octets."""
    connection = ImapConnection(state=State.SELECTED)

    def parse() -> None:
        connection.receive(words)
        event = connection.next_event()
        if not isinstance(event, Command):
            raise TypeError(f"{words!r} was understood as {event}")

    return parse


def _microseconds(action: Callable[[], object], times: int) -> float:
    """Return the CPU time of one call in the round that was disturbed least."""
    action()
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            action()
        best = min(best, time.process_time() - began)
    return best / times * 1e6
