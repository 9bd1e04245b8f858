"""Turns the portable SQL into each engine's own; results are cached, so statements should be constants."""

import re
from functools import lru_cache
from typing import Final

CACHED_STATEMENTS: Final = 2048

# What is copied as it is: strings, quoted names, comments. What is translated: parameters and keywords.
_TOKEN: Final = re.compile(
    r"'(?:[^']|'')*'"
    r'|"(?:[^"]|"")*"'
    r"|--[^\n]*"
    r"|/\*.*?\*/"
    r"|(?P<parameter>\?)"
    r"|(?P<word>\b(?:BLOB|BIGINT|BOOLEAN|AS\s+TEXT|TEXT)\b)"
    r"|(?P<option>(?:,\s*)?\b(?:WITHOUT\s+ROWID|STRICT)\b)",
    re.DOTALL,
)


@lru_cache(CACHED_STATEMENTS)
def postgres_statement(sql: str) -> str:
    """Return a statement with `?` as `$1`, `$2`, … and BLOB as BYTEA."""
    count = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal count
        if match["parameter"]:
            count += 1
            return f"${count}"
        return "BYTEA" if match["word"] == "BLOB" else match[0]

    return _TOKEN.sub(replace, sql)


def postgres_schema(sql: str) -> str:
    """Return schema statements for PostgreSQL: TEXT sorts by code point, SQLite's options are dropped."""

    def replace(match: re.Match[str]) -> str:
        if match["option"]:
            return ""
        match match["word"]:
            case "BLOB":
                return "BYTEA"
            case "TEXT":
                return 'TEXT COLLATE "C"'
        return match[0]

    return _TOKEN.sub(replace, sql)


def sqlite_schema(sql: str) -> str:
    """Return schema statements for SQLite: BIGINT and BOOLEAN become INTEGER.

    STRICT tables know neither name, and only INTEGER PRIMARY KEY is the row's own number, without an index.
    """

    def replace(match: re.Match[str]) -> str:
        return "INTEGER" if match["word"] in ("BIGINT", "BOOLEAN") else match[0]

    return _TOKEN.sub(replace, sql)
