"""A person's folders as the index sees them: messages put in at once, searched as IMAP does."""

from freehold.modules.mail.delivery.arrival import examine
from freehold.modules.mail.folders.append import NewMessage, append_message, insert_content
from freehold.modules.mail.search.indexer import Indexer
from freehold.storage.database import Transaction
from tests.mail_host import MailHost


async def folder_id(host: MailHost, address: str, name: str = "INBOX") -> int:
    """Return a folder's id."""

    async def find(tx: Transaction) -> int:
        row = await tx.fetch_one(
            "SELECT f.id FROM folder AS f JOIN mailbox AS m ON m.id = f.mailbox_id"
            " WHERE m.address = ? AND f.name = ?",
            address,
            name,
        )
        assert row is not None
        return int(row[0])

    return await host.runtime.database.read(find)


async def put(host: MailHost, address: str, *messages: bytes, name: str = "INBOX") -> None:
    """Put messages into a folder."""
    target = await folder_id(host, address, name)
    for data in messages:
        await _put_one(host, target, data)


async def _put_one(host: MailHost, target: int, data: bytes) -> None:
    blob = await host.runtime.blobs.prepare(data)
    found = await examine(blob)
    message = NewMessage(
        blob_id=host.runtime.ids.next(),
        size_bytes=blob.size,
        envelope=found.envelope,
        body_structure=found.body_structure,
        internal_ms=1,
    )

    async def add(tx: Transaction) -> None:
        row = await tx.fetch_one("SELECT mailbox_id FROM folder WHERE id = ?", target)
        assert row is not None
        await insert_content(tx, host.runtime.blobs, blob, message, references=1)
        await append_message(tx, row[0], target, message, now_ms=1, check_quota=False)

    await host.runtime.database.write(add)


def indexer(host: MailHost) -> Indexer:
    """Return an indexer that does not rest."""
    return Indexer(host.runtime, rest=0)
