"""Client side of SCRAM-SHA-256 (RFC 5802, RFC 7677): for a smarthost that asks for a login, and for tests."""

import hmac
import re

from freehold.errors import InvalidValueError
from freehold.protocols.sasl.mechanism import SaslError
from freehold.protocols.sasl.prepare import saslprep
from freehold.protocols.sasl.scram import (
    MAX_CLIENT_ITERATIONS,
    MIN_ITERATIONS,
    client_key_of,
    salted_password,
    server_key_of,
    signature_of,
    stored_key_of,
    xor,
)
from freehold.protocols.sasl.scram_messages import (
    MAX_NONCE_CHARACTERS,
    decode_base64,
    decode_message,
    encode_base64,
    encode_name,
)

# server-first-message = nonce "," salt "," iteration-count ["," extensions]
_SERVER_FIRST = re.compile(
    r"r=(?P<nonce>[!-+\--~]+),s=(?P<salt>[^,]+),i=(?P<iterations>[1-9][0-9]{0,7})(?:,.*)?\Z"
)
_GS2_HEADER = "n,,"


class ScramSha256Client:
    """Proves `password` to a server and checks that the server knows it too.

    `nonce` is at least 18 random octets in base64, new for each exchange.
    """

    __slots__ = ("_bare", "_nonce", "_password", "_server_signature")

    def __init__(self, login: str, password: str, nonce: str) -> None:
        try:
            self._bare = f"n={encode_name(saslprep(login))},r={nonce}"
        except InvalidValueError:
            raise SaslError from None
        self._password = password
        self._nonce = nonce
        self._server_signature = b""

    def first(self) -> bytes:
        """Return the initial response."""
        return f"{_GS2_HEADER}{self._bare}".encode()

    def final(self, server_first: bytes) -> bytes:
        """Answer the server's challenge with the proof.

        Raises:
            SaslError: the challenge is malformed, or its rounds are out of bounds.
        """
        challenge = decode_message(server_first)
        match = _SERVER_FIRST.match(challenge)
        if match is None:
            raise SaslError
        nonce, iterations = match["nonce"], int(match["iterations"])
        is_extended = (
            nonce.startswith(self._nonce) and len(self._nonce) < len(nonce) <= 2 * MAX_NONCE_CHARACTERS
        )
        if not is_extended or not MIN_ITERATIONS <= iterations <= MAX_CLIENT_ITERATIONS:
            raise SaslError
        try:
            salted = salted_password(self._password, decode_base64(match["salt"]), iterations)
        except InvalidValueError:
            raise SaslError from None
        without_proof = f"c={encode_base64(_GS2_HEADER.encode())},r={nonce}"
        auth_message = f"{self._bare},{challenge},{without_proof}".encode()
        client_key = client_key_of(salted)
        self._server_signature = signature_of(server_key_of(salted), auth_message)
        proof = xor(client_key, signature_of(stored_key_of(client_key), auth_message))
        return f"{without_proof},p={encode_base64(proof)}".encode()

    def check(self, server_final: bytes) -> None:
        """Check the server's signature; only then is it the right server.

        Raises:
            SaslError: it is wrong, or missing.
        """
        expected = f"v={encode_base64(self._server_signature)}".encode()
        if not self._server_signature or not hmac.compare_digest(server_final, expected):
            raise SaslError
