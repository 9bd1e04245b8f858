"""What all IMAP sessions of a process share."""

import asyncio
from dataclasses import dataclass, field

from freehold.accounts.authenticate import Authenticator
from freehold.kernel.bus import Bus
from freehold.kernel.clock import Clock
from freehold.modules.mail.imap.selected.known import Known
from freehold.modules.mail.imap.settings import ImapSettings
from freehold.modules.mail.imap.watchers import Watchers
from freehold.storage.blobs import BlobStore
from freehold.storage.database import Database
from freehold.storage.ids import IdMaker


@dataclass(frozen=True, slots=True)
class ImapContext:
    """What a session works with."""

    hostname: str
    database: Database
    blobs: BlobStore
    ids: IdMaker
    bus: Bus
    clock: Clock
    settings: ImapSettings
    authenticator: Authenticator
    watchers: Watchers
    known: Known = field(default_factory=Known)
    ordering: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the one session that sorts or threads many messages, which takes memory for each."""
