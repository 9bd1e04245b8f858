"""TLS contexts: what Freehold offers as a server, and what it accepts as a client.

Settings follow RFC 8996 (nothing below TLS 1.2), RFC 9325 (only ciphers with forward secrecy and
authenticated encryption) and RFC 7435 (opportunistic security for mail between servers).
"""

import ssl
from collections.abc import Sequence
from pathlib import Path

from freehold.certificates.errors import CertificateError
from freehold.kernel.tls import SniObject

TLS_1_2_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""RFC 9325 §4.2; TLS 1.3 suites are all good and not set here."""


def server_context(certificate: Path, key: Path, *, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """Return a context that serves with the certificate chain and key of these PEM files.

    Neither tickets nor compression nor renegotiation: each connection is a full handshake, which an
    ECDSA key makes cheap, and no ticket key outlives it. Idle connections hold no session state.

    Raises:
        CertificateError: a file cannot be read, is no PEM, or the key does not belong to the certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(TLS_1_2_CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_SINGLE_ECDH_USE
    context.num_tickets = 0
    context.sslobject_class = SniObject
    if alpn:
        context.set_alpn_protocols(list(alpn))
    _load(context, certificate, key)
    return context


def client_context(*, verify: bool) -> ssl.SSLContext:
    """Return a context for outgoing connections.

    Without `verify` it encrypts to whoever answers, with whatever certificate: for mail to a server
    that promised nothing, the alternative is plain text (RFC 7435, RFC 3207 §4.1), so even ciphers
    without forward secrecy are taken; TLS 1.2 is still the least. With `verify` the certificate must
    be valid for the name by the system's authorities: for a relay host, MTA-STS and retrieval.
    """
    if verify:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    for path in (certificate, key):
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise CertificateError(path, f"cannot be read: {error.strerror}") from error
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _EncryptedKeyError as error:
        raise CertificateError(key, "the key is encrypted; store it without a passphrase") from error
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise CertificateError(
                key, f"the key does not belong to the certificate {certificate}"
            ) from error
        raise CertificateError(
            certificate, f"certificate or key is not valid PEM ({error.reason})"
        ) from error


class _EncryptedKeyError(Exception):
    pass


def _no_password() -> str:
    """Refuse instead of letting OpenSSL ask on a terminal."""
    raise _EncryptedKeyError
