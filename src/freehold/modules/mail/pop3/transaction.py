"""What is said between login and QUIT, apart from the messages themselves (RFC 1939 §5, RFC 1939 §7)."""

import asyncio
from collections.abc import Iterator
from itertools import islice

from freehold.modules.mail.pop3.conversation import Conversation
from freehold.modules.mail.pop3.retrieve import find_message
from freehold.protocols.pop3 import reply
from freehold.protocols.pop3.events import Dele, List, Noop, Reset, Stat, Uidl
from freehold.protocols.pop3.listing import scan_line, unique_id_line

LINES_AT_ONCE = 2_000
"""Lines of a listing that are written at once."""


async def stat(conversation: Conversation, _event: Stat) -> None:
    """Answer STAT."""
    maildrop = conversation.maildrop
    conversation.send(reply.ok(f"{maildrop.count} {maildrop.octets}"))


async def list_messages(conversation: Conversation, event: List) -> None:
    """Answer LIST. Raises NoSuchMessageError."""
    maildrop = conversation.maildrop
    if event.number is not None:
        conversation.send(b"+OK " + scan_line(event.number, maildrop.size(event.number)))
        return
    lines = (scan_line(number, maildrop.size(number)) for number in maildrop.listed())
    await _send_lines(conversation, f"{maildrop.count} messages ({maildrop.octets} octets)", lines)


async def list_unique_ids(conversation: Conversation, event: Uidl) -> None:
    """Answer UIDL. Raises NoSuchMessageError."""
    maildrop = conversation.maildrop
    validity = maildrop.uid_validity
    if event.number is not None:
        uid = maildrop.uid(event.number)
        conversation.send(b"+OK " + unique_id_line(event.number, uid, validity))
        return
    lines = (unique_id_line(number, maildrop.uid(number), validity) for number in maildrop.listed())
    await _send_lines(conversation, f"{maildrop.count} messages", lines)


async def delete(conversation: Conversation, event: Dele) -> None:
    """Answer DELE; the message goes at QUIT.

    Raises:
        NoSuchMessageError: the number is none, or is marked already.
        MessageGoneError: somebody else has removed the message.
        AccessEndedError: the mailbox or its login was disabled or removed.
    """
    maildrop = conversation.maildrop
    await conversation.context.database.read(find_message, maildrop.mailbox_id, maildrop.row_id(event.number))
    maildrop.delete(event.number)
    conversation.send(reply.ok("Marked to be deleted"))


async def reset(conversation: Conversation, _event: Reset) -> None:
    """Answer RSET."""
    maildrop = conversation.maildrop
    maildrop.reset()
    conversation.send(reply.ok(f"{maildrop.count} messages ({maildrop.octets} octets)"))


async def nothing(conversation: Conversation, _event: Noop) -> None:
    """Answer NOOP."""
    conversation.send(reply.ok("Nothing done"))


async def _send_lines(conversation: Conversation, heading: str, lines: Iterator[bytes]) -> None:
    conversation.send(reply.ok(heading))
    while chunk := b"".join(islice(lines, LINES_AT_ONCE)):
        conversation.send(chunk)
        await conversation.peer.flush()
        await asyncio.sleep(0)
    conversation.send(reply.END_OF_LINES)
