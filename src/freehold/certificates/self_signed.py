"""A certificate for the first minute: self-signed, so that TLS works before an authority has signed one."""

import contextlib
import datetime
import ipaddress
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

VALID_YEARS = 10
DAYS_A_YEAR = 365
MAX_COMMON_NAME_CHARACTERS = 64
"""The upper bound of a common name (RFC 5280, ub-common-name); longer names are in the SAN only."""


def write_self_signed(hostname: str, path: Path, now_ms: int) -> None:
    """Write an ECDSA P-256 key and a certificate of it for the host, unless the file exists; mode 0600.

    Both are in one PEM file, which appears whole or not at all, so a key never meets the certificate
    of another. Names: the host, `localhost`, 127.0.0.1 and ::1. Takes some milliseconds, and once the
    import of the library.
    """
    pem = _make(hostname, datetime.datetime.fromtimestamp(now_ms / 1000, datetime.UTC))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another process was first; all serve what it wrote
            os.link(temporary, path)
    finally:
        Path(temporary).unlink()


def _make(hostname: str, now: datetime.datetime) -> bytes:
    from cryptography import x509  # noqa: PLC0415 - a heavy import, needed once in a server's life
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    common_name = hostname if len(hostname) <= MAX_COMMON_NAME_CHARACTERS else "localhost"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(secrets.token_bytes(16)) >> 1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_YEARS * DAYS_A_YEAR))
        .add_extension(x509.SubjectAlternativeName(_names(hostname)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _names(hostname: str) -> "list[x509.GeneralName]":
    from cryptography import x509  # noqa: PLC0415 - as above

    names: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys((hostname, "localhost"))]
    return names + [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
