"""Puts mail into the queue of a data folder, as a server that runs there would."""

import asyncio

from freehold.app import all_modules, load_configuration
from freehold.kernel.bus_client import LocalBus
from freehold.kernel.runtime import open_runtime
from freehold.modules.mail.addresses.model import ForeignDomain
from freehold.modules.mail.delivery.plan import AcceptedRecipient
from freehold.storage.ids import id_text
from tests.cli.command_line import CommandLine
from tests.modules.mail.queue.post_office import Submitted, accept


def queue_message(freehold: CommandLine, *recipients: str, sender: str = "ann@example.org") -> str:
    """Queue a message for addresses elsewhere; returns its trace id as text."""
    return asyncio.run(_queue(freehold, recipients, sender))


async def _queue(freehold: CommandLine, recipients: tuple[str, ...], sender: str) -> str:
    configuration = load_configuration(None, freehold.data)
    async with open_runtime(configuration, all_modules(), LocalBus()) as runtime:
        accepted = [AcceptedRecipient(each, ForeignDomain(each.rpartition("@")[2])) for each in recipients]
        return id_text(await accept(runtime, accepted, Submitted(sender)))
