"""Fuzzes the POP3 connection and the lines of messages: however they are cut, the same comes out.

Run by hand, with atheris installed: `python -m tests.fuzz.fuzz_pop3 tests/fuzz/corpus/pop3`.
The test suite replays the corpus through `check` without atheris.
"""

from freehold.protocols.pop3.message_lines import added_octets, retrieved, top
from tests.fuzz.atheris_run import fuzz
from tests.protocols.pop3.dialogue import converse

LOGIN = b"USER a\r\nPASS b\r\n"
MOST_LINES = 7


def check(data: bytes) -> None:
    """Run data as commands of a stranger and of a member, and as a message; the first octet picks the cut."""
    cut = data[0] % (len(data) + 1) if data else 0
    for stream in (data, LOGIN + data, b"AUTH X\r\n" + data):
        whole = converse(stream)
        if converse(stream, range(len(stream))) != whole or converse(stream, [cut]) != whole:
            raise AssertionError("the events depend on how the stream is cut")
    _check_message(data, cut)


def _check_message(data: bytes, cut: int) -> None:
    pieces = [data[:cut], data[cut:]]
    wire = b"".join(retrieved([data]))
    if b"".join(retrieved(pieces)) != wire:
        raise AssertionError("a message depends on how it is cut")
    lines = wire.split(b"\r\n")
    if lines[-2:] != [b".", b""] or b"." in lines[:-2] or b"\n" in b"".join(lines):
        raise AssertionError("a reply does not end where its message does")
    stuffed = sum(line.startswith(b".") for line in lines[:-2])
    if len(wire) - stuffed - len(b".\r\n") != len(data) + added_octets(pieces):
        raise AssertionError("a size is not that of what is sent")
    count = cut % MOST_LINES
    header = b"".join(top(pieces, count))
    if header != b"".join(top([data], count)) or not wire.startswith(header.removesuffix(b".\r\n")):
        raise AssertionError("TOP is no beginning of RETR")


if __name__ == "__main__":
    fuzz(check)
