"""A private name server in a process of its own, beside the servers that ask it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SECONDS = 10.0


@contextmanager
def serving_zone(zone: str) -> Iterator[str]:
    """Answer from the zone (as in `tests.nameserver`); gives the address to configure."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.nameserver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(zone)
        process.stdin.close()
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)
