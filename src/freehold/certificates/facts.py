"""What a certificate says of itself: its host names and when it is valid."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from freehold.certificates.errors import CertificateError


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Host names in lower case (`*.example.org` for a wildcard), and the bounds of validity in UTC."""

    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime


def read_facts(path: Path) -> CertificateFacts:
    """Return the facts of the first certificate in a PEM file, the one that is the server's own.

    Raises:
        CertificateError: the file cannot be read or holds no certificate.
    """
    from cryptography import x509  # noqa: PLC0415 - a heavy import, only for an owner's own files

    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise CertificateError(path, f"cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CertificateError(path, "holds no valid certificate") from error
    own = certificates[0]
    try:
        subject = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(name.lower() for name in subject.get_values_for_type(x509.DNSName))
    except (x509.ExtensionNotFound, ValueError):
        names = ()
    return CertificateFacts(names, own.not_valid_before_utc, own.not_valid_after_utc)
