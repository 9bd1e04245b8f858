"""When a deferred recipient is tried again."""

from freehold.modules.mail.queue.settings import QueueSettings

MAX_DOUBLINGS = 20


def next_attempt_ms(settings: QueueSettings, *, attempts: int, now_ms: int, expires_ms: int) -> int:
    """Return when to try again after `attempts` failed attempts (RFC 5321 §4.5.4.1).

    The pause doubles from `first_retry_seconds` up to `longest_retry_seconds`; the last attempt is
    made just when the message expires.
    """
    doublings = min(max(attempts - 1, 0), MAX_DOUBLINGS)
    pause = min(settings.first_retry_seconds << doublings, settings.longest_retry_seconds)
    return min(now_ms + pause * 1000, max(expires_ms, now_ms + 1000))


def wants_warning(settings: QueueSettings, *, created_ms: int, now_ms: int) -> bool:
    """Return whether a message has waited so long that its sender is to be told."""
    delay_ms = settings.delay_warning_seconds * 1000
    return delay_ms > 0 and now_ms - created_ms >= delay_ms
