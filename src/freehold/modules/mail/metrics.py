"""What mail counts, for Prometheus."""

from typing import Final

from freehold.kernel.metrics import counter

ACCEPTED: Final = counter("freehold_mail_accepted", "Messages that were taken responsibility for.", "door")
ACCEPTED_BYTES: Final = counter("freehold_mail_accepted_bytes", "Their bytes.", "door")
REFUSED: Final = counter("freehold_mail_refused", "Refusals by reply code.", "door", "code")
ATTEMPTS: Final = counter("freehold_queue_attempts", "Deliveries tried from the queue.", "result")
