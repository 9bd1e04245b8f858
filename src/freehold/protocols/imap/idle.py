"""IDLE (RFC 9051 §6.3.13, RFC 2177)."""

from dataclasses import dataclass

from freehold.protocols.imap.commands import Command, CommandSpec, bare
from freehold.protocols.imap.states import AFTER_LOGIN


@dataclass(frozen=True, slots=True)
class Idle(Command):
    """IDLE: call the connection's `start_idle`, then wait for `IdleDone`."""


COMMANDS = (CommandSpec(b"IDLE", Idle, bare(Idle), AFTER_LOGIN),)
