"""Turns a TOML table into a struct, and says of each wrong key where it stands and what is meant.

A key's name carries its unit: one that ends in `_bytes` also takes text such as "50 MiB", one that ends
in `_seconds` text such as "4h".
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from freehold.kernel.quantities import parse_bytes, parse_seconds
from freehold.kernel.suggest import nearest

S = TypeVar("S", bound=msgspec.Struct)


def decode_table(kind: type[S], table: Mapping[str, Any], path: str, problems: list[str]) -> S | None:
    """Return the struct, or None after adding at least one line to `problems`.

    `path` is the table's own ("mail.smtp"), empty for the file's top level.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    before = len(problems)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            problems.append(unknown_key(_join(path, key), key, fields))
            continue
        field = fields[key]
        values[field.name] = _decode_value(field.type, value, _join(path, key), problems)
    problems.extend(
        f"{_join(path, key)}: missing, it has no default"
        for key, field in fields.items()
        if field.required and key not in table
    )
    if len(problems) > before:
        return None
    try:
        return kind(**values)
    except ValueError as error:  # __post_init__ refuses values that do not go together
        problems.append(f"{path or 'configuration'}: {error}")
        return None


def unknown_key(path: str, key: str, known: Mapping[str, Any]) -> str:
    """Return the problem line for a key that does not exist, with the nearest one that does."""
    guess = nearest(key, known)
    return f"{path}: unknown key" + (f"; did you mean {guess}?" if guess else "")


def iter_keys(kind: type[msgspec.Struct], path: str = "") -> Iterator[str]:
    """Yield the dotted path of every key; the free name in a table of tables is `NAME`."""
    for field in msgspec.structs.fields(kind):
        here = _join(path, field.encode_name)
        if inner := _struct_in(field.type):
            yield from iter_keys(inner, here)
        elif inner := _struct_in_mapping(field.type):
            yield from iter_keys(inner, f"{here}.NAME")
        elif inner := _struct_in_list(field.type):
            yield from iter_keys(inner, here)
        else:
            yield here


def _decode_value(kind: Any, value: Any, path: str, problems: list[str]) -> Any:
    if inner := _struct_in(kind):
        if isinstance(value, Mapping):
            return decode_table(inner, value, path, problems)
        problems.append(f"{path}: expected a table, got {_name_of(value)}")
        return None
    if (inner := _struct_in_mapping(kind)) and isinstance(value, Mapping):
        return {
            name: _decode_value(inner, table, _join(path, name), problems) for name, table in value.items()
        }
    if (inner := _struct_in_list(kind)) and isinstance(value, list):
        return tuple(
            _decode_value(inner, table, f"{path}[{index}]", problems) for index, table in enumerate(value)
        )
    try:
        return msgspec.convert(_with_unit(path, value), kind, dec_hook=_decode_path)
    except msgspec.ValidationError as error:
        problems.append(f"{path}: {_plain(str(error))}")
    except ValueError as error:
        problems.append(f"{path}: {error}")
    return None


def _with_unit(path: str, value: Any) -> Any:
    """Replace text by a number where the key's name says which unit it has."""
    if not isinstance(value, str):
        return value
    if path.endswith("_bytes"):
        return parse_bytes(value)
    if path.endswith("_seconds"):
        seconds = parse_seconds(value)
        return int(seconds) if seconds.is_integer() else seconds
    return value


def _decode_path(kind: type[Any], value: Any) -> Any:
    if kind is not Path:
        raise TypeError(f"settings of type {kind.__name__}")
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"expected a path as text, got {_name_of(value)}")
    return Path(value)


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """Return the struct that a key takes, also where it may be left out (`X | None`)."""
    candidates = get_args(kind) if get_origin(kind) in (Union, UnionType, Annotated) else (kind,)
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, msgspec.Struct):
            return candidate
    return None


def _struct_in_mapping(kind: Any) -> type[msgspec.Struct] | None:
    return _struct_in(get_args(kind)[1]) if get_origin(kind) is dict else None


def _struct_in_list(kind: Any) -> type[msgspec.Struct] | None:
    return _struct_in(get_args(kind)[0]) if get_origin(kind) is tuple else None


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _name_of(value: Any) -> str:
    return {
        "str": "text",
        "int": "a number",
        "float": "a number",
        "bool": "true or false",
        "list": "a list",
    }.get(type(value).__name__, type(value).__name__)


def _plain(text: str) -> str:
    """Drop msgspec's quotes and its `$` path: the caller names the key."""
    text, _, where = text.partition(" - at `$")
    text = text.replace("`", "")
    text = text[0].lower() + text[1:]
    return f"{text} (at {where.rstrip('`')})" if where.strip("`") else text
