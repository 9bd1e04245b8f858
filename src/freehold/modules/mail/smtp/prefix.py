"""The lines that we put in front of a message: Return-Path, Received, and what a submitted one lacks."""

import re

from freehold.kernel.stream import Peer
from freehold.modules.mail.smtp.envelope import Client, Envelope
from freehold.modules.mail.smtp.service import Door, SmtpService
from freehold.protocols.mime.date import date_header
from freehold.protocols.mime.received import Hop, received_header, transfer_protocol
from freehold.storage.ids import id_text

_DATE = re.compile(rb"^date[ \t]*:", re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^message-id[ \t]*:", re.IGNORECASE | re.MULTILINE)


class PrefixMaker:
    """Makes one message's prefix, and remembers how much of it is only for mailboxes.

    `return_path_bytes` is the length of the Return-Path line, which is not sent on: the host that
    delivers finally writes its own (RFC 5321 §4.4).
    """

    __slots__ = (
        "_client",
        "_envelope",
        "_peer",
        "_service",
        "return_path_bytes",
        "reverse_path",
        "trace_id",
        "trace_text",
    )

    def __init__(
        self, service: SmtpService, peer: Peer, client: Client, envelope: Envelope, trace_id: int
    ) -> None:
        self._service = service
        self._peer = peer
        self._client = client
        self._envelope = envelope
        self.trace_id = trace_id
        self.trace_text = id_text(trace_id)
        self.reverse_path = "" if envelope.reverse_path is None else str(envelope.reverse_path)
        self.return_path_bytes = 0

    def make(self, head: bytes) -> bytes:
        """Return the lines to put before a message that begins with `head`."""
        return_path = f"Return-Path: <{self.reverse_path}>\r\n".encode()
        self.return_path_bytes = len(return_path)
        lines = return_path + self._received()
        if self._service.door is Door.SUBMISSION:
            lines += self._missing_fields(head)
        return lines

    def _received(self) -> bytes:
        runtime, recipients, tls = self._service.runtime, self._envelope.recipients, self._peer.tls
        return received_header(
            Hop(
                helo=self._client.hello,
                address=str(self._client.address),
                hostname=runtime.hostname,
                protocol=transfer_protocol(
                    lmtp=self._service.door is Door.LMTP,
                    tls=tls is not None,
                    authenticated=self._client.submitter is not None,
                    utf8=self._envelope.is_utf8,
                ),
                queue_id=self.trace_text,
                utc_ms=runtime.clock.now_ms(),
                recipient=recipients[0].address if len(recipients) == 1 else None,
                tls=f"{tls.version} {tls.cipher}" if tls is not None else None,
            )
        )

    def _missing_fields(self, head: bytes) -> bytes:
        """Return Date and Message-ID fields if a submitted message has none (RFC 6409 §8.2, §8.3)."""
        header = head[: head.find(b"\r\n\r\n") + 2] if b"\r\n\r\n" in head else head
        runtime, lines = self._service.runtime, ""
        if not _MESSAGE_ID.search(header):
            lines += f"Message-ID: <{self.trace_text}@{runtime.hostname}>\r\n"
        if not _DATE.search(header):
            lines += f"Date: {date_header(runtime.clock.now_ms())}\r\n"
        return lines.encode()
