"""One portable SQL, translated for each engine."""

import pytest

from freehold.storage.dialect import postgres_schema, postgres_statement, sqlite_schema


@pytest.mark.parametrize(
    ("portable", "translated"),
    [
        ("SELECT a FROM t WHERE b = ? AND c = ?", "SELECT a FROM t WHERE b = $1 AND c = $2"),
        ("SELECT '?', 'it''s ?', ?", "SELECT '?', 'it''s ?', $1"),
        ('SELECT "a?b""?" FROM t WHERE c = ?', 'SELECT "a?b""?" FROM t WHERE c = $1'),
        ("SELECT ? -- why?\n, ?", "SELECT $1 -- why?\n, $2"),
        ("SELECT /* ? \n ? */ ?", "SELECT /* ? \n ? */ $1"),
        ("SELECT CAST(? AS BLOB), blob.id FROM blob", "SELECT CAST($1 AS BYTEA), blob.id FROM blob"),
        ("SELECT CAST(? AS TEXT)", "SELECT CAST($1 AS TEXT)"),
    ],
)
def test_parameters_are_numbered_for_postgres_outside_of_quotes_and_comments(
    portable: str, translated: str
) -> None:
    assert postgres_statement(portable) == translated


TABLE = """CREATE TABLE blob (  -- TEXT in a comment
    id BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL DEFAULT 'TEXT', seen BOOLEAN, data BLOB,
    CHECK (CAST(name AS TEXT) <> '')
) WITHOUT ROWID, STRICT;"""


def test_a_schema_for_postgres_sorts_text_by_code_point_and_has_no_sqlite_options() -> None:
    assert (
        postgres_schema(TABLE)
        == """CREATE TABLE blob (  -- TEXT in a comment
    id BIGINT NOT NULL PRIMARY KEY, name TEXT COLLATE "C" NOT NULL DEFAULT 'TEXT', seen BOOLEAN, data BYTEA,
    CHECK (CAST(name AS TEXT) <> '')
) ;"""
    )


def test_a_schema_for_sqlite_has_integer_keys() -> None:
    assert (
        sqlite_schema(TABLE)
        == """CREATE TABLE blob (  -- TEXT in a comment
    id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL DEFAULT 'TEXT', seen INTEGER, data BLOB,
    CHECK (CAST(name AS TEXT) <> '')
) WITHOUT ROWID, STRICT;"""
    )
