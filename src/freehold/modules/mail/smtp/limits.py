"""The patience of one session: errors, commands per minute, messages, age."""

from freehold.modules.mail.smtp.settings import SmtpSettings

MAX_DELAY_SECONDS = 10.0
MINUTE_MS = 60_000


class Patience:
    """Counts what a client does wrong or too fast, and says what follows."""

    __slots__ = ("_commands", "_errors", "_messages", "_minute", "_settings", "_started_ms")

    def __init__(self, settings: SmtpSettings, now_ms: int) -> None:
        self._settings = settings
        self._started_ms = now_ms
        self._minute = 0
        self._commands = 0
        self._errors = 0
        self._messages = 0

    def count_error(self) -> float:
        """Count a refusal; returns for how many seconds its answer is held back."""
        self._errors += 1
        above = self._errors - self._settings.errors_before_delay
        return min(max(above, 0) * self._settings.error_delay_seconds, MAX_DELAY_SECONDS)

    @property
    def has_too_many_errors(self) -> bool:
        """Whether the client is to be hung up on."""
        return self._errors >= self._settings.errors_before_close

    def is_command_too_many(self, now_ms: int) -> bool:
        """Count a command; returns whether there have been too many within this minute."""
        minute = (now_ms - self._started_ms) // MINUTE_MS
        if minute != self._minute:
            self._minute, self._commands = minute, 0
        self._commands += 1
        return self._commands > self._settings.max_commands_per_minute

    def count_message(self) -> None:
        """Count a message that was begun."""
        self._messages += 1

    @property
    def has_too_many_messages(self) -> bool:
        """Whether this connection has sent all it may."""
        return self._messages >= self._settings.max_messages_per_connection

    def seconds_left(self, now_ms: int) -> float:
        """How much longer the connection may last."""
        return self._settings.max_connection_seconds - (now_ms - self._started_ms) / 1000

    def is_too_old(self, now_ms: int) -> bool:
        """Whether the connection has lasted longer than it may."""
        return self.seconds_left(now_ms) < 0
