"""Schemas grow by numbered files, in one transaction, with a snapshot first."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from freehold.storage.database import Database, Row, SchemaError, StorageError, Transaction
from freehold.storage.migrations import Schema, load_migrations
from freehold.storage.open import open_database

MakeSchema = Callable[..., Schema]

FIRST = """CREATE TABLE pet (
    name TEXT NOT NULL PRIMARY KEY, good BOOLEAN NOT NULL DEFAULT TRUE
) WITHOUT ROWID, STRICT;"""
SECOND = "ALTER TABLE pet ADD COLUMN legs BIGINT NOT NULL DEFAULT 4; CREATE INDEX pet_legs ON pet (legs);"


@pytest.fixture
def make_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeSchema:
    """Make a package with numbered files; the name of the schema stays the same."""
    monkeypatch.syspath_prepend(tmp_path)
    made = 0

    def make(*steps: str, names: tuple[str, ...] = ()) -> Schema:
        nonlocal made
        made += 1
        package = f"pets_{tmp_path.name.replace('-', '_')}_{made}"
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text('"""Pets."""\n')
        file_names = names or tuple(f"{number:04}_step.sql" for number in range(1, len(steps) + 1))
        for name, sql in zip(file_names, steps, strict=True):
            (folder / name).write_text(sql)
        assert package not in sys.modules
        return Schema("pets", package)

    return make


async def open_once(address: str, schema: Schema, *, readonly: bool = False) -> None:
    database = await open_database(address, schemas=[schema], readonly=readonly)
    await database.close()


async def insert_pet(tx: Transaction, name: str) -> None:
    await tx.execute("INSERT INTO pet (name) VALUES (?)", name)


async def all_pets(tx: Transaction) -> list[Row]:
    return await tx.fetch("SELECT * FROM pet")


async def versions(tx: Transaction) -> list[Row]:
    return await tx.fetch("SELECT name, version, compatible_version FROM schema_version ORDER BY name")


async def with_a_pet(address: str, schema: Schema) -> None:
    database = await open_database(address, schemas=[schema])
    await database.write(insert_pet, "Rex")
    await database.close()


async def read_all(address: str, schema: Schema) -> tuple[list[Row], list[Row]]:
    database: Database = await open_database(address, schemas=[schema])
    result = await database.read(all_pets), await database.read(versions)
    await database.close()
    return result


async def test_an_upgrade_runs_only_what_is_new_and_keeps_the_rows(
    database_address: str, make_schema: MakeSchema
) -> None:
    await with_a_pet(database_address, make_schema(FIRST))

    pets, known = await read_all(database_address, make_schema(FIRST, SECOND))

    assert pets == [("Rex", True, 4)]
    assert known[0] == ("pets", 2, 2)


async def test_an_upgrade_that_fails_leaves_everything_as_it_was(
    database_address: str, make_schema: MakeSchema
) -> None:
    await with_a_pet(database_address, make_schema(FIRST))

    with pytest.raises(StorageError):
        await open_once(database_address, make_schema(FIRST, SECOND, "CREATE TABEL;"))

    pets, known = await read_all(database_address, make_schema(FIRST))
    assert pets == [("Rex", True)]
    assert known[0] == ("pets", 1, 1)


async def test_a_database_that_is_newer_than_the_program_is_refused(
    database_address: str, make_schema: MakeSchema
) -> None:
    await open_once(database_address, make_schema(FIRST, SECOND))

    with pytest.raises(SchemaError, match="newer than this program") as caught:
        await open_once(database_address, make_schema(FIRST))

    assert not caught.value.temporary


async def test_a_newer_database_that_says_it_is_compatible_is_opened(
    database_address: str, make_schema: MakeSchema
) -> None:
    third = "-- compatible: 1\nCREATE TABLE toy (name TEXT NOT NULL PRIMARY KEY);"
    await open_once(database_address, make_schema(FIRST, "-- compatible: 1\n" + SECOND, third))

    _, known = await read_all(database_address, make_schema(FIRST))

    assert known[0] == ("pets", 3, 1)


async def test_a_compatible_step_does_not_undo_an_earlier_incompatible_one(
    database_address: str, make_schema: MakeSchema
) -> None:
    third = "-- compatible: 1\nCREATE TABLE toy (name TEXT NOT NULL PRIMARY KEY);"
    await open_once(database_address, make_schema(FIRST, SECOND, third))

    with pytest.raises(SchemaError):
        await open_once(database_address, make_schema(FIRST))


async def test_opening_at_once_upgrades_once(database_address: str, make_schema: MakeSchema) -> None:
    schema = make_schema(FIRST, SECOND)

    await asyncio.gather(*(open_once(database_address, schema) for _ in range(4)))

    assert (await read_all(database_address, schema))[1][0] == ("pets", 2, 2)


async def test_reading_only_changes_nothing(database_address: str, make_schema: MakeSchema) -> None:
    schema = make_schema(FIRST)
    await with_a_pet(database_address, schema)

    with pytest.raises(SchemaError, match="needs an upgrade"):
        await open_once(database_address, make_schema(FIRST, SECOND), readonly=True)
    database = await open_database(database_address, schemas=[schema], readonly=True)

    assert await database.read(all_pets) == [("Rex", True)]
    with pytest.raises(RuntimeError, match="reading only"):
        await database.write(insert_pet, "Tom")
    await database.close()


async def test_a_snapshot_of_an_sqlite_file_is_taken_before_an_upgrade(
    tmp_path: Path, make_schema: MakeSchema
) -> None:
    path = tmp_path / "freehold.db"
    schema = make_schema(FIRST)
    await with_a_pet(str(path), schema)
    await open_once(str(path), schema)
    assert snapshots(tmp_path) == []

    await open_once(str(path), make_schema(FIRST, SECOND))

    [snapshot] = snapshots(tmp_path)
    assert snapshot.name == "freehold.db.before-upgrade-pets1-storage1"
    assert (await read_all(str(snapshot), schema))[0] == [("Rex", True)]


async def test_the_database_and_its_companions_are_for_their_owner_only(
    tmp_path: Path, make_schema: MakeSchema
) -> None:
    await with_a_pet(str(tmp_path / "freehold.db"), make_schema(FIRST))
    database = await open_database(str(tmp_path / "freehold.db"), schemas=[make_schema(FIRST, SECOND)])
    await database.write(insert_pet, "Tom")

    assert {mode for _, mode in modes(tmp_path)} == {0o600}
    assert {"freehold.db", "freehold.db-wal", "freehold.db.turn"} < {name for name, _ in modes(tmp_path)}
    await database.close()


@pytest.mark.parametrize(
    "names", [("0002_a.sql",), ("0001_a.sql", "0003_b.sql"), ("0001_a.sql", "0001_b.sql")]
)
def test_files_are_numbered_from_one_without_gaps(make_schema: MakeSchema, names: tuple[str, ...]) -> None:
    with pytest.raises(SchemaError, match="not numbered"):
        load_migrations(make_schema(*(FIRST for _ in names), names=names))


def snapshots(folder: Path) -> list[Path]:
    return list(folder.glob("freehold.db.before-upgrade*"))


def modes(folder: Path) -> list[tuple[str, int]]:
    return [(path.name, path.stat().st_mode & 0o777) for path in folder.glob("freehold.db*")]
