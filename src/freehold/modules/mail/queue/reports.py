"""Bounces and delay warnings: written before the transaction that stores them."""

import secrets
from collections.abc import Sequence

from freehold.errors import NotFoundError
from freehold.modules.mail.delivery.own_message import receive_own
from freehold.modules.mail.queue.outcome import Result
from freehold.modules.mail.queue.settle import Attempt, Report
from freehold.modules.mail.queue.store import Claim
from freehold.protocols.mime.report import Action, DeliveryReport, RecipientReport, delivery_report
from freehold.storage.blobs import BlobMissingError, BlobStore
from freehold.storage.ids import IdMaker

MAX_RETURNED_BYTES = 256 * 1024
"""Of longer messages only the header is returned."""


class ReportWriter:
    """Writes what a sender is told of an attempt (RFC 3464)."""

    def __init__(self, blobs: BlobStore, ids: IdMaker, hostname: str) -> None:
        self._blobs = blobs
        self._ids = ids
        self._hostname = hostname

    async def write(self, claim: Claim, attempts: Sequence[Attempt], *, now_ms: int) -> Report | None:
        """Return the report that these outcomes call for, or None.

        A message with the null reverse-path is a report itself: what becomes of it goes to postmaster,
        into mailboxes of ours only, so nothing loops (RFC 5321 §6.1).

        Raises:
            StorageError: the report cannot be written now.
        """
        told = [each for each in attempts if each.is_reported]
        if not told:
            return None
        is_about_report = not claim.reverse_path
        to = f"postmaster@{self._hostname}" if is_about_report else claim.reverse_path
        report = self._report(claim, told, to, await self._original(claim), now_ms)
        received = await receive_own(
            self._blobs,
            self._ids,
            delivery_report(report),
            client="report",
            is_utf8=claim.is_utf8 or not _addresses(report).isascii(),
            now_ms=now_ms,
        )
        return Report(to, received, local_only=is_about_report)

    async def _original(self, claim: Claim) -> bytes:
        """Return the message, or the whole lines at the head of a long one; nothing if it is lost."""
        try:
            original = await self._blobs.read(claim.blob_id, claim.skip_bytes, MAX_RETURNED_BYTES)
        except (NotFoundError, BlobMissingError):
            return b""
        if claim.size_bytes <= MAX_RETURNED_BYTES:
            return original
        return original[: original.rfind(b"\r\n") + 2]

    def _report(
        self, claim: Claim, told: Sequence[Attempt], to: str, original: bytes, now_ms: int
    ) -> DeliveryReport:
        token = secrets.token_hex(12)
        return DeliveryReport(
            hostname=self._hostname,
            sender=to,
            utc_ms=now_ms,
            message_id=f"{token}@{self._hostname}",
            boundary=f"report-{token}",
            recipients=tuple(_recipient_report(each, now_ms) for each in told),
            original=original,
            headers_only=claim.size_bytes > MAX_RETURNED_BYTES,
            arrival_ms=claim.created_ms,
        )


def _addresses(report: DeliveryReport) -> str:
    """Return all addresses that the report names."""
    named = [(each.final_recipient, each.original_recipient or "") for each in report.recipients]
    return report.sender + "".join(final + original for final, original in named)


def _recipient_report(attempt: Attempt, now_ms: int) -> RecipientReport:
    recipient, outcome = attempt.recipient, attempt.outcome
    is_failed = outcome.result is Result.FAILED
    original = recipient.original_recipient
    return RecipientReport(
        final_recipient=original if "@" not in recipient.recipient else recipient.recipient,
        action=Action.FAILED if is_failed else Action.DELAYED,
        status=outcome.status,
        original_recipient=f"rfc822;{original}" if original.isascii() else f"utf-8;{original}",
        remote_mta=outcome.remote or None,
        diagnostic=outcome.detail,
        last_attempt_ms=now_ms,
        will_retry_until_ms=None if is_failed else recipient.expires_ms,
    )
