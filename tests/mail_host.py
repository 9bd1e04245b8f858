"""A mail host within the test's process: real database, real blobs, real listeners on free loopback ports."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from freehold.accounts import SCHEMA as ACCOUNTS_SCHEMA
from freehold.accounts.authenticate import Authenticator
from freehold.accounts.domains import add_domain
from freehold.accounts.model import HOST_ADMINISTRATOR
from freehold.accounts.owners import add_owner
from freehold.accounts.passwords import PasswordCost, Passwords
from freehold.accounts.scram import installation_key
from freehold.certificates.contexts import server_context
from freehold.certificates.self_signed import write_self_signed
from freehold.kernel.addresses import parse_network
from freehold.kernel.bus_client import LocalBus
from freehold.kernel.clock import SystemClock
from freehold.kernel.listener import Listener
from freehold.kernel.listener_settings import ListenerSettings, StreamService
from freehold.kernel.module import Runtime
from freehold.kernel.resolver import MxHost, NameNotFoundError, Resolver
from freehold.kernel.stream import SessionFactory
from freehold.modules.mail.addresses.aliases import add_alias
from freehold.modules.mail.addresses.mailboxes import NewMailbox, add_mailbox, set_quota
from freehold.modules.mail.config import MailSettings
from freehold.modules.mail.smtp.service import Door, SmtpService
from freehold.modules.mail.smtp.session import make_factory
from freehold.modules.mail.smtp.settings import SmtpSettings
from freehold.storage.blobs import BlobSettings, open_blobs
from freehold.storage.database import Database, Transaction
from freehold.storage.ids import IdMaker
from freehold.storage.migrations import Schema

SCHEMAS = (ACCOUNTS_SCHEMA, Schema("mail", "freehold.modules.mail.schema"))
CHEAP = PasswordCost(memory_kib=8, passes=1, lanes=1, scram_iterations=4096)
PASSWORD = "kuvo-tase-rimi"


@dataclass
class TableResolver:
    """Answers from two tables, as a name server with exactly these zones would."""

    exchangers: dict[str, list[MxHost]] = field(default_factory=dict)
    hosts: dict[str, list[IPv4Address | IPv6Address]] = field(default_factory=dict)
    error: Exception | None = None

    async def mx(self, domain: str) -> list[MxHost]:
        """Return what the table says."""
        if self.error is not None:
            raise self.error
        if domain not in self.exchangers:
            raise NameNotFoundError
        return self.exchangers[domain]

    async def addresses(self, host: str) -> list[IPv4Address | IPv6Address]:
        """Return what the table says."""
        if host not in self.hosts:
            raise NameNotFoundError
        return self.hosts[host]

    async def has_mail_records(self, domain: str) -> bool:
        """Tell whether the domain is in a table."""
        if self.error is not None:
            raise self.error
        return domain in self.exchangers or domain in self.hosts


@dataclass
class MailHost:
    """What a test talks to."""

    runtime: Runtime
    authenticator: Authenticator
    resolver: TableResolver
    passwords: Passwords
    folder: Path

    async def add_people(self, *addresses: str) -> None:
        """Add an owner, the addresses' domains, and a mailbox for each with `PASSWORD`."""
        database = self.runtime.database
        await database.write(add_owner, HOST_ADMINISTRATOR, "admin", is_administrator=True, now_ms=1)
        for domain in dict.fromkeys(address.partition("@")[2] for address in addresses):
            await database.write(add_domain, HOST_ADMINISTRATOR, domain, now_ms=1)
        credentials = await self.passwords.make(PASSWORD)
        for address in addresses:
            await database.write(add_mailbox, HOST_ADMINISTRATOR, NewMailbox(address, credentials), now_ms=1)

    async def add_alias(self, address: str, *destinations: str) -> None:
        """Let an address lead elsewhere."""
        await self.runtime.database.write(add_alias, HOST_ADMINISTRATOR, address, destinations, now_ms=1)

    async def set_quota(self, address: str, quota_bytes: int | None) -> None:
        """Bound a mailbox."""
        await self.runtime.database.write(set_quota, HOST_ADMINISTRATOR, address, quota_bytes)

    async def messages_of(self, address: str) -> list[bytes]:
        """Return every message of a mailbox's INBOX, oldest first."""
        rows = await self.runtime.database.read(_blob_ids, address)
        return [await self.runtime.blobs.read(blob_id) for blob_id in rows]

    def smtp(self, door: Door, settings: SmtpSettings | None = None) -> SessionFactory:
        """Return the sessions of a door."""
        settings = settings or SmtpSettings()
        return make_factory(
            SmtpService(
                door=door,
                runtime=self.runtime,
                settings=settings,
                authenticator=self.authenticator,
                has_starttls=door is not Door.LMTP,
                relay_networks=tuple(map(parse_network, settings.relay_networks)),
                trusted_networks=tuple(map(parse_network, settings.trusted_networks)),
            )
        )

    @asynccontextmanager
    async def listening(
        self, factory: SessionFactory, *, tls: bool = True, settings: ListenerSettings | None = None
    ) -> AsyncIterator[int]:
        """Serve a factory on a free loopback port; gives the port."""
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        certificate = self.folder / "certificate.pem"
        write_self_signed(self.runtime.hostname, certificate, self.runtime.clock.now_ms())
        context = server_context(certificate, certificate) if tls else None
        service = StreamService(
            name="test", make_session=factory, tls_context=(lambda: context) if context else None
        )
        listener = Listener(listening, service, settings or ListenerSettings(max_per_network=10_000))
        listener.start_accepting()
        try:
            yield listening.getsockname()[1]
        finally:
            listener.stop_accepting()
            await listener.drain(1)
            listening.close()


class Client:
    """A line-by-line client; every wait has a time-out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def reply(self) -> str:
        """Return one reply with all its lines."""
        lines: list[str] = []
        while True:
            line = (await asyncio.wait_for(self.reader.readline(), 20)).decode()
            lines.append(line.rstrip("\r\n"))
            if not line or line[3:4] != "-":
                return "\n".join(lines)

    async def ask(self, command: str) -> str:
        """Send a command line and return the reply."""
        self.send(command.encode() + b"\r\n")
        return await self.reply()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)

    async def rest(self) -> bytes:
        """Return everything until the server closes."""
        return await asyncio.wait_for(self.reader.read(), 20)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    """Connect to a port of this host."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


@asynccontextmanager
async def mail_host(database: Database, folder: Path) -> AsyncIterator[MailHost]:
    """Make a host on a database with all schemas."""
    clock = SystemClock()
    resolver = TableResolver()
    typed: Resolver = resolver
    passwords = Passwords(CHEAP)
    runtime = Runtime(
        hostname="mail.example.test",
        data=folder,
        settings={"mail": MailSettings()},
        database=database,
        blobs=open_blobs(database, folder / "blobs", BlobSettings()),
        ids=IdMaker(1, clock.now_ms),
        bus=LocalBus(),
        clock=clock,
        resolver=typed,
    )
    authenticator = Authenticator(database, clock, passwords, await installation_key(database))
    try:
        yield MailHost(runtime, authenticator, resolver, passwords, folder)
    finally:
        await authenticator.close()


async def _blob_ids(tx: Transaction, address: str) -> list[int]:
    rows = await tx.fetch(
        "SELECT m.blob_id FROM message m JOIN mailbox b ON m.mailbox_id = b.id"
        " WHERE b.address = ? AND m.id / 4294967296 = b.inbox_id ORDER BY m.id",
        address,
    )
    return [row[0] for row in rows]
