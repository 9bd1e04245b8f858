"""What a loss of power leaves of a SQLite database: the write-ahead log ends where it was last synced."""

import shutil
from pathlib import Path


def log_bytes(database: Path) -> int:
    """Return how long the write-ahead log is now."""
    return _log(database).stat().st_size


def copy_as_after_a_loss(database: Path, target: Path, *, synced: int) -> None:
    """Copy a database that is in use, with `synced` bytes of its log."""
    shutil.copy(database, target)
    with _log(database).open("rb") as log:
        _log(target).write_bytes(log.read(synced))


def _log(database: Path) -> Path:
    return database.with_name(database.name + "-wal")
