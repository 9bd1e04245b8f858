"""The certificates in force: which file serves which host name, read again when told or changed.

Files of the owner are named in the configuration; without any, one self-signed certificate is made in
the data folder. A reload makes new contexts; connections that are open keep the one they began with.
"""

import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from freehold.certificates.contexts import server_context
from freehold.certificates.errors import CertificateError
from freehold.certificates.facts import CertificateFacts, read_facts
from freehold.certificates.self_signed import write_self_signed
from freehold.kernel.clock import Clock
from freehold.kernel.tls import SniObject

log = logging.getLogger("freehold.certificates")

SELF_SIGNED_FILE = Path("certificates") / "self-signed.pem"
"""Within the data folder."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A chain and its key as PEM files; they may be the same file."""

    certificate: Path
    key: Path


class CertificateStore:
    """Gives listeners the TLS context for their next handshake.

    The first files are the default: for clients that name no host, or one that no certificate has.
    """

    def __init__(self, data: Path, hostname: str, files: Sequence[CertificateFiles], clock: Clock) -> None:
        """Load the certificates; makes a self-signed one where none are given and none was made before.

        Raises:
            CertificateError: a given certificate or key cannot be used.
        """
        self._clock = clock
        self._has_own_files = not files
        self._files = tuple(files) or (_own_files(data, hostname, clock),)
        self._seen = self._stamps()
        self._context = self._load()

    def context(self) -> ssl.SSLContext:
        """Return the context for the next handshake; it chooses the certificate by SNI itself."""
        return self._context

    def reload(self) -> None:
        """Read the files again; where one cannot be used, what was in force stays so, and that is logged."""
        self._seen = self._stamps()
        try:
            self._context = self._load()
        except CertificateError as error:
            log.warning("certificates not reloaded", extra={"fields": {"reason": error.public}})

    def reload_if_changed(self) -> bool:
        """Reload where a file was replaced since it was read; tells whether one was. Cheap: a stat each."""
        if self._stamps() == self._seen:
            return False
        self.reload()
        return True

    def _load(self) -> ssl.SSLContext:
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC)
        by_name: dict[str, ssl.SSLContext] = {}
        contexts: list[ssl.SSLContext] = []
        for files in self._files:
            context = server_context(files.certificate, files.key)
            contexts.append(context)
            if self._has_own_files:
                continue  # serves every name, for ten years
            facts = read_facts(files.certificate)
            _warn_of_validity(files.certificate, facts, now)
            for name in facts.names:
                by_name.setdefault(name, context)
        _choose_by_name(contexts[0], by_name)
        return contexts[0]

    def _stamps(self) -> tuple[tuple[int, int, int], ...]:
        paths = [path for files in self._files for path in (files.certificate, files.key)]
        return tuple(_stamp(path) for path in paths)


def find_context(by_name: dict[str, ssl.SSLContext], name: str) -> ssl.SSLContext | None:
    """Return the context of the host's own name, or of the wildcard one level up (RFC 9525 §6.3)."""
    name = name.lower().removesuffix(".")
    exact = by_name.get(name)
    if exact is not None:
        return exact
    return by_name.get("*." + name.partition(".")[2])


def _choose_by_name(context: ssl.SSLContext, by_name: dict[str, ssl.SSLContext]) -> None:
    """Have the default context note the name that a client asks for, and switch to its certificate."""

    def choose(tls: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        if name is None:
            return
        if isinstance(tls, SniObject):
            tls.requested_name = name.lower()
        wanted = find_context(by_name, name)
        if wanted is not None and wanted is not context:
            tls.context = wanted

    context.sni_callback = choose


def _own_files(data: Path, hostname: str, clock: Clock) -> CertificateFiles:
    path = data / SELF_SIGNED_FILE
    if not path.exists():
        write_self_signed(hostname, path, clock.now_ms())
        log.info("self-signed certificate made", extra={"fields": {"path": str(path), "hostname": hostname}})
    return CertificateFiles(path, path)


def _warn_of_validity(path: Path, facts: CertificateFacts, now: datetime) -> None:
    fields: dict[str, object] = {"path": str(path)}
    if facts.not_after < now:
        fields["expired"] = facts.not_after.isoformat()
        log.warning("certificate has expired", extra={"fields": fields})
    elif facts.not_before > now:
        fields["valid_from"] = facts.not_before.isoformat()
        log.warning("certificate is not valid yet", extra={"fields": fields})


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return (status.st_mtime_ns, status.st_ino, status.st_size)
