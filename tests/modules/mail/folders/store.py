"""Drives the folder store the way sessions do, and reads back what is in the tables."""

from dataclasses import dataclass

from freehold.modules.mail.folders.append import Appended, NewMessage, append_message, insert_content
from freehold.modules.mail.folders.ranges import UidRange
from freehold.modules.mail.folders.read import Folder, find_folder
from freehold.storage.blobs import BlobStore, PreparedBlob
from freehold.storage.database import Transaction
from tests.mail_host import MailHost

NOW_MS = 1_700_000_000_000


async def mailbox_of(tx: Transaction, address: str) -> int:
    row = await tx.fetch_one("SELECT id FROM mailbox WHERE address = ?", address)
    assert row is not None
    return int(row[0])


async def store_message(
    tx: Transaction, blobs: BlobStore, blob: PreparedBlob, place: tuple[int, int], message: NewMessage
) -> Appended:
    await insert_content(tx, blobs, blob, message, references=1)
    return await append_message(tx, place[0], place[1], message, now_ms=NOW_MS, check_quota=True)


@dataclass(frozen=True)
class Box:
    """One person's mailbox on a host."""

    host: MailHost
    mailbox_id: int

    async def folder(self, name: str) -> Folder:
        return await self.host.runtime.database.read(find_folder, self.mailbox_id, name)

    async def append(
        self, name: str, content: bytes = b"content", *, flags: int = 0, keywords: str = ""
    ) -> tuple[Appended, int]:
        """Returns where it went, and the content's id."""
        runtime = self.host.runtime
        folder = await self.folder(name)
        blob_id = runtime.ids.next()
        message = NewMessage(
            blob_id, len(content), b"(envelope)", b"(structure)", NOW_MS + blob_id % 1000, flags, keywords
        )
        blob = await runtime.blobs.prepare(content)
        place = await runtime.database.write(
            store_message, runtime.blobs, blob, (self.mailbox_id, folder.id), message
        )
        return place, blob_id


async def open_box(host: MailHost, address: str) -> Box:
    return Box(host, await host.runtime.database.read(mailbox_of, address))


def uids_in(ranges: list[UidRange]) -> list[int]:
    return [uid for first, last in ranges for uid in range(first, last + 1)]
