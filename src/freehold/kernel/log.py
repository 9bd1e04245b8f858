"""The front of the log: a constant text and fields, on top of the standard library's logging.

    log = get_logger("freehold.mail")
    log.info("message queued", queue_id=queue_id, size_bytes=size)

Fields are sanitised where they are rendered (`log_format`), so nothing that a peer sends can forge a line.
"""

import logging
import sys
from typing import Final

Field = object
FIELDS: Final = "fields"
"""The attribute of a LogRecord that holds the fields; `extra={"fields": {…}}` does the same from outside."""


class Logger:
    """Writes events of one part of the program; a level that is off costs one dictionary look-up."""

    __slots__ = ("_enabled", "_logger")

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._enabled = logger.isEnabledFor

    def debug(self, message: str, /, **fields: Field) -> None:
        """Tell what helps to follow a single conversation."""
        if self._enabled(logging.DEBUG):
            self._write(logging.DEBUG, message, fields)

    def info(self, message: str, /, **fields: Field) -> None:
        """Tell a decision: one line for each."""
        if self._enabled(logging.INFO):
            self._write(logging.INFO, message, fields)

    def warning(self, message: str, /, **fields: Field) -> None:
        """Tell what the administrator may want to look at."""
        if self._enabled(logging.WARNING):
            self._write(logging.WARNING, message, fields)

    def error(self, message: str, /, **fields: Field) -> None:
        """Tell what has failed and needs somebody."""
        if self._enabled(logging.ERROR):
            self._write(logging.ERROR, message, fields)

    def exception(self, message: str, /, **fields: Field) -> None:
        """Tell a fault of the program, with the traceback of the exception that is being handled."""
        if self._enabled(logging.ERROR):
            self._write(logging.ERROR, message, fields, sys.exception())

    def _write(
        self, level: int, message: str, fields: dict[str, Field], error: BaseException | None = None
    ) -> None:
        trace = (type(error), error, error.__traceback__) if error is not None else None
        record = logging.LogRecord(self._logger.name, level, "", 0, message, None, trace)
        record.fields = fields
        self._logger.handle(record)


def get_logger(name: str) -> Logger:
    """Return the logger of a part of the program, by its dotted name."""
    return Logger(logging.getLogger(name))
