"""What a server keeps of a password for SCRAM-SHA-256, and the arithmetic of the proof (RFC 5802 §3)."""

import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Self

from freehold.errors import InvalidValueError
from freehold.protocols.sasl.prepare import saslprep

MIN_ITERATIONS = 4096
"""Fewest rounds of PBKDF2 (RFC 7677 §4)."""

MAX_ITERATIONS = 10_000_000
"""Most rounds of a verifier; more would only tie up the processor."""

MAX_CLIENT_ITERATIONS = 1_000_000
"""Most rounds that a client takes from a server, which chooses them."""

MIN_SALT_OCTETS = 8
MAX_SALT_OCTETS = 128
_KEY_OCTETS = hashlib.sha256().digest_size
_LINE = re.compile(
    r"SCRAM-SHA-256\$([0-9]{1,8}):([A-Za-z0-9+/=]{4,256})\$([A-Za-z0-9+/=]{44}):([A-Za-z0-9+/=]{44})\Z"
)


class InvalidVerifierError(InvalidValueError):
    """The line is not a SCRAM-SHA-256 verifier within the bounds."""

    public = "this is not a SCRAM-SHA-256 verifier"


@dataclass(frozen=True, slots=True)
class ScramVerifier:
    """What proves a password without holding it."""

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes

    @classmethod
    def derive(cls, password: str, salt: bytes, iterations: int) -> Self:
        """Compute the verifier; 4096 rounds take about a millisecond of processor time.

        Raises:
            InvalidStringError: the password holds a character that is not allowed.
            InvalidVerifierError: salt or rounds are out of bounds.
        """
        _check_bounds(salt, iterations)
        salted = salted_password(password, salt, iterations)
        return cls(salt, iterations, stored_key_of(client_key_of(salted)), server_key_of(salted))

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read the line that `serialize` wrote; PostgreSQL keeps the same form.

        Raises:
            InvalidVerifierError: it is none.
        """
        match = _LINE.match(line)
        if match is None:
            raise InvalidVerifierError
        try:
            salt, stored_key, server_key = (
                binascii.a2b_base64(match[group], strict_mode=True) for group in (2, 3, 4)
            )
        except binascii.Error:
            raise InvalidVerifierError from None
        _check_bounds(salt, int(match[1]))
        if len(stored_key) != _KEY_OCTETS or len(server_key) != _KEY_OCTETS:
            raise InvalidVerifierError
        return cls(salt, int(match[1]), stored_key, server_key)

    def serialize(self) -> str:
        """Return `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`."""
        salt, stored, server = (_base64(octets) for octets in (self.salt, self.stored_key, self.server_key))
        return f"SCRAM-SHA-256${self.iterations}:{salt}${stored}:{server}"

    def __repr__(self) -> str:
        return f"ScramVerifier(iterations={self.iterations})"


def salted_password(password: str, salt: bytes, iterations: int) -> bytes:
    """Return Hi(Normalize(password), salt, i).

    Raises:
        InvalidStringError: the password holds a character that is not allowed.
    """
    return hashlib.pbkdf2_hmac("sha256", saslprep(password).encode(), salt, iterations)


def client_key_of(salted: bytes) -> bytes:
    """Return ClientKey, which only one who knows the password can compute."""
    return hmac.digest(salted, b"Client Key", "sha256")


def server_key_of(salted: bytes) -> bytes:
    """Return ServerKey, by which the server proves itself."""
    return hmac.digest(salted, b"Server Key", "sha256")


def stored_key_of(client_key: bytes) -> bytes:
    """Return StoredKey, against which a proof is checked."""
    return hashlib.sha256(client_key).digest()


def signature_of(key: bytes, auth_message: bytes) -> bytes:
    """Return ClientSignature of StoredKey, or ServerSignature of ServerKey."""
    return hmac.digest(key, auth_message, "sha256")


def xor(left: bytes, right: bytes) -> bytes:
    """Return the exclusive or of two strings of one length."""
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


def _check_bounds(salt: bytes, iterations: int) -> None:
    fits_salt = MIN_SALT_OCTETS <= len(salt) <= MAX_SALT_OCTETS
    if not (fits_salt and MIN_ITERATIONS <= iterations <= MAX_ITERATIONS):
        raise InvalidVerifierError


def _base64(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).decode("ascii")
