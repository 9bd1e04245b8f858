"""What threading knows of a message."""

from collections.abc import Sequence
from typing import NamedTuple


class ThreadRow(NamedTuple):
    """A message: its UID, when it was sent, whom it answers, what it is about.

    `references` are the message ids it names, oldest first. `subject` is the base subject in the form
    in which subjects are compared; `is_reply` says that words such as `Re:` stood before it.
    A message without an id has the id "".
    """

    number: int
    sent_ms: int
    message_id: str
    references: Sequence[str]
    subject: str
    is_reply: bool
