"""Brings a SQLite file to this program's schema, after keeping a snapshot of what was there."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import apsw

from freehold.storage.database import Row, SchemaError
from freehold.storage.dialect import sqlite_schema
from freehold.storage.migrations import RECORD_VERSION, SELECT_VERSIONS, VERSION_TABLE, Migration, pending
from freehold.storage.sqlite_connection import open_connection, translate
from freehold.storage.turn import Turn

TURN_SECONDS: Final = 120.0  # another process may be taking a snapshot of a large database


def migrate(path: Path, turn_path: Path, steps: Sequence[Migration], *, readonly: bool) -> None:
    """Run the pending steps in one transaction; safe when several processes start at once.

    Raises SchemaError when the database is too new, or too old and `readonly`.
    """
    if readonly:
        _migrate_in_turn(path, steps, readonly=True)
        return
    _create_privately(path)
    turn = Turn(turn_path)
    try:
        turn.take_within(TURN_SECONDS)
        _migrate_in_turn(path, steps, readonly=False)
    finally:
        turn.close()


def _create_privately(path: Path) -> None:
    """Make the file for its owner only; SQLite gives its log and index files the same mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _migrate_in_turn(path: Path, steps: Sequence[Migration], *, readonly: bool) -> None:
    connection = open_connection(path, readonly=readonly)
    try:
        versions = _versions(connection)
        todo = pending(steps, versions)
        if todo and readonly:
            raise SchemaError("the database needs an upgrade: start the server once")
        if todo:
            if versions:
                _take_snapshot(connection, path, versions)
            _run(connection, todo)
    except apsw.Error as error:
        raise translate(error, path) from error
    finally:
        connection.close()


def _versions(connection: apsw.Connection) -> list[Row]:
    if not connection.table_exists(None, "schema_version"):
        return []
    return connection.execute(SELECT_VERSIONS).fetchall()


def _run(connection: apsw.Connection, todo: Sequence[Migration]) -> None:
    with connection:
        connection.execute(sqlite_schema(VERSION_TABLE))
        for step in todo:
            connection.execute(sqlite_schema(step.sql))
            connection.execute(RECORD_VERSION, (step.name, step.version, step.compatible_version))


def _take_snapshot(connection: apsw.Connection, path: Path, versions: Sequence[Row]) -> None:
    """Write a whole copy beside the database, named by the versions it holds."""
    label = "-".join(f"{name}{version}" for name, version, _ in sorted(versions))
    snapshot = path.with_name(f"{path.name}.before-upgrade-{label}")
    unfinished = snapshot.with_name(snapshot.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        _create_privately(unfinished)
        connection.execute("VACUUM INTO ?", (str(unfinished),))
        _sync(unfinished)
        unfinished.rename(snapshot)
        _sync(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
