"""Databases for tests: a private PostgreSQL server for the run, and a fresh database of either engine."""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

POSTGRES_VARIABLE: Final = "FREEHOLD_TEST_POSTGRES"  # the address of a server to use instead of a private one
STOP_SECONDS: Final = 30.0
START_SECONDS: Final = 60.0

_SETTINGS: Final = {
    "fsync": "off",  # the data is thrown away; what is durable is PostgreSQL's own business
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "logging_collector": "off",
}


def postgres_programs() -> Path | None:
    """Return the folder of initdb and postgres: Debian's newest, or the one on the path."""
    folders = sorted(
        (folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()),
        key=lambda folder: int(folder.parent.name) if folder.parent.name.isdigit() else 0,
    )
    if folders:
        return folders[-1]
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server on a Unix socket in a temporary folder; the value is its postgresql:// address.

    PostgreSQL refuses to run as root, so root starts it as the user postgres or nobody.
    """
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb and postgres are not installed")
    folder = Path(tempfile.mkdtemp(prefix="freehold-pg-"))
    user = _unprivileged_user()
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        _run(user, (programs / "initdb", "-D", data, "-U", "freehold", "-A", "trust", "-E", "UTF8", "-N"))
        settings = {**_SETTINGS, "unix_socket_directories": str(folder)}
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        control = (programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log")
        _run(user, (*control, "-t", int(START_SECONDS), "start"))
        try:
            yield f"postgresql://freehold@/postgres?host={folder}"
        finally:
            _run(user, (*control, "-m", "immediate", "-t", int(STOP_SECONDS), "stop"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _run(user: pwd.struct_passwd | None, command: Sequence[Path | str | int]) -> None:
    identity: dict[str, Any] = (
        {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    )
    subprocess.run(
        [str(word) for word in command],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        timeout=START_SECONDS + STOP_SECONDS,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        **identity,
    )


def _administer(server_url: str, *statements: str) -> None:
    """Run statements on the server from outside any event loop."""

    async def run() -> None:
        import asyncpg

        connection = await asyncpg.connect(server_url, timeout=START_SECONDS)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def database_url(server_url: str, name: str) -> str:
    """Return the address of another database on the same server."""
    head, _, query = server_url.partition("?")
    return head.rpartition("/")[0] + "/" + name + ("?" + query if query else "")


class PostgresDatabases:
    """Makes fresh databases on one server, cheaply, and removes them."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._names: list[str] = []

    def create(self) -> str:
        """Return the address of a new, empty database, in UTF-8 and with a collation that is not "C"."""
        name = f"freehold_{uuid.uuid4().hex}"
        _administer(
            self._server_url,
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"
            " LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8' STRATEGY wal_log",
        )
        self._names.append(name)
        return database_url(self._server_url, name)

    def drop_all(self) -> None:
        """Remove every database that was made."""
        _administer(
            self._server_url, *(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)" for name in self._names)
        )
        self._names.clear()
