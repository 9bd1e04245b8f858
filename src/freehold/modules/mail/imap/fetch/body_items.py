"""Writes the items of FETCH that need a message's octets: sections, decoded parts, BODY (RFC 9051 §6.4.5)."""

import asyncio
from collections.abc import Iterable, Iterator

from freehold.modules.mail.imap.conversation import Conversation
from freehold.modules.mail.imap.messages.content import BodyItem, MessageContent, UnknownEncodingError
from freehold.protocols.imap import data_response
from freehold.protocols.imap.binary_section import BinarySection
from freehold.protocols.imap.body_section import BodySection
from freehold.protocols.mime.buffer import chunks
from freehold.protocols.mime.section import Range

PIECE_BYTES = 128 * 1024
"""Pieces in which a large message is sent."""

PARTIAL_BYTES = 512 * 1024
"""Partials of decoded parts up to here are in memory at once."""


def marks_seen(item: BodyItem) -> bool:
    r"""Tell whether fetching an item makes the message \Seen."""
    return isinstance(item, BodySection | BinarySection) and not item.peek


def write_item(content: MessageContent, item: BodyItem) -> bytes:
    """Write an item of a small message.

    Raises:
        UnknownEncodingError: it cannot be decoded.
    """
    if isinstance(item, BodySection):
        return data_response.body_item(item.label, _without_nul(content.octets(item)))
    if not isinstance(item, BinarySection):
        return b"BODY " + content.structure()
    pieces = content.decoded(item)
    octets = None if pieces is None else b"".join(pieces)
    if item.size_only:
        return b"%b %d" % (item.label, len(octets or b""))
    return data_response.body_item(item.label, octets)


async def send_item(conversation: Conversation, content: MessageContent, item: BodyItem) -> None:
    """Send an item, which `can_send` has passed, of a large message in pieces, as the client takes them."""
    if isinstance(item, BinarySection):
        await _send_decoded(conversation, content, item)
        return
    if not isinstance(item, BodySection):
        conversation.send(b"BODY " + content.structure())
        return
    found = content.locate(item)
    if not isinstance(found, Range) or found.start == found.end:
        octets = b"" if isinstance(found, Range) else _without_nul(found)
        conversation.send(data_response.body_item(item.label, octets))
        return
    conversation.send(b"%b {%d}\r\n" % (item.label, found.end - found.start))
    pieces = chunks(content.buffer, found.start, found.end, PIECE_BYTES)
    await _send_pieces(conversation, (_without_nul(piece) or b"" for piece in pieces))


def can_send(content: MessageContent, item: BodyItem) -> bool:
    """Tell whether an item can be written: an unknown encoding cannot be decoded."""
    if isinstance(item, BinarySection):
        try:
            content.decoded(item)
        except UnknownEncodingError:
            return False
    return True


async def _send_decoded(conversation: Conversation, content: MessageContent, item: BinarySection) -> None:
    """Send a decoded part: what is short is decoded once, the rest twice, for its length stands before it."""
    pieces = content.decoded(item)
    if pieces is None:
        conversation.send(b"%b %b" % (item.label, b"0" if item.size_only else b"NIL"))
        return
    if item.length is not None and item.length <= PARTIAL_BYTES:
        octets = await asyncio.to_thread(b"".join, pieces)
        conversation.send(data_response.body_item(item.label, octets))
        return
    size, has_nul = await asyncio.to_thread(_measure, pieces)
    if item.size_only or not size:
        conversation.send(b"%b %b" % (item.label, b"%d" % size if item.size_only else b'""'))
        return
    conversation.send(b"%b %b{%d}\r\n" % (item.label, b"~" if has_nul else b"", size))
    again = content.decoded(item) or iter(())
    conversation.send(await asyncio.to_thread(next, again, b""))  # behind all that a partial leaves out
    await _send_pieces(conversation, again)


async def _send_pieces(conversation: Conversation, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        conversation.send(piece)
        await conversation.peer.flush()
        await asyncio.sleep(0)


def _measure(pieces: Iterator[bytes]) -> tuple[int, bool]:
    """Return how many octets there are, and whether a NUL is among them."""
    size, has_nul = 0, False
    for piece in pieces:
        size += len(piece)
        has_nul = has_nul or 0 in piece
    return size, has_nul


def _without_nul(octets: bytes | None) -> bytes | None:
    """Replace NUL, which no literal may hold (RFC 3501 §4.3), as Dovecot does: sizes stay."""
    return octets.replace(b"\0", b"\x80") if octets is not None and 0 in octets else octets
