"""Which courier serves which lane."""

from freehold.certificates.contexts import client_context
from freehold.kernel.module import Runtime
from freehold.modules.mail.delivery.enqueue import Transport
from freehold.modules.mail.queue.lane import Courier
from freehold.modules.mail.queue.local_courier import LocalCourier
from freehold.modules.mail.queue.settings import QueueSettings
from freehold.modules.mail.queue.smtp_courier import SmtpCourier
from freehold.modules.mail.queue.store import Lane


class CourierMaker:
    """Makes couriers; the TLS context of outgoing mail is made once."""

    def __init__(self, runtime: Runtime, settings: QueueSettings) -> None:
        self._runtime = runtime
        self._settings = settings
        self._tls_context = client_context(verify=False)

    def make(self, lane: Lane) -> Courier:
        """Return a fresh courier for a lane."""
        if lane.transport is not Transport.SMTP:
            return LocalCourier(lane.transport, self._runtime.blobs, self._settings, self._runtime.hostname)
        return SmtpCourier(
            lane.destination,
            self._runtime.blobs,
            self._runtime.resolver,
            self._settings,
            hostname=self._runtime.hostname,
            tls_context=self._tls_context,
        )
