"""What only PostgreSQL does: conflicts that are retried, connections that are lost."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from freehold.storage.database import Database, IntegrityError, StorageError, Transaction
from freehold.storage.open import next_number, open_database


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Database]:
    opened = await open_database(postgres_url, schemas=[])
    yield opened
    await opened.close()


async def withdraw_if_both_allow(tx: Transaction, name: str) -> bool:
    """Write skew: each reads both rows and changes one; only SERIALIZABLE keeps the sum right."""
    row = await tx.fetch_one("SELECT sum(value) FROM counter WHERE name IN ('a', 'b')")
    assert row is not None
    if row[0] < 2:
        return False
    await tx.execute("UPDATE counter SET value = value - 1 WHERE name = ?", name)
    return True


async def set_up_both(tx: Transaction) -> None:
    await tx.execute("INSERT INTO counter (name, value) VALUES ('a', 10), ('b', 10)")


async def sum_of_both(tx: Transaction) -> int:
    row = await tx.fetch_one("SELECT CAST(sum(value) AS BIGINT) FROM counter WHERE name IN ('a', 'b')")
    assert row is not None
    return int(row[0])


async def test_transactions_that_would_break_each_others_assumptions_are_run_again(
    postgres: Database,
) -> None:
    await postgres.write(set_up_both)

    done = await asyncio.gather(*(postgres.write(withdraw_if_both_allow, "ab"[n % 2]) for n in range(30)))

    assert sum(done) == 19
    assert await postgres.read(sum_of_both) == 1


async def test_a_function_that_hides_a_conflict_is_run_again_all_the_same(postgres: Database) -> None:
    class BusyError(Exception):
        pass

    async def hides_conflicts(tx: Transaction) -> int:
        try:
            return await next_number(tx, "hidden")
        except StorageError as error:
            raise BusyError from error

    numbers = await asyncio.gather(*(postgres.write(hides_conflicts) for _ in range(20)))

    assert sorted(numbers) == list(range(1, 21))


async def take_long(tx: Transaction) -> int:
    number = await next_number(tx, "busy")
    await tx.fetch("SELECT 1 FROM (SELECT pg_sleep(0.02)) AS pause")
    return number


async def test_all_of_many_writers_of_one_row_in_several_processes_get_through(
    postgres: Database, postgres_url: str
) -> None:
    other = await open_database(postgres_url, schemas=[])
    try:
        numbers = await asyncio.gather(
            *(database.write(take_long) for database in (postgres, other) for _ in range(60))
        )
    finally:
        await other.close()

    assert sorted(numbers) == list(range(1, 121))


async def test_who_fails_or_is_cancelled_gives_the_turn_back(postgres: Database, postgres_url: str) -> None:
    class RefusedError(Exception):
        pass

    async def is_refused(tx: Transaction) -> None:
        await take_long(tx)
        raise RefusedError

    writers = [asyncio.create_task(postgres.write(is_refused)) for _ in range(10)]
    cancelled = [asyncio.create_task(postgres.write(take_long)) for _ in range(20)]
    await asyncio.wait(cancelled, return_when=asyncio.FIRST_COMPLETED)
    for task in cancelled:
        task.cancel()
    ended = await asyncio.gather(*writers, *cancelled, return_exceptions=True)
    assert all(isinstance(each, RefusedError | asyncio.CancelledError | int) for each in ended)

    other = await open_database(postgres_url, schemas=[])
    try:
        numbers = await asyncio.gather(*(database.write(take_long) for database in (other, postgres) * 4))
    finally:
        await other.close()
    assert len(set(numbers)) == 8


async def test_a_lost_connection_is_a_temporary_error_and_the_next_call_connects_again(
    postgres: Database,
) -> None:
    async def loses_its_connection(tx: Transaction) -> None:
        row = await tx.fetch_one("SELECT pg_backend_pid()")
        assert row is not None
        await tx.fetch("SELECT pg_terminate_backend(CAST(? AS INTEGER))", row[0])

    for method in (postgres.write, postgres.read):
        with pytest.raises(StorageError) as caught:
            await method(loses_its_connection)
        assert caught.value.temporary
        assert await postgres.write(next_number, method.__name__) == 1


async def test_a_server_that_is_not_there_is_a_temporary_error() -> None:
    with pytest.raises(StorageError) as caught:
        await open_database("postgresql://freehold@127.0.0.1:1/freehold", schemas=[])

    assert caught.value.temporary


async def test_commits_are_synchronous_whatever_the_database_says(postgres_url: str) -> None:
    admin = await asyncpg.connect(postgres_url)
    name = await admin.fetchval("SELECT current_database()")
    await admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    await admin.close()
    database = await open_database(postgres_url, schemas=[])

    async def setting(tx: Transaction) -> str:
        row = await tx.fetch_one("SHOW synchronous_commit")
        assert row is not None
        return str(row[0])

    assert await database.write(setting) == "on"
    await database.close()


async def test_a_cancelled_statement_gives_its_connection_back(postgres: Database) -> None:
    started = asyncio.Event()

    async def sleeps(tx: Transaction) -> None:
        started.set()
        await tx.fetch("SELECT 1 FROM pg_sleep(60)")

    for _ in range(20):
        started.clear()
        task = asyncio.create_task(postgres.write(sleeps))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert await postgres.write(next_number, "after") == 1


async def test_an_integrity_error_is_not_retried(postgres: Database) -> None:
    runs = 0

    async def inserts_twice(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await tx.execute("INSERT INTO counter (name, value) VALUES ('x', 1), ('x', 2)")

    with pytest.raises(IntegrityError):
        await postgres.write(inserts_twice)

    assert runs == 1
