"""Dot-stuffing of content that is sent with DATA (RFC 5321 §4.5.2), in big pieces."""

from collections.abc import Iterable, Iterator

_LINE_END = b"\r\n"


def stuff(content: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content with a dot added to each line that begins with one, then the end of data.

    The content must have no CR or LF outside CRLF, which reception makes sure of. An unended last line is
    ended.
    """
    # The last two octets tell whether the next piece begins a line; the start of the content does.
    tail = _LINE_END
    for piece in content:
        if not piece:
            continue
        window = tail + piece
        yield window.replace(b"\r\n.", b"\r\n..")[len(tail) :]
        tail = window[-2:]
    yield b".\r\n" if tail == _LINE_END else b"\r\n.\r\n"
