"""A large content as memory that is not kept: pages that were read are given back to the kernel.

A mapped file is not the process's own memory, yet its pages are counted as resident for as long as they are
mapped. Five people who read 100 MB each would make a process look, and be limited, as if it held 500.
"""

import mmap
from typing import Final

RELEASE_BYTES: Final = 1 << 20
"""After so much was read of a content all its pages are given back, and as much is read ahead."""


class MappedContent(mmap.mmap):
    """A mapped file that is read by slices, from one thread at a time; it behaves as `mmap.mmap`."""

    _read_bytes = 0

    def __getitem__(self, place: int | slice) -> int | bytes:  # type: ignore[override]
        """Return octets; large readers pass over the whole content and leave nothing behind."""
        found: int | bytes = super().__getitem__(place)
        if isinstance(found, bytes):
            self._read_bytes += len(found)
            if self._read_bytes >= RELEASE_BYTES:
                self._read_bytes = 0
                self._release(place)
        return found

    def _release(self, place: int | slice) -> None:
        """Give all pages back; the file has them still, and those behind `place` will be needed next."""
        self.madvise(mmap.MADV_DONTNEED)
        stop = place.stop if isinstance(place, slice) else None
        if isinstance(stop, int) and 0 < stop < len(self):
            start = stop - stop % mmap.PAGESIZE
            self.madvise(mmap.MADV_WILLNEED, start, min(RELEASE_BYTES, len(self) - start))


def map_content(descriptor: int) -> MappedContent:
    """Map a whole file, which has one byte at least; raises OSError."""
    return MappedContent(descriptor, 0, access=mmap.ACCESS_READ)
