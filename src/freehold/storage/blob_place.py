"""Where large contents are kept: what files and an S3-compatible store have in common."""

import mmap
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from freehold.storage.blob_spool import Spool
from freehold.storage.database import StorageError

View = bytes | mmap.mmap


class BlobMissingError(StorageError):
    """A row names a content that is not there: `doctor` reports it, trying again does not help."""

    public = "the message's content is missing"
    temporary = False


class BlobPlace(Protocol):
    """A store of large contents by key. All methods raise StorageError; reading, BlobMissingError."""

    async def keep(self, spool: Spool) -> None:
        """Store a spooled content under its key, durably; its memory can still be mapped."""
        ...

    async def read(self, key: str, offset: int, length: int) -> bytes:
        """Return a part that lies within the content."""
        ...

    def open_view(self, key: str) -> AbstractAsyncContextManager[View]:
        """Lend the whole content."""
        ...

    async def remove(self, keys: list[str]) -> None:
        """Remove contents; those that are gone already are no error."""
        ...

    async def size(self, key: str) -> int | None:
        """Return the bytes of a content, None when it is missing."""
        ...

    def keys_before(self, moment_ms: int) -> AsyncIterator[list[str]]:
        """Return, in batches, the keys of contents last changed before a moment."""
        ...
