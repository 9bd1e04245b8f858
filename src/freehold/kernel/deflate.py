"""Deflate both ways, without I/O (RFC 1951): in bounded pieces, and with little kept between bursts.

Both sides are raw streams without header, checksum or end, as COMPRESS=DEFLATE has them (RFC 4978 §4).
"""

import zlib

from freehold.errors import FreeholdError

LEVEL = 6
WINDOW_BITS = 13
MEMORY_LEVEL = 6
"""A compressor of 64 KiB; one of 256 KiB (15 and 8) makes IMAP's responses 0 to 3 percent smaller."""
MAX_PIECE_BYTES = 64 * 1024
"""How much is inflated at once, whatever it was deflated from."""
PEER_WINDOW_BYTES = 32 * 1024
"""How far back what comes may refer (RFC 1951 §2)."""

_FEED_BYTES = 4096
_FLUSHED = b"\0\0\xff\xff"
"""How a stream ends that was flushed to a byte (an empty stored block)."""
_FINAL_BLOCK = b"\1\0\0\xff\xff"
"""An empty stored block, the last one of a stream."""


class CompressionError(FreeholdError):
    """The peer's stream cannot be inflated."""

    public = "compressed data is malformed"


class Deflater:
    """What is sent. Between bursts it keeps nothing: a stream may go on without referring back."""

    __slots__ = ("_compressor",)

    def __init__(self) -> None:
        self._compressor: zlib._Compress | None = None

    def deflate(self, data: bytes) -> bytes:
        """Return all of `data` deflated and flushed, so that the peer can read it at once."""
        compressor = self._compressor
        if compressor is None:
            compressor = self._compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -WINDOW_BITS, MEMORY_LEVEL)
        return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)

    def rest(self) -> None:
        """Let go of the memory; the next piece is deflated without looking back."""
        self._compressor = None


class Inflater:
    """What comes. `feed` it, then `take` pieces until there is none; between bursts `rest`.

    At rest only what the peer may still refer to is kept, deflated: its last 32 KiB at the most.
    """

    __slots__ = ("_fed", "_has_more", "_history", "_inflater", "_last", "_packed")

    def __init__(self) -> None:
        self._fed = bytearray()
        self._has_more = False
        self._history = b""
        self._inflater: zlib._Decompress | None = None
        self._last = b""
        self._packed = b""

    @property
    def is_ended(self) -> bool:
        """Whether the peer has ended its stream; what comes behind is dropped."""
        return self._inflater is not None and self._inflater.eof

    @property
    def has_more(self) -> bool:
        """Whether `take` may have something to give."""
        return self._has_more or bool(self._fed)

    def feed(self, data: bytes) -> None:
        """Add deflated octets; the caller bounds them by taking first."""
        self._fed += data

    def take(self) -> bytes:
        """Return the next octets, at most `MAX_PIECE_BYTES`; nothing if more must be fed first.

        Raises:
            CompressionError: the stream is malformed.
        """
        inflater = self._inflater or self._wake()
        while self.has_more:
            given = bytes(self._fed[:_FEED_BYTES])
            try:
                piece = inflater.decompress(given, MAX_PIECE_BYTES)
            except zlib.error as error:
                raise CompressionError from error
            used = len(given) - len(inflater.unconsumed_tail)
            self._last = (self._last + given[:used])[-len(_FLUSHED) :]
            del self._fed[:used]
            self._has_more = len(piece) == MAX_PIECE_BYTES
            if piece:
                self._history = (self._history + piece)[-PEER_WINDOW_BYTES:]
                return piece
            if inflater.eof:
                self._fed.clear()
        return b""

    def rest(self) -> None:
        """Let go of the inflater where the stream stands between blocks, at a byte's end.

        So it stands after a flush. Elsewhere the inflater is kept, and nothing changes.
        """
        if self._inflater is None or self.has_more or self.is_ended:
            return
        if self._is_between_blocks(self._inflater):
            self._packed = zlib.compress(self._history)
            self._history = b""
            self._inflater = None

    def _is_between_blocks(self, inflater: "zlib._Decompress") -> bool:
        """Try whether a copy takes a final block for one: within another it would be read as data."""
        if self._last != _FLUSHED:
            return False
        probe = inflater.copy()
        try:
            piece = probe.decompress(_FINAL_BLOCK)
        except zlib.error:
            return False
        return probe.eof and not piece and not probe.unused_data

    def _wake(self) -> "zlib._Decompress":
        if self._packed:
            self._history = zlib.decompress(self._packed)
            self._packed = b""
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS, zdict=self._history)
        return self._inflater
