"""Passwords that were proven lately, so that the next login with one costs microseconds, not an argon2id.

Nothing that is kept tells a password: entries are keyed hashes under a random key of this process.
The stored hash is part of what is hashed, so a changed password misses at once; whether the login may
still be used is the caller's to read each time.
"""

import hashlib
import secrets
from collections import OrderedDict

from freehold.accounts.model import Use

MAX_PROVEN = 10_000
"""Entries at the most (about 150 bytes each); the least recently used go first."""
PROVEN_MS = 10 * 60 * 1000
"""How long a proof counts; it is not prolonged by use."""

_DIGEST_BYTES = 16
_KEY_BYTES = 32


class ProvenLogins:
    """Remembers proofs of one process; for use on one event loop."""

    __slots__ = ("_expiry_ms", "_key", "_lifetime_ms", "_max_entries")

    def __init__(self, *, max_entries: int = MAX_PROVEN, lifetime_ms: int = PROVEN_MS) -> None:
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._max_entries = max_entries
        self._lifetime_ms = lifetime_ms
        self._expiry_ms: OrderedDict[bytes, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._expiry_ms)

    def fingerprint(self, login_id: int, use: Use, password: str, stored_hash: str) -> bytes:
        """Return the key under which a proof is remembered."""
        hasher = hashlib.blake2b(key=self._key, digest_size=_DIGEST_BYTES)
        for part in (str(login_id), use.value, stored_hash, password):
            octets = part.encode()
            hasher.update(len(octets).to_bytes(4, "big") + octets)
        return hasher.digest()

    def remember(self, fingerprint: bytes, *, now_ms: int) -> None:
        """Remember a proof that was just made."""
        self._expiry_ms[fingerprint] = now_ms + self._lifetime_ms
        self._expiry_ms.move_to_end(fingerprint)
        if len(self._expiry_ms) > self._max_entries:
            self._expiry_ms.popitem(last=False)

    def knows(self, fingerprint: bytes, *, now_ms: int) -> bool:
        """Tell whether this was proven within the time that a proof counts."""
        expiry_ms = self._expiry_ms.get(fingerprint)
        if expiry_ms is None:
            return False
        if expiry_ms <= now_ms:
            del self._expiry_ms[fingerprint]
            return False
        self._expiry_ms.move_to_end(fingerprint)
        return True
