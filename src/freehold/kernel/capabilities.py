"""How one module asks another for something: by a Protocol, never by importing it.

A module that can do something provides an object under a `Capability`; one that needs it requires that.
"""

from typing import Any, Generic, TypeVar

from freehold.errors import FreeholdError

C = TypeVar("C")


class MissingCapabilityError(FreeholdError):
    """No started module provides what another needs: a fault of the composition, found at start."""


class Capability(Generic[C]):
    """The name under which something of type `C` is provided and required; compared by identity."""

    def __init__(self, name: str) -> None:
        self.name = name


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
