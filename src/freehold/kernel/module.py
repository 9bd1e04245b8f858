"""What a module declares, and what it is given to run with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import msgspec

from freehold.kernel.bus import Bus, Event
from freehold.kernel.capabilities import Capabilities
from freehold.kernel.clock import Clock
from freehold.kernel.resolver import Resolver
from freehold.kernel.stream import SessionFactory
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Database
from freehold.storage.ids import IdMaker
from freehold.storage.open import Schema


class Role(Enum):
    """What a process does; with `workers = 0` one process does both."""

    FRONT = "front"
    BACK = "back"


class TlsMode(Enum):
    """How a listener uses TLS."""

    NONE = "none"
    """Never; such a listener is off until its addresses are configured."""
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class ListenerSpec:
    """A stream listener that a module offers, by its configuration name.

    `port` is the standard port; without root and configuration it is raised by 2000 and bound to loopback.
    """

    name: str
    port: int
    tls: TlsMode
    make_factory: Callable[["Runtime"], SessionFactory]
    too_many: bytes = b""
    """Sent to those whom the connection limits turn away, in the protocol's own words."""
    max_per_network: int = 200
    """Connections from one network, unless the listener's section says otherwise."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a started module may use. `settings` maps a module's name to its decoded section."""

    hostname: str
    data: Path
    settings: dict[str, msgspec.Struct]
    database: Database
    blobs: BlobStore
    ids: IdMaker
    bus: Bus
    clock: Clock
    resolver: Resolver
    capabilities: Capabilities = field(default_factory=Capabilities)


@dataclass(frozen=True, slots=True)
class Module:
    """One feature: what it configures, stores, tells, listens on and runs."""

    name: str
    config: type[msgspec.Struct]
    schemas: Sequence[Schema] = ()
    events: Sequence[type[Event]] = ()
    listeners: Sequence[ListenerSpec] = ()
    start: dict[Role, Callable[[Runtime, AsyncExitStack], Awaitable[None]]] = field(default_factory=dict)
    prepare: Callable[[Runtime], Awaitable[None]] | None = None
    """Mends what may have happened while nothing ran; called in each process before all else."""
    first_start: Callable[[Runtime], Awaitable[Sequence[str]]] | None = None
    """Prepares a new data folder in local mode, once, before any worker runs; returns lines to show."""
    status: Callable[[Runtime], Awaitable[Mapping[str, int]]] | None = None
    """Tells `freehold status` a few numbers ("queued messages": 3); must be quick and change nothing."""
