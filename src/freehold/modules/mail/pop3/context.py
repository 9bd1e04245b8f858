"""What all POP3 sessions of a process share."""

from dataclasses import dataclass

from freehold.accounts.authenticate import Authenticator
from freehold.kernel.bus import Bus
from freehold.kernel.clock import Clock
from freehold.kernel.module import Runtime
from freehold.modules.mail.pop3.late_writes import LateWrites
from freehold.modules.mail.pop3.settings import Pop3Settings
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Database


@dataclass(frozen=True, slots=True)
class Pop3Context:
    """What a session works with."""

    hostname: str
    database: Database
    blobs: BlobStore
    bus: Bus
    clock: Clock
    settings: Pop3Settings
    authenticator: Authenticator
    late_writes: LateWrites


def make_context(runtime: Runtime, authenticator: Authenticator, settings: Pop3Settings) -> Pop3Context:
    """Return the context of a process; close its `late_writes` at the end."""
    return Pop3Context(
        hostname=runtime.hostname,
        database=runtime.database,
        blobs=runtime.blobs,
        bus=runtime.bus,
        clock=runtime.clock,
        settings=settings,
        authenticator=authenticator,
        late_writes=LateWrites(),
    )
