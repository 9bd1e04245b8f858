"""How one module asks another for something: by a Protocol, never by importing it.

A module that can do something provides an object under a `Capability`; one that needs it requires that.
"""

from collections.abc import Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from freehold.errors import FreeholdError

C = TypeVar("C")


class MissingCapabilityError(FreeholdError):
    """No started module provides what another needs: a fault of the composition, found at start."""


class RecordPublisher(Protocol):
    """Publishes DNS records of a domain that this server is responsible for."""

    async def publish_records(self, domain: str, name: str, kind: str, values: Sequence[str]) -> None:
        """Make `values` the records of `kind` at `name` (relative to the domain); none removes them."""


class MailSubmitter(Protocol):
    """Sends a message that this server itself has written."""

    async def submit(self, reverse_path: str, recipients: Sequence[str], message: bytes) -> None:
        """Queue the message durably; RFC 5322 bytes with CRLF line ends."""


class Notifier(Protocol):
    """Tells a person something."""

    async def notify(self, owner_id: int, subject: str, text: str) -> None:
        """Tell the owner, soon and once."""


class Capability(Generic[C]):
    """The name under which something of type `C` is provided and required; compared by identity."""

    def __init__(self, name: str) -> None:
        self.name = name


RECORD_PUBLISHER: Final = Capability[RecordPublisher]("record publisher")
MAIL_SUBMITTER: Final = Capability[MailSubmitter]("mail submitter")
NOTIFIER: Final = Capability[Notifier]("notifier")


class Capabilities:
    """What the modules of this process provide to each other."""

    __slots__ = ("_provided",)

    def __init__(self) -> None:
        self._provided: dict[Capability[Any], Any] = {}

    def provide(self, capability: Capability[C], implementation: C) -> None:
        """Offer an implementation. Raises ValueError when there is one already."""
        if capability in self._provided:
            raise ValueError(f"{capability.name} is provided twice")
        self._provided[capability] = implementation

    def require(self, capability: Capability[C]) -> C:
        """Return the implementation. Raises MissingCapabilityError when no module provides it."""
        found = self.find(capability)
        if found is None:
            raise MissingCapabilityError(f"no module provides a {capability.name}")
        return found

    def find(self, capability: Capability[C]) -> C | None:
        """Return the implementation, or None."""
        found: C | None = self._provided.get(capability)
        return found
