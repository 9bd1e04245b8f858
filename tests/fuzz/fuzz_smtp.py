"""Feeds mutated byte streams to the SMTP server and client connections.

Run by hand: `pip install atheris`, then `python -m tests.fuzz.fuzz_smtp tests/fuzz/corpus/smtp`.
The first octet of an input chooses where the dialogue stands and how the stream is cut.
"""

from freehold.protocols.smtp.capabilities import Capabilities
from freehold.protocols.smtp.client import ClientConnection
from freehold.protocols.smtp.events import NEED_DATA, ProtocolError
from freehold.protocols.smtp.extensions import Extension
from freehold.protocols.smtp.options import ServerOptions
from tests.fuzz.atheris_run import fuzz
from tests.protocols.smtp.dialogue import ENVELOPE, comparable, converse

_OPTIONS = (
    ServerOptions("mx.example", max_message_bytes=200, starttls=True),
    ServerOptions("mx.example", max_message_bytes=200, loopback=True, auth_mechanisms=("PLAIN", "LOGIN")),
)
_PREFIXES = (b"", b"EHLO c.example\r\n", ENVELOPE, ENVELOPE + b"DATA\r\n")


def check(data: bytes) -> None:
    """Fail when an input makes a connection raise, or depend on how the stream is cut."""
    if not data:
        return
    choice, stream = data[0], _PREFIXES[data[0] & 3] + data[1:]
    options = _OPTIONS[choice >> 2 & 1]
    whole = converse(stream, options)
    step = 1 + (choice >> 3)
    pieces = converse(stream, options, range(step, len(stream), step))
    if comparable(whole[0]) != comparable(pieces[0]) or whole[1] != pieces[1]:
        raise AssertionError("the events depend on how the stream is cut")
    _read_as_replies(data[1:])


def _read_as_replies(stream: bytes) -> None:
    connection = ClientConnection("out.example")
    connection.capabilities = Capabilities(frozenset({Extension.PIPELINING}))
    connection.receive(stream)
    try:
        while connection.next_event() is not NEED_DATA:
            if not connection.awaits_answers:
                connection.mail(None)
    except ProtocolError:
        return


if __name__ == "__main__":
    fuzz(check)
