"""What threading knows of a message."""

from typing import NamedTuple


class ThreadRow(NamedTuple):
    """A message: its number or UID, when it was sent, whom it answers, what it is about.

    `references` are the message ids it names, oldest first, separated by spaces; a message without an id
    has the id "". `subject` is the base subject in the form in which subjects are compared; `is_reply`
    says that words such as `Re:` stood before it.
    """

    number: int
    sent_ms: int
    message_id: str
    references: str
    subject: str
    is_reply: bool | int
