"""Opens what a process runs with (database, blobs, ids, resolver), and closes it in reverse order."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from freehold.kernel.bus import Bus
from freehold.kernel.clock import SystemClock
from freehold.kernel.config import BlobSection, Configuration, ResolverSection
from freehold.kernel.dns_resolver import DnsResolver, ResolverSettings
from freehold.kernel.module import Module, Runtime
from freehold.storage.blobs import BlobSettings, S3Settings, open_blobs
from freehold.storage.ids import IdMaker
from freehold.storage.open import Schema, allot_node, open_database

DATABASE_FILE = "freehold.db"
BLOB_FOLDER = "blobs"


@asynccontextmanager
async def open_runtime(
    configuration: Configuration, modules: Sequence[Module], bus: Bus
) -> AsyncIterator[Runtime]:
    """Give the runtime of one process and loop, with the database brought up to date and modules prepared.

    Raises:
        SchemaError: the database is newer than this program.
        StorageError: the database or the blobs cannot be reached.
    """
    settings = configuration.settings
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await open_database(database_url(configuration), schemas=schemas_of(modules))
        stack.push_async_callback(database.close)
        runtime = Runtime(
            hostname=settings.hostname,
            data=settings.data,
            settings=dict(configuration.sections),
            database=database,
            blobs=open_blobs(database, settings.data / BLOB_FOLDER, blob_settings(settings.blobs)),
            ids=IdMaker(await allot_node(database), clock.now_ms),
            bus=bus,
            clock=clock,
            resolver=DnsResolver(resolver_settings(settings.resolver)),
        )
        for module in modules:
            if module.prepare is not None:
                await module.prepare(runtime)
        yield runtime


async def check_database(configuration: Configuration, modules: Sequence[Module]) -> str:
    """Open the database without changing it; returns where it is.

    Raises:
        SchemaError: it does not fit this program, or has to be brought up to date first.
        StorageError: it cannot be reached.
    """
    url = database_url(configuration)
    if not configuration.settings.database.url and not (configuration.settings.data / DATABASE_FILE).exists():
        return f"{url} is made at the first start"
    database = await open_database(url, schemas=schemas_of(modules), readonly=True)
    await database.close()
    return configuration.settings.database.url.rpartition("@")[2] or url


def database_url(configuration: Configuration) -> str:
    """Return where the rows are: as configured, else a SQLite file in the data folder."""
    return configuration.settings.database.url or str(configuration.settings.data / DATABASE_FILE)


def blob_settings(section: BlobSection) -> BlobSettings:
    """Return the blob store's own form of its section."""
    s3 = None if section.s3 is None else S3Settings(**msgspec.structs.asdict(section.s3))
    return BlobSettings(section.inline_max_bytes, s3)


def resolver_settings(section: ResolverSection) -> ResolverSettings:
    """Return the resolver's own form of its section."""
    return ResolverSettings(**msgspec.structs.asdict(section))


def schemas_of(modules: Sequence[Module]) -> list[Schema]:
    """Return the schemas of all modules, in their order."""
    return [schema for module in modules for schema in module.schemas]
