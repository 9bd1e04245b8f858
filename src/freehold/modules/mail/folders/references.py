"""Counts of the references that messages hold to blobs."""

from collections import Counter
from collections.abc import Iterable

from freehold.storage.blobs import BlobStore
from freehold.storage.database import Transaction


def count_blobs(blob_ids: Iterable[int]) -> Counter[int]:
    """Return how often each blob is named."""
    return Counter(blob_ids)


async def release_blobs(tx: Transaction, blobs: BlobStore, counts: Counter[int]) -> None:
    """Give up references, in the order of ids so that transactions never wait for each other in a circle."""
    for blob_id, count in sorted(counts.items()):
        await blobs.release(tx, blob_id, count)


async def retain_blobs(tx: Transaction, blobs: BlobStore, counts: Counter[int]) -> None:
    """Add references, in the order of ids."""
    for blob_id, count in sorted(counts.items()):
        await blobs.add_references(tx, blob_id, count)
