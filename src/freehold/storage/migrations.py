"""Numbered schema files of a package, and what an existing database still needs of them.

A file `0002_….sql` brings its schema to version 2. Its first line may be `-- compatible: N`: programs
that know only versions up to N can still use the database afterwards. Without the line, only programs that
know the file can.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Final

from freehold.storage.database import Row, SchemaError

VERSION_TABLE: Final = """CREATE TABLE IF NOT EXISTS schema_version (
    name TEXT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, compatible_version BIGINT NOT NULL
)"""
SELECT_VERSIONS: Final = "SELECT name, version, compatible_version FROM schema_version"
RECORD_VERSION: Final = """INSERT INTO schema_version (name, version, compatible_version) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE
    SET version = excluded.version, compatible_version = excluded.compatible_version"""

_FILE_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_COMPATIBLE: Final = re.compile(r"-- compatible: (\d+)[ \t]*\r?(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Schema:
    """A named set of tables, made by the numbered SQL files in a Python package's folder."""

    name: str
    package: str


STORAGE_SCHEMA: Final = Schema("storage", "freehold.storage.schema")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: the SQL that brings schema `name` to `version`."""

    name: str
    version: int
    compatible_version: int
    sql: str


def load_migrations(schema: Schema) -> list[Migration]:
    """Return the package's steps in order. Raises SchemaError unless they are numbered 1, 2, 3, …."""
    steps = []
    for entry in files(schema.package).iterdir():
        if (match := _FILE_NAME.fullmatch(entry.name)) is not None:
            sql = entry.read_text(encoding="utf-8")
            comment = _COMPATIBLE.match(sql)
            version = int(match[1])
            steps.append(Migration(schema.name, version, int(comment[1]) if comment else version, sql))
    steps.sort(key=lambda step: step.version)
    if not steps or [step.version for step in steps] != list(range(1, len(steps) + 1)):
        raise SchemaError(f"the schema files of {schema.name} are not numbered 1, 2, 3, …")
    return _with_lasting_limits(steps)


def _with_lasting_limits(steps: list[Migration]) -> list[Migration]:
    """Return the steps with each `compatible_version` at least that of the step before."""
    lowest, result = 0, []
    for step in steps:
        lowest = max(lowest, step.compatible_version)
        result.append(replace(step, compatible_version=lowest))
    return result


def load_all(schemas: Sequence[Schema]) -> list[Migration]:
    """Return the steps of the storage layer's own schema and then of each given one."""
    return [step for schema in (STORAGE_SCHEMA, *schemas) for step in load_migrations(schema)]


def pending(steps: Sequence[Migration], rows: Iterable[Row]) -> list[Migration]:
    """Return the steps that a database with these version rows still needs.

    Raises SchemaError when the database is too new for this program.
    """
    known = {step.name: step.version for step in steps}
    reached: dict[str, int] = {}
    for name, version, compatible_version in rows:
        reached[name] = version
        if compatible_version > known.get(name, compatible_version):
            raise SchemaError(
                f"the database is newer than this program ({name}: version {version}, this program knows "
                f"{known[name]}): start the newer program, or restore the snapshot taken before the upgrade"
            )
    return [step for step in steps if step.version > reached.get(step.name, 0)]
