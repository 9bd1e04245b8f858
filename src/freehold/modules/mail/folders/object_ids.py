"""Object ids (RFC 8474): lasting names of folders and of contents that tell nothing else.

A content keeps its id in every folder of a mailbox. Two mailboxes with the same content call it
differently: the ids are a permutation of the blobs' numbers under a key of each mailbox, so nobody learns
from them who else got a message. The permutation is a Feistel network of four keyed rounds.
"""

import re
from hashlib import blake2b

from freehold.modules.mail.errors import FolderNotFoundError
from freehold.storage.database import Transaction

MAX_BLOB_ID = 2**63 - 1

_HALF_BITS = 32
_HALF = 2**_HALF_BITS - 1
_ROUNDS = (b"1", b"2", b"3", b"4")
_EMAIL_ID = re.compile(r"M([0-9a-f]{16})")


def folder_object_id(folder_id: int) -> str:
    """Return a folder's MAILBOXID: a rename keeps it, and it never comes again (RFC 8474 §4)."""
    return f"F{folder_id:x}"


class EmailIds:
    """EMAILIDs of one mailbox (RFC 8474 §5.1), both ways."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of_blob(self, blob_id: int) -> str:
        """Return the id of a content."""
        left, right = blob_id >> _HALF_BITS, blob_id & _HALF
        for number in _ROUNDS:
            left, right = right, left ^ self._mix(number, right)
        return f"M{left << _HALF_BITS | right:016x}"

    def blob_of(self, email_id: str) -> int | None:
        """Return the content of an id, which may not exist, or None for what is no id of ours."""
        match = _EMAIL_ID.fullmatch(email_id)
        if match is None:
            return None
        whole = int(match[1], 16)
        left, right = whole >> _HALF_BITS, whole & _HALF
        for number in reversed(_ROUNDS):
            left, right = right ^ self._mix(number, left), left
        blob_id = left << _HALF_BITS | right
        return blob_id if blob_id <= MAX_BLOB_ID else None

    def _mix(self, number: bytes, half: int) -> int:
        digest = blake2b(half.to_bytes(4) + number, digest_size=4, key=self._key).digest()
        return int.from_bytes(digest)


async def read_email_ids(tx: Transaction, folder_id: int) -> EmailIds:
    """Return the ids of the mailbox that a folder belongs to.

    Raises:
        FolderNotFoundError: the folder is gone.
    """
    row = await tx.fetch_one(
        "SELECT m.object_key FROM folder AS f JOIN mailbox AS m ON m.id = f.mailbox_id WHERE f.id = ?",
        folder_id,
    )
    if row is None:
        raise FolderNotFoundError
    return EmailIds(bytes(row[0]))
