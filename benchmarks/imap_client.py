"""A frugal IMAP client: big replies are read into one buffer, and only their end is looked at."""

import re
import socket
import ssl

SILENCE_SECONDS = 120.0
BUFFER_BYTES = 1 << 20
TAIL_BYTES = 1024
COMPLETED = re.compile(rb"(?:^|\r\n)a (OK|NO|BAD)[^\r\n]*\r\n$")
IDLE_ANSWERED = re.compile(rb"(?:^|\r\n)i (OK|NO|BAD)[^\r\n]*\r\n$")


class CommandFailedError(RuntimeError):
    """The server answered NO or BAD, or went away."""


class ImapClient:
    """One connection, blocking; `login` and all commands raise CommandFailedError."""

    def __init__(self, port: int, context: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), SILENCE_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = plain if context is None else context.wrap_socket(plain)
        self._buffer: bytearray | None = None
        self.line()

    @property
    def address(self) -> tuple[str, int]:
        """This end of the connection."""
        host, port = self._socket.getsockname()
        return host, port

    def login(self, address: str, password: str) -> None:
        """Log in."""
        self.command(f'LOGIN "{address}" "{password}"'.encode())

    def command(self, words: bytes) -> int:
        """Carry out a command; returns the octets of the whole answer."""
        self._socket.sendall(b"a " + words + b"\r\n")
        return self.drain()

    def append(self, mailbox: bytes, message: bytes) -> None:
        """Append a message with a literal that needs no leave (RFC 7888)."""
        self.command(b"APPEND %b {%d+}\r\n%b" % (mailbox, len(message), message))

    def start_idle(self) -> None:
        """Begin to IDLE, and give the buffer up."""
        self._socket.sendall(b"i IDLE\r\n")
        if not self.line().startswith(b"+"):
            raise CommandFailedError("IDLE was refused")
        self._buffer = None

    def end_idle(self) -> None:
        """End IDLE, and wait for its answer."""
        self._socket.sendall(b"DONE\r\n")
        read = self.line()
        while (answer := IDLE_ANSWERED.search(read)) is None:
            read += self.line()
        if answer[1] != b"OK":
            raise CommandFailedError(answer[0].decode(errors="replace").strip())

    def line(self) -> bytes:
        """Read one line, when nothing but a line can come."""
        read = b""
        while not read.endswith(b"\r\n"):
            data = self._socket.recv(4096)
            if not data:
                raise CommandFailedError("the server closed the connection")
            read += data
        return read

    def drain(self) -> int:
        """Read up to the tagged answer and return how many octets came."""
        if self._buffer is None:
            self._buffer = bytearray(BUFFER_BYTES)
        total, tail = 0, b""
        while True:
            count = self._socket.recv_into(self._buffer)
            if count == 0:
                raise CommandFailedError("the server closed the connection")
            total += count
            tail = (tail + self._buffer[max(count - TAIL_BYTES, 0) : count])[-TAIL_BYTES:]
            answer = COMPLETED.search(tail) if tail.endswith(b"\r\n") else None
            if answer is not None:
                if answer[1] != b"OK":
                    raise CommandFailedError(answer[0].decode(errors="replace").strip())
                return total

    def close(self) -> None:
        """Hang up."""
        self._socket.close()
