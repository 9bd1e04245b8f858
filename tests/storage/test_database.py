"""What holds for a database on either engine."""

import asyncio

import pytest

from freehold.storage.database import (
    ConstraintError,
    Database,
    IntegrityError,
    QueryError,
    Row,
    StorageError,
    Transaction,
)
from freehold.storage.open import allot_node, next_number


async def insert_counter(tx: Transaction, name: str, value: int) -> int:
    await tx.execute("INSERT INTO counter (name, value) VALUES (?, ?)", name, value)
    return value


async def all_counters(tx: Transaction) -> list[Row]:
    return await tx.fetch("SELECT name, value FROM counter ORDER BY name")


async def test_a_read_sees_what_a_write_returned_from(database: Database) -> None:
    for value in range(50):
        await database.write(insert_counter, f"n{value:02}", value)
        assert len(await database.read(all_counters)) == value + 1
        assert len(await database.read_long(all_counters)) == value + 1


async def test_a_failing_function_undoes_only_its_own_changes(database: Database) -> None:
    async def insert_then_fail(tx: Transaction) -> None:
        await insert_counter(tx, "lost", 1)
        raise ValueError("changed my mind")

    results = await asyncio.gather(
        database.write(insert_counter, "a", 1),
        database.write(insert_then_fail),
        database.write(insert_counter, "b", 2),
        database.write(insert_counter, "a", 3),
        database.write(insert_counter, "c", 3),
        return_exceptions=True,
    )

    first, second = results[0], results[3]  # of the same key
    assert sorted(isinstance(result, IntegrityError) for result in (first, second)) == [False, True]
    if database.engine == "sqlite":  # one after the other; PostgreSQL may take either
        assert first == 1
    assert isinstance(results[1], ValueError)
    kept = second if isinstance(first, IntegrityError) else first
    assert await database.read(all_counters) == [("a", kept), ("b", 2), ("c", 3)]


async def test_a_second_row_of_the_same_key_is_an_integrity_error_that_is_not_temporary(
    database: Database,
) -> None:
    await database.write(insert_counter, "twice", 1)

    with pytest.raises(IntegrityError) as caught:
        await database.write(insert_counter, "twice", 2)

    assert not caught.value.temporary


async def test_a_broken_check_is_a_constraint_error_but_not_an_integrity_error(database: Database) -> None:
    async def insert_unreferenced(tx: Transaction) -> None:
        await tx.execute("INSERT INTO blob (id, size_bytes, place, refs) VALUES (1, 0, 'row', 0)")

    with pytest.raises(ConstraintError) as caught:
        await database.write(insert_unreferenced)

    assert not isinstance(caught.value, IntegrityError)


async def test_a_transaction_is_lost_after_a_failed_statement_even_when_the_function_catches_it(
    database: Database,
) -> None:
    await database.write(insert_counter, "there", 1)

    async def insert_and_carry_on(tx: Transaction) -> str:
        await insert_counter(tx, "before", 1)
        try:
            await insert_counter(tx, "there", 2)
        except IntegrityError:
            return "carried on"
        return "inserted"

    with pytest.raises(IntegrityError):
        await database.write(insert_and_carry_on)

    assert await database.read(all_counters) == [("there", 1)]


@pytest.mark.parametrize("method", ["read", "read_long", "write"])
async def test_awaiting_anything_but_the_transaction_is_an_error_that_names_the_function(
    database: Database, method: str
) -> None:
    async def sleeps_in_a_transaction(tx: Transaction) -> None:
        await tx.fetch("SELECT 1")
        await asyncio.sleep(3600)

    with pytest.raises(RuntimeError, match="sleeps_in_a_transaction awaited"):
        await getattr(database, method)(sleeps_in_a_transaction)

    assert await database.read(all_counters) == []


@pytest.mark.parametrize("method", ["read", "read_long", "write"])
async def test_using_the_database_inside_a_transaction_is_an_error(database: Database, method: str) -> None:
    async def writes_from_inside(tx: Transaction) -> None:
        await tx.fetch("SELECT 1")
        await database.write(insert_counter, "inside", 1)

    with pytest.raises(RuntimeError, match="instead of its transaction"):
        await getattr(database, method)(writes_from_inside)

    assert await database.read(all_counters) == []


@pytest.mark.parametrize("method", ["read", "read_long"])
async def test_a_read_cannot_write(database: Database, method: str) -> None:
    with pytest.raises(QueryError):
        await getattr(database, method)(insert_counter, "sneaky", 1)

    assert await database.read(all_counters) == []


async def test_a_kept_transaction_is_refused_after_its_end(database: Database) -> None:
    kept: list[Transaction] = []

    async def keeps_it(tx: Transaction) -> None:
        kept.append(tx)

    await database.write(keeps_it)

    with pytest.raises(QueryError, match="is over"):
        await kept[0].execute("DELETE FROM counter")


async def test_values_come_back_as_they_went_in(database: Database) -> None:
    async def store(tx: Transaction) -> None:
        await tx.execute(
            "INSERT INTO blob (id, size_bytes, place, refs, data) VALUES (?, ?, ?, ?, ?)",
            2**63 - 1, -(2**63), "Ω ' \" ? $1 \r\n", 7, b"\x00\xff?\x00",
        )  # fmt: skip

    async def load(tx: Transaction) -> Row | None:
        return await tx.fetch_one("SELECT id, size_bytes, place, refs, data FROM blob WHERE place LIKE '%?%'")

    await database.write(store)

    assert await database.read(load) == (2**63 - 1, -(2**63), "Ω ' \" ? $1 \r\n", 7, b"\x00\xff?\x00")


async def test_fetch_one_returns_none_when_there_is_no_row(database: Database) -> None:
    async def load(tx: Transaction) -> Row | None:
        return await tx.fetch_one("SELECT value FROM counter WHERE name = ?", "nobody")

    assert await database.read(load) is None


async def test_execute_many_inserts_every_row_or_none(database: Database) -> None:
    sql = "INSERT INTO counter (name, value) VALUES (?, ?)"

    async def insert_all(tx: Transaction, names: str) -> None:
        await tx.execute_many(sql, ((name, number) for number, name in enumerate(names)))

    await database.write(insert_all, "abc")
    with pytest.raises(IntegrityError):
        await database.write(insert_all, "xyx")

    assert await database.read(all_counters) == [("a", 0), ("b", 1), ("c", 2)]


@pytest.mark.parametrize("method", ["read", "write"])
async def test_text_with_nul_is_refused_on_both_engines(database: Database, method: str) -> None:
    async def look_up(tx: Transaction) -> Row | None:
        return await tx.fetch_one("SELECT value FROM counter WHERE name = ?", "a\0b")

    with pytest.raises(QueryError, match="NUL"):
        await getattr(database, method)(look_up)


@pytest.mark.parametrize("value", [2**63, "\ud800"])
async def test_a_value_that_does_not_fit_is_a_query_error(database: Database, value: int | str) -> None:
    async def insert(tx: Transaction) -> None:
        name, number = (value, 1) if isinstance(value, str) else ("a", value)
        await tx.execute("INSERT INTO counter (name, value) VALUES (?, ?)", name, number)

    with pytest.raises(QueryError):
        await database.write(insert)


async def test_text_sorts_by_code_point(database: Database) -> None:
    for number, name in enumerate(["b", "ä", "a", "B", "_", "Z", "aa", "é"]):
        await database.write(insert_counter, name, number)

    names = [row[0] for row in await database.read(all_counters)]

    assert names == sorted(names)
    assert len(names) == 8


async def test_a_wrong_statement_is_a_query_error_and_the_database_goes_on(database: Database) -> None:
    async def mistyped(tx: Transaction) -> None:
        await tx.execute("SELEKT 1")

    for method in (database.read, database.read_long, database.write):
        with pytest.raises(QueryError):
            await method(mistyped)

    assert await database.write(insert_counter, "on", 5) == 5


async def test_several_statements_of_a_read_see_one_snapshot(database: Database) -> None:
    await database.write(insert_counter, "a", 1)
    started, changed = asyncio.Event(), asyncio.Event()
    seen: list[int] = []

    async def count_twice(tx: Transaction) -> tuple[int, int]:
        first = len(await all_counters(tx))
        started.set()
        return first, len(await all_counters(tx))

    async def change() -> None:
        for number in range(20):
            await database.write(insert_counter, f"b{number}", 1)
        changed.set()

    writing = asyncio.create_task(change())
    while not changed.is_set():
        first, second = await database.read_long(count_twice)
        assert first == second
        first, second = await database.read(count_twice)
        assert first == second
        seen.append(first)
        await asyncio.sleep(0)
    await writing
    assert seen == sorted(seen)


async def test_numbers_of_a_name_have_no_gaps_and_no_doubles_under_concurrency(database: Database) -> None:
    numbers = await asyncio.gather(*(database.write(next_number, "uid") for _ in range(40)))

    assert sorted(numbers) == list(range(1, 41))
    assert await database.write(next_number, "other") == 1


async def test_each_start_gets_another_node(database: Database) -> None:
    assert [await allot_node(database) for _ in range(3)] == [1, 2, 3]


async def test_a_write_that_was_cancelled_leaves_the_database_usable(database: Database) -> None:
    tasks = [asyncio.create_task(database.write(insert_counter, f"n{n}", n)) for n in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    names = {row[0] for row in await database.read(all_counters)}
    assert {f"n{n}" for n in range(1, 20, 2)} <= names


async def test_close_finishes_what_was_accepted_and_refuses_what_comes_later(database: Database) -> None:
    writes = [asyncio.create_task(database.write(insert_counter, f"n{n}", n)) for n in range(10)]
    await asyncio.sleep(0)

    await database.close()
    await database.close()

    assert await asyncio.gather(*writes) == list(range(10))
    with pytest.raises(StorageError, match="closed"):
        await database.write(insert_counter, "late", 1)
    with pytest.raises(StorageError, match="closed"):
        await database.read(all_counters)
