"""Freehold beside Postfix and Dovecot: alternately, in one run, with load generators that are not ours.

What these do not ask, SORT and THREAD, folders of 100,000 messages, reading after a restart and ten thousand
idle connections, is in `peers_reading.py`; what reading is to reach, in `peers_goals.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.memory import allow_descriptors, measure_connections
from benchmarks.options import Options
from benchmarks.peers_goals import goals_table
from benchmarks.peers_reading import Reader, measure_reading
from benchmarks.peers_report import imap_table, smtp_table
from benchmarks.peers_setup import (
    KEPT_DOVECOT,
    PORTS,
    Bench,
    PeersMissingError,
    find_missing,
    freehold_beside,
    set_up,
)
from benchmarks.report import Table
from benchmarks.server import PASSWORD, BenchServer

DEFAULT_SMTP_MESSAGES: Final = 500
MIN_IMAP_MESSAGES: Final = 1_000
"""imapbench.py reads the first thousand."""
DEFAULT_CONNECTIONS: Final = 1_000
SPARE_DESCRIPTORS: Final = 500
SMTP_CASES: Final = (
    (4096, 1, 0.2),
    (4096, 20, 1.0),
    (4096, 100, 1.0),
    (65_536, 20, 0.3),
    (1_048_576, 20, 0.05),
)
FILLING: Final = "select"
READING: Final = "select,fetch,big,search"
WRITING: Final = "append,store,copy"
LOGINS: Final = "login"
TWICE: Final = "2"
"""The second run takes away the flags that the first one has set, so each round finds the same."""
DOVECOT, FREEHOLD = "dovecot", "freehold"
DOVECOT_PASSWORD: Final = "pw%d"


def run(options: Options) -> Iterator[Table]:
    """Measure delivery, then reading, in rounds in which the servers take turns.

    Raises:
        PeersMissingError: a program, a file or a right is missing.
    """
    with _servers(options) as (bench, server):
        smtp = bench.programs / "smtp.jsonl"
        for _ in range(options.rounds):
            _smtp_round(bench, server, options, smtp)
        yield smtp_table(smtp)
        yield from _reading(bench, server, options)


def run_reading(options: Options) -> Iterator[Table]:
    """Measure reading alone.

    Raises:
        PeersMissingError: a program, a file or a right is missing.
    """
    with _servers(options) as (bench, server):
        yield from _reading(bench, server, options)


@contextmanager
def _servers(options: Options) -> Iterator[tuple[Bench, BenchServer]]:
    if options.peers is None:
        raise PeersMissingError("--peers DIR must name the folder of the load generators")
    missing = find_missing(options.peers)
    if missing:
        raise PeersMissingError("the comparison needs " + ", ".join(missing))
    allow_descriptors(_connections(options) + SPARE_DESCRIPTORS)
    with set_up(options) as bench, freehold_beside(options, bench) as server:
        yield bench, server


def _smtp_round(bench: Bench, server: BenchServer, options: Options, out: Path) -> None:
    messages = options.messages or DEFAULT_SMTP_MESSAGES
    matrix = ",".join(
        f"{size}x{connections}x{max(round(messages * share), connections)}"
        for size, connections, share in SMTP_CASES
    )
    virtual, lmtp, imap = (bench.ports[port] for port in PORTS)
    folder = bench.peers / "postfix-virtual"
    how = ("--wait", f"postfix:{folder / 'queue'}", "--verify", f"maildir:{folder / 'vmail'}")
    bench.measure_smtp("postfix-virtual", virtual, "--cg", "postfix-virtual", *how, matrix=matrix, out=out)
    queue = bench.peers / "postfix-lmtp" / "queue"
    how = ("--wait", f"postfix:{queue}", "--verify", f"imap:127.0.0.1:{imap}:user%d@bench.test:pw%d")
    bench.measure_smtp("postfix-lmtp", lmtp, "--cg", "postfix-lmtp,dovecot", *how, matrix=matrix, out=out)
    verify = f"imap:127.0.0.1:{server.ports['imap']}:user%d@bench.test:password-%d"
    how = ("--wait", "none", "--verify", verify)  # 250 means durable and visible
    bench.measure_smtp("freehold", server.ports["smtp"], "--cg", "freehold", *how, matrix=matrix, out=out)


def _reading(bench: Bench, server: BenchServer, options: Options) -> Iterator[Table]:
    out = bench.programs / "imap.jsonl"
    dovecot = Reader(DOVECOT, bench.imap_port, DOVECOT_PASSWORD, bench)
    freehold = Reader(FREEHOLD, server.ports["imap"], PASSWORD, bench)
    messages = max(options.messages or 0, MIN_IMAP_MESSAGES)
    for reader in (dovecot, freehold):
        _run_imapbench(reader, FILLING, out, "--msgs", str(messages))
    for _ in range(options.rounds):
        _imap_round(dovecot, freehold, server, messages, out)
    memory = list(measure_connections(server, _connections(options)))
    yield imap_table(out)
    yield goals_table(out, memory)


def _imap_round(dovecot: Reader, freehold: Reader, server: BenchServer, messages: int, out: Path) -> None:
    """Measure reading, each server on its own mailbox of the same messages."""
    bench = dovecot.bench
    server.wait_until_indexed()
    for tests in (READING, WRITING):
        for reader in (dovecot, freehold):
            _run_imapbench(reader, tests, out, "--msgs", str(messages), "--runs", TWICE)
    kept = Reader(DOVECOT, bench.kept_port, DOVECOT_PASSWORD, bench, KEPT_DOVECOT)
    # Freehold was started anew: what each worker has not seen yet is checked by argon2, and not told.
    _run_imapbench(freehold, LOGINS, bench.programs / "first-logins.jsonl")
    for reader in (kept, freehold):
        _run_imapbench(reader, LOGINS, out)
    measure_reading(dovecot, freehold, server, messages, out)


def _run_imapbench(reader: Reader, tests: str, out: Path, *more: str) -> None:
    reader.bench.run(
        *("python3", "imapbench.py", "--name", reader.name, "--port", str(reader.port)),
        *("--cg", reader.group or reader.name, "--password", reader.password_of(1)),
        *("--passfmt", reader.password, "--tests", tests, "--runs", "1", *more, "--out", str(out)),
    )


def _connections(options: Options) -> int:
    return options.connections or DEFAULT_CONNECTIONS
