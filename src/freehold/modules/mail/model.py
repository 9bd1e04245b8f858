"""Identifiers, flags and small values that all of mail shares."""

from enum import Enum, IntFlag
from typing import NewType

MailboxId = NewType("MailboxId", int)
FolderId = NewType("FolderId", int)
MessageId = NewType("MessageId", int)
"""`folder_id * 2**32 + uid`: a folder is one range of the primary key."""
Uid = NewType("Uid", int)

UID_BITS = 32
MAX_UID = 2**UID_BITS - 1


class Flag(IntFlag):
    r"""System flags as bits of `message.flags` (RFC 9051 §2.3.2); \Recent is a property of a session."""

    SEEN = 1
    ANSWERED = 2
    FLAGGED = 4
    DELETED = 8
    DRAFT = 16


class TargetKind(Enum):
    """Where an address delivers to (the words of `target.kind`)."""

    MAILBOX = "mailbox"
    ADDRESS = "address"
    MAILDIR = "maildir"
    MBOX = "mbox"
    PROGRAM = "program"
    DISCARD = "discard"


def message_id(folder_id: int, uid: int) -> MessageId:
    """Return the row id of a UID in a folder."""
    return MessageId(folder_id << UID_BITS | uid)
