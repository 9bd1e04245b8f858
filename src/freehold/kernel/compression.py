"""A transport that deflates what is written to another one and inflates what comes from it.

It stands between a connection and its transport, TLS or not, so that a connection that does not
compress has nothing to do with it. Pieces are bounded: other connections get their turn between
two of them, and no more is inflated than the connection is ready to queue.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from freehold.kernel.deflate import CompressionError, Deflater, Inflater
from freehold.kernel.log import get_logger

PIECE_BYTES = 32 * 1024
"""How much is deflated at once: less than a millisecond."""
REST_SECONDS = 1.0
"""After this long without traffic, or up to twice this, nearly all memory is given back."""

log = get_logger("freehold.listener")


class CompressedTransport(asyncio.Transport, asyncio.Protocol):
    """The transport of a connection, and the protocol of the transport below it."""

    __slots__ = (
        "_below", "_connection", "_deflater", "_inflater", "_is_active", "_is_blocked", "_is_holding",
        "_is_reading_paused", "_is_scheduled", "_log_fields", "_loop", "_plain", "_saw_eof", "_timer",
    )  # fmt: skip

    def __init__(
        self,
        below: asyncio.Transport,
        connection: asyncio.Protocol,
        came: bytes,
        *,
        is_blocked: bool,
        log_fields: Callable[[], dict[str, object]],
    ) -> None:
        """Take over a transport from its connection.

        `came` was read already and is inflated soon. `is_blocked` says that the transport has had the
        connection pause writing. `log_fields` returns whose connection this is, for the log.
        """
        super().__init__()
        self._below = below
        self._connection = connection
        self._log_fields = log_fields
        self._loop = asyncio.get_running_loop()
        self._deflater = Deflater()
        self._inflater = Inflater()
        self._plain = bytearray()
        self._is_active = False
        self._is_blocked = self._is_holding = is_blocked
        self._is_reading_paused = False
        self._is_scheduled = False
        self._saw_eof = False
        self._timer: asyncio.TimerHandle | None = None
        self._inflater.feed(came)
        below.set_protocol(self)
        self._loop.call_soon(self._go_on_reading)

    # What the connection asks of its transport.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Queue octets; the first piece leaves at once."""
        self._plain += data
        if not self._is_scheduled:
            self._deflate()

    def close(self) -> None:
        """Hand over all that was written, then close."""
        if self._plain:
            self._below.write(self._deflater.deflate(bytes(self._plain)))
            self._plain.clear()
        self._below.close()

    def abort(self) -> None:
        """Close without sending what was written."""
        self._plain.clear()
        self._below.abort()

    def pause_reading(self) -> None:
        """Inflate nothing more, and read nothing more."""
        self._is_reading_paused = True
        self._below.pause_reading()

    def resume_reading(self) -> None:
        """Go on soon with what is here already, then with reading."""
        self._is_reading_paused = False
        self._loop.call_soon(self._go_on_reading)

    def is_closing(self) -> bool:
        """Tell whether the transport closes."""
        return self._below.is_closing()

    def get_write_buffer_size(self) -> int:
        """Return how much waits to be deflated or sent."""
        return len(self._plain) + self._below.get_write_buffer_size()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Ask the transport below."""
        return self._below.get_extra_info(name, default)

    # What the transport below tells.

    def data_received(self, data: bytes) -> None:
        """Inflate what came, unless the connection has enough."""
        self._inflater.feed(data)
        if not self._is_reading_paused:
            self._inflate()

    def eof_received(self) -> bool | None:
        """Tell of the end of file behind all that came before it."""
        self._saw_eof = True
        if self._is_reading_paused or self._inflater.has_more:
            return self.get_extra_info("ssl_object") is None
        return self._connection.eof_received()

    def pause_writing(self) -> None:
        """Deflate nothing more until the transport below has room again."""
        self._is_blocked = True
        self._tell_writer()

    def resume_writing(self) -> None:
        """Go on deflating."""
        self._is_blocked = False
        if not self._is_scheduled:
            self._deflate()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the connection."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._plain.clear()
        self._connection.connection_lost(exc)

    # The work.

    def _deflate(self) -> None:
        """Send one piece of what was written, and have the next one follow."""
        self._is_scheduled = False
        if self._plain and not self._is_blocked:
            piece = bytes(self._plain[:PIECE_BYTES])
            del self._plain[:PIECE_BYTES]
            self._below.write(self._deflater.deflate(piece))
            self._keep_awake()
        if self._plain and not self._is_blocked:
            self._is_scheduled = True
            self._loop.call_soon(self._deflate)
        self._tell_writer()

    def _tell_writer(self) -> None:
        """Have the connection wait while something is left to deflate or the transport below is full."""
        is_holding = self._is_blocked or bool(self._plain)
        if is_holding == self._is_holding:
            return
        self._is_holding = is_holding
        if is_holding:
            self._connection.pause_writing()
        else:
            self._connection.resume_writing()

    def _inflate(self) -> None:
        """Give the connection pieces until it has enough."""
        self._keep_awake()
        try:
            while not self._is_stopped:
                piece = self._inflater.take()
                if not piece:
                    break
                self._connection.data_received(piece)
        except CompressionError as error:
            log.info("connection cut off", **self._log_fields(), reason=error.public)
            self.abort()
        is_ended = self._saw_eof or self._inflater.is_ended
        if is_ended and not self._is_stopped and not self._connection.eof_received():
            self._below.close()

    def _go_on_reading(self) -> None:
        """Inflate what is here, and read on if that was not enough."""
        if not self._is_stopped:
            self._inflate()
        if not self._is_stopped:
            self._below.resume_reading()

    @property
    def _is_stopped(self) -> bool:
        """Whether the connection has paused reading, or is over."""
        return self._is_reading_paused or self._below.is_closing()

    def _keep_awake(self) -> None:
        self._is_active = True
        if self._timer is None:
            self._timer = self._loop.call_later(REST_SECONDS, self._rest)

    def _rest(self) -> None:
        """Give memory back when nothing has happened since this was called last."""
        self._timer = None
        if self._is_active:
            self._is_active = False
            self._timer = self._loop.call_later(REST_SECONDS, self._rest)
            return
        self._deflater.rest()
        self._inflater.rest()
