"""What the command line chose."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """For every benchmark; `messages` None is each one's own number, `folder` is thrown away afterwards."""

    folder: Path
    messages: int | None = None
    connections: int | None = None
    workers: int = 2
    database: str = ""
    peers: Path | None = None
    rounds: int = 1
