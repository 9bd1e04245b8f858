"""Server side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding."""

import hmac
from enum import Enum, auto

from freehold.protocols.sasl.mechanism import (
    Challenge,
    Finished,
    ProvenIdentity,
    SaslError,
    Step,
    VerifierNeeded,
)
from freehold.protocols.sasl.scram import ScramVerifier, signature_of, stored_key_of, xor
from freehold.protocols.sasl.scram_messages import (
    ClientFirst,
    encode_base64,
    parse_client_final,
    parse_client_first,
)


class _Stage(Enum):
    FIRST = auto()
    VERIFIER = auto()
    FINAL = auto()
    ACKNOWLEDGEMENT = auto()
    OVER = auto()


class ScramSha256Mechanism:
    """Proves a password that neither side sends.

    `server_nonce` is at least 18 random octets in base64, new for each exchange.
    """

    __slots__ = ("_asked", "_first", "_nonce", "_server_first", "_server_nonce", "_stage", "_verifier")

    def __init__(self, server_nonce: str) -> None:
        self._server_nonce = server_nonce
        self._stage = _Stage.FIRST
        self._asked = False
        self._first: ClientFirst | None = None
        self._nonce = ""
        self._server_first = ""
        self._verifier: ScramVerifier | None = None

    def step(self, response: bytes) -> Step:
        """Take the next response; the first leads to VerifierNeeded, to be answered by `provide`.

        Raises:
            SaslError: a message is malformed or out of order, or the proof is wrong.
        """
        stage, self._stage = self._stage, _Stage.OVER
        match stage:
            case _Stage.FIRST:
                return self._take_first(response)
            case _Stage.FINAL if self._first is not None and self._verifier is not None:
                return self._take_final(response, self._first, self._verifier)
            case _Stage.ACKNOWLEDGEMENT if self._first is not None and not response:
                return Finished(ProvenIdentity(self._first.authorization, self._first.login))
            case _:
                raise SaslError

    def provide(self, verifier: ScramVerifier) -> Challenge:
        """Give the verifier of the login that was asked for, and return the challenge.

        Raises:
            SaslError: none was asked for.
        """
        if self._stage is not _Stage.VERIFIER or self._first is None:
            raise SaslError
        self._verifier = verifier
        self._nonce = self._first.nonce + self._server_nonce
        self._server_first = f"r={self._nonce},s={encode_base64(verifier.salt)},i={verifier.iterations}"
        self._stage = _Stage.FINAL
        return Challenge(self._server_first.encode())

    def _take_first(self, response: bytes) -> Step:
        if not response and not self._asked:
            self._asked = True
            self._stage = _Stage.FIRST
            return Challenge(b"")
        self._first = parse_client_first(response)
        self._stage = _Stage.VERIFIER
        return VerifierNeeded(self._first.login)

    def _take_final(self, response: bytes, first: ClientFirst, verifier: ScramVerifier) -> Step:
        final = parse_client_final(response)
        same_nonce = hmac.compare_digest(final.nonce.encode(), self._nonce.encode())
        if not same_nonce or final.channel_binding != first.gs2_header.encode():
            raise SaslError
        auth_message = f"{first.bare},{self._server_first},{final.without_proof}".encode()
        signature = signature_of(verifier.stored_key, auth_message)
        if len(final.proof) != len(signature):
            raise SaslError
        client_key = xor(final.proof, signature)
        if not hmac.compare_digest(stored_key_of(client_key), verifier.stored_key):
            raise SaslError
        self._stage = _Stage.ACKNOWLEDGEMENT
        server_signature = signature_of(verifier.server_key, auth_message)
        return Challenge(f"v={encode_base64(server_signature)}".encode())
