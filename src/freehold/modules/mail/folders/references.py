"""Counts of the references that messages hold to blobs."""

from collections import Counter
from collections.abc import Iterable

from freehold.storage.blobs import BlobStore
from freehold.storage.database import Transaction


def count_blobs(blob_ids: Iterable[int]) -> Counter[int]:
    """Return how often each blob is named."""
    return Counter(blob_ids)


async def release_blobs(tx: Transaction, blobs: BlobStore, counts: Counter[int]) -> None:
    """Give up references."""
    await blobs.release_many(tx, counts)


async def retain_blobs(tx: Transaction, blobs: BlobStore, counts: Counter[int]) -> None:
    """Add references."""
    await blobs.add_references(tx, counts)
