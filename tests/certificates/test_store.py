import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from freehold.certificates.contexts import client_context
from freehold.certificates.errors import CertificateError
from freehold.certificates.store import CertificateFiles, CertificateStore
from freehold.kernel.clock import SystemClock
from freehold.kernel.tls import facts_of
from tests.certificates.handshake import shake_hands

CLOCK = SystemClock()


def write_certificate(folder: Path, *names: str, days: int = 30) -> CertificateFiles:
    """Write a certificate for the names, and its key apart, as an authority's client does."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    files = CertificateFiles(folder / "chain.pem", folder / "key.pem")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def served_to(store: CertificateStore, name: str | None) -> bytes:
    """Return the certificate that a client asking for the name is shown."""
    client, _ = shake_hands(client_context(verify=False), store.context(), name)
    shown = client.getpeercert(binary_form=True)
    assert shown is not None
    return shown


def test_without_files_a_certificate_is_made_once(tmp_path: Path) -> None:
    first = CertificateStore(tmp_path, "mail.example", (), CLOCK)
    again = CertificateStore(tmp_path, "mail.example", (), CLOCK)
    assert served_to(first, "mail.example") == served_to(again, "elsewhere.example")


def test_the_certificate_is_chosen_by_host_name(tmp_path: Path) -> None:
    files = [
        write_certificate(tmp_path / "default", "default.example"),
        write_certificate(tmp_path / "exact", "Mail.other.example"),
        write_certificate(tmp_path / "wildcard", "*.wild.example"),
    ]
    store = CertificateStore(tmp_path, "default.example", files, CLOCK)
    assert b"Mail.other.example" in served_to(store, "mail.OTHER.example")
    assert b"*.wild.example" in served_to(store, "any.wild.example")
    for name in (None, "unknown.example", "two.levels.wild.example", "wild.example"):
        assert b"default.example" in served_to(store, name)


def test_the_host_name_asked_for_is_remembered(tmp_path: Path) -> None:
    files = [
        write_certificate(tmp_path / "one", "one.example"),
        write_certificate(tmp_path / "two", "two.example"),
    ]
    store = CertificateStore(tmp_path, "one.example", files, CLOCK)
    for asked in ("one.example", "two.example", None):
        _, server = shake_hands(client_context(verify=False), store.context(), asked)
        assert facts_of(server).server_name == asked


def test_a_replaced_file_is_noticed_and_served(tmp_path: Path) -> None:
    files = write_certificate(tmp_path / "site", "old.example")
    store = CertificateStore(tmp_path, "old.example", [files], CLOCK)
    assert not store.reload_if_changed()
    write_certificate(tmp_path / "site", "new.example", "second-name.example")
    assert store.reload_if_changed()
    assert not store.reload_if_changed()
    assert b"new.example" in served_to(store, "new.example")


def test_a_broken_file_leaves_the_old_certificate_in_force(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = write_certificate(tmp_path / "site", "old.example")
    store = CertificateStore(tmp_path, "old.example", [files], CLOCK)
    files.certificate.write_text("not a certificate")
    store.reload()
    assert b"old.example" in served_to(store, "old.example")
    assert "certificates not reloaded" in caplog.text


def test_an_expired_certificate_is_served_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = write_certificate(tmp_path / "site", "old.example", days=-1)
    store = CertificateStore(tmp_path, "old.example", [files], CLOCK)
    assert b"old.example" in served_to(store, "old.example")
    assert "certificate has expired" in caplog.text


def test_a_given_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    missing = CertificateFiles(tmp_path / "chain.pem", tmp_path / "key.pem")
    with pytest.raises(CertificateError, match="cannot be read"):
        CertificateStore(tmp_path, "mail.example", [missing], CLOCK)
