"""Values of mailboxes, addresses and what an address resolves to."""

from dataclasses import dataclass

import msgspec

from freehold.modules.mail.model import FolderId, MailboxId, TargetKind


class MailAddress(msgspec.Struct, frozen=True):
    """An address as it is looked up: `local` in lower case without quotes, `domain` in A-labels."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


class MailboxTarget(msgspec.Struct, frozen=True):
    """A mailbox that a recipient reaches. `detail` is its subaddress (RFC 5233): `ann+lists` has `lists`."""

    mailbox_id: MailboxId
    inbox_id: FolderId
    address: str
    detail: str = ""


class Resolution(msgspec.Struct, frozen=True):
    """Everything that one recipient leads to, each thing once, in the order in which it was set up.

    `forwards` are addresses elsewhere; `maildirs`, `mboxes` and `programs` are the host's; `discard` is
    true where a target says so, whether or not there are others.
    """

    mailboxes: tuple[MailboxTarget, ...] = ()
    forwards: tuple[str, ...] = ()
    maildirs: tuple[str, ...] = ()
    mboxes: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    discard: bool = False


@dataclass(frozen=True, slots=True)
class ForeignDomain:
    """The domain is not ours; whether to relay is for the session to decide."""

    domain: str


@dataclass(frozen=True, slots=True)
class Destination:
    """What somebody wants an address to lead to; see `parse_destination` for the text form."""

    kind: TargetKind
    value: str

    def __str__(self) -> str:
        return self.value if self.kind is TargetKind.ADDRESS else f"{self.kind.value}:{self.value}"


@dataclass(frozen=True, slots=True)
class Alias:
    """An address with destinations beside (or without) a mailbox of its own; `@domain` is a catch-all."""

    address: str
    owner_id: int
    owner: str
    destinations: tuple[Destination, ...]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A person's mailbox as shown. `quota_bytes` None is no limit.

    With `keeps_trash`, what is expunged outside Trash moves there.
    """

    id: MailboxId
    address: str
    login_id: int
    login: str
    owner_id: int
    owner: str
    quota_bytes: int | None
    used_bytes: int
    message_count: int
    is_exact: bool
    is_disabled: bool
    created_ms: int
    keeps_trash: bool = False
