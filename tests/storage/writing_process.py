"""A process that writes rows and says on its standard output which of them were acknowledged."""

import asyncio
import sys

import uvloop

from freehold.storage.database import Transaction
from freehold.storage.open import open_database

WRITERS = 10


async def insert(tx: Transaction, name: str) -> None:
    await tx.execute("INSERT INTO counter (name, value) VALUES (?, 1)", name)
    await tx.execute("INSERT INTO counter (name, value) VALUES (?, 2)", name + " pair")


async def main(address: str, label: str, count: int) -> None:
    database = await open_database(address, schemas=[])

    async def write_rows(writer: int) -> None:
        for number in range(count):
            name = f"{label}-{writer}-{number}"
            await database.write(insert, name)
            sys.stdout.write(name + "\n")
            sys.stdout.flush()

    async with asyncio.TaskGroup() as group:
        for writer in range(WRITERS):
            group.create_task(write_rows(writer))
    await database.close()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
