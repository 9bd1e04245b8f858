"""SCRAM verifiers as they are stored, and the decoys that hide which logins exist (RFC 5802 §9)."""

import hmac
import secrets
from typing import Final

from freehold.accounts import store
from freehold.protocols.sasl.prepare import InvalidStringError
from freehold.protocols.sasl.scram import ScramVerifier
from freehold.storage.database import Database, StorageError, Transaction

SALT_OCTETS: Final = 16
KEY_OCTETS: Final = 32
SECRET_NAME: Final = "scram decoys"  # noqa: S105 - the name of one


def make_stored_verifier(prepared: str, iterations: int) -> str | None:
    """Return the stored form for a password, or None if SASLprep knows its characters not.

    SCRAM-SHA-256 rests on Unicode 3.2 (RFC 4013), so a password with an emoji works with PLAIN only.
    """
    try:
        verifier = ScramVerifier.derive(prepared, secrets.token_bytes(SALT_OCTETS), iterations)
    except InvalidStringError:
        return None
    return verifier.serialize()


def decoy_verifier(key: bytes, name: str, iterations: int) -> ScramVerifier:
    """Return a verifier that no password fits, the same one for the same name each time and on each node."""
    return ScramVerifier(
        salt=_derived(key, "salt", name)[:SALT_OCTETS],
        iterations=iterations,
        stored_key=_derived(key, "stored key", name),
        server_key=_derived(key, "server key", name),
    )


async def installation_key(database: Database) -> bytes:
    """Return the installation's secret for decoys; it is made at the first call."""
    key = await database.read(store.secret, SECRET_NAME)
    if key is not None:
        return key
    return await database.write(_keep_key, secrets.token_bytes(KEY_OCTETS))


async def _keep_key(tx: Transaction, new_key: bytes) -> bytes:
    await store.insert_secret(tx, SECRET_NAME, new_key)
    key = await store.secret(tx, SECRET_NAME)
    if key is None:
        raise StorageError
    return key


def _derived(key: bytes, purpose: str, name: str) -> bytes:
    return hmac.digest(key, f"{purpose}\0{name}".encode(), "sha256")
