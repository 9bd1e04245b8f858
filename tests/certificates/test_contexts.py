import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from freehold.certificates.contexts import client_context, server_context
from freehold.certificates.errors import CertificateError
from freehold.certificates.self_signed import write_self_signed
from freehold.kernel.clock import SystemClock
from freehold.kernel.tls import facts_of
from tests.certificates.handshake import shake_hands


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "certificate.pem"
    write_self_signed("mail.example", path, SystemClock().now_ms())
    return path


def trusting(path: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(path))
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    return context


@pytest.mark.parametrize("name", ["mail.example", "localhost", "127.0.0.1", "::1"])
def test_a_self_signed_certificate_is_valid_for_its_names(pem: Path, name: str) -> None:
    client, _ = shake_hands(trusting(pem), server_context(pem, pem), name)
    assert client.version() == "TLSv1.3"


def test_a_self_signed_certificate_is_for_its_owner_only_and_never_replaced(pem: Path) -> None:
    before = pem.read_bytes()
    write_self_signed("other.example", pem, SystemClock().now_ms())
    assert pem.read_bytes() == before
    assert pem.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in pem.parent.iterdir()] == ["certificate.pem"]


def test_a_host_name_longer_than_a_common_name_is_served(tmp_path: Path) -> None:
    name = ".".join(["long" * 10] * 3) + ".example"
    path = tmp_path / "long.pem"
    write_self_signed(name, path, SystemClock().now_ms())
    shake_hands(trusting(path), server_context(path, path), name)


def test_the_negotiated_protocol_is_the_one_given(pem: Path) -> None:
    client_side = client_context(verify=False)
    client_side.set_alpn_protocols(["http/1.1", "imap"])
    client, _ = shake_hands(client_side, server_context(pem, pem, alpn=["imap"]), "mail.example")
    assert client.selected_alpn_protocol() == "imap"


def test_tls_1_2_has_forward_secrecy_and_no_tickets(pem: Path) -> None:
    client_side = client_context(verify=False)
    client_side.maximum_version = ssl.TLSVersion.TLSv1_2
    client, server = shake_hands(client_side, server_context(pem, pem), "mail.example")
    assert facts_of(server).cipher.startswith("ECDHE-")
    assert client.compression() is None
    assert client.session is not None
    assert not client.session.has_ticket


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_a_client_older_than_tls_1_2_is_refused(pem: Path) -> None:
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_side.check_hostname = False
    client_side.verify_mode = ssl.CERT_NONE
    client_side.set_ciphers("DEFAULT:@SECLEVEL=0")
    client_side.minimum_version = ssl.TLSVersion.TLSv1_1
    client_side.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        shake_hands(client_side, server_context(pem, pem), "mail.example")


def test_a_verifying_client_refuses_a_stranger(pem: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(client_context(verify=True), server_context(pem, pem), "mail.example")
    shake_hands(client_context(verify=False), server_context(pem, pem), "mail.example")


def test_a_key_of_another_certificate_is_named(pem: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    write_self_signed("other.example", other, SystemClock().now_ms())
    with pytest.raises(CertificateError, match="does not belong to the certificate"):
        server_context(pem, other)


def test_an_encrypted_key_is_named_and_not_asked_for(pem: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(CertificateError, match="is encrypted"):
        server_context(pem, key)


def test_files_that_are_missing_or_no_pem_are_named(pem: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    with pytest.raises(CertificateError, match=r"missing\.pem: cannot be read: No such file"):
        server_context(missing, pem)
    text = tmp_path / "text.pem"
    text.write_text("hello")
    with pytest.raises(CertificateError, match="not valid PEM"):
        server_context(text, pem)
