"""Mailboxes, addresses, delivery, the queue, and the protocols that people read and send with."""

from typing import Final

from freehold.kernel.module import Module, Role
from freehold.modules.mail.addresses.first_start import first_start
from freehold.modules.mail.back import start_back, status
from freehold.modules.mail.config import MailSettings
from freehold.modules.mail.events import (
    FolderChanged,
    FolderListChanged,
    QueueChanged,
    ServerMetadataChanged,
)
from freehold.modules.mail.folders.lost_changes import prepare
from freehold.modules.mail.front import LISTENERS, start_front
from freehold.storage.open import Schema

MODULE: Final = Module(
    name="mail",
    config=MailSettings,
    schemas=(Schema("mail", "freehold.modules.mail.schema"),),
    events=(FolderChanged, FolderListChanged, QueueChanged, ServerMetadataChanged),
    listeners=LISTENERS,
    start={Role.FRONT: start_front, Role.BACK: start_back},
    prepare=prepare,
    first_start=first_start,
    status=status,
)
