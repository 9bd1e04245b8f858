"""Freehold beside Postfix and Dovecot: alternately, in one run, with load generators that are not ours.

`--peers` names the folder of these programs. They are copied and given free ports and control groups of
their own, so that nothing that runs here already is touched or counted.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.options import Options
from benchmarks.peers_report import imap_table, smtp_table
from benchmarks.report import Table
from benchmarks.server import BenchServer, free_port

FILES: Final = (
    "benchlib.py",
    "imapbench.py",
    "incg",
    "setup_stack.sh",
    "smtpbench.py",
    "smtpblast.c",
    "stack.sh",
)
PROGRAMS: Final = ("postfix", "postmap", "dovecot", "doveadm", "gcc", "python3")
LMTP: Final = Path("/usr/lib/dovecot/lmtp")
CPU_ACCOUNTING: Final = Path("/sys/fs/cgroup/cpuacct")
PEERS: Final = ("postfix-virtual", "postfix-lmtp", "dovecot")
PORTS: Final = ("10025", "10026", "10143")
"""What setup_stack.sh listens on: virtual(8), LMTP to Dovecot, IMAP; replaced by free ports."""
GROUP_PREFIX: Final = "bench_"
"""How the programs name their control groups; replaced likewise."""
USERS: Final = 100
STEP_SECONDS: Final = 900.0
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1
DEFAULT_SMTP_MESSAGES: Final = 500
MIN_IMAP_MESSAGES: Final = 1_000
"""imapbench.py reads the first thousand."""
DEFAULT_CONNECTIONS: Final = 200
SMTP_CASES: Final = (
    (4096, 1, 0.2),
    (4096, 20, 1.0),
    (4096, 100, 1.0),
    (65_536, 20, 0.3),
    (1_048_576, 20, 0.05),
)
IMAP_TESTS: Final = "login,append,select,fetch,search,store,idle"


class PeersMissingError(RuntimeError):
    """The comparison cannot be made here; says what it lacks."""


class PeersFailedError(RuntimeError):
    """A step of the comparison failed; the message ends with its output."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The copied programs, the peers' folder, and the ports that stand for `PORTS`."""

    programs: Path
    peers: Path
    ports: Mapping[str, int]
    group_prefix: str

    def run(self, *words: str, seconds: float = STEP_SECONDS) -> None:
        """Run a step to its end, its output in a file: a daemon that it starts would keep a pipe open.

        Raises:
            PeersFailedError: it failed or took too long.
        """
        log = self.programs / "steps.log"
        with log.open("ab") as output:
            try:
                subprocess.run(
                    words,
                    cwd=self.programs,
                    env={**os.environ, "BENCH_DIR": str(self.peers)},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    timeout=seconds,
                    check=True,
                )
            except subprocess.SubprocessError as error:
                raise PeersFailedError(f"{error}\n{log.read_text(errors='replace')[-3000:]}") from error

    def measure_smtp(self, name: str, port: int, *how: str, matrix: str, out: Path) -> None:
        """Send the matrix once to a server."""
        words = ("--name", name, "--port", str(port), "--matrix", matrix, "--runs", "1", "--out", str(out))
        self.run("python3", "smtpbench.py", *words, *how)


def run(options: Options) -> Iterator[Table]:
    """Measure delivery, then reading, in rounds in which the servers take turns.

    Raises:
        PeersMissingError: a program, a file or a right is missing.
    """
    if options.peers is None:
        raise PeersMissingError("--peers DIR must name the folder of the load generators")
    missing = find_missing(options.peers)
    if missing:
        raise PeersMissingError("the comparison needs " + ", ".join(missing))
    with _bench(options) as bench, _freehold(options, bench) as server:
        smtp, imap = bench.programs / "smtp.jsonl", bench.programs / "imap.jsonl"
        for _ in range(options.rounds):
            _smtp_round(bench, server, options, smtp)
        yield smtp_table(smtp)
        for _ in range(options.rounds):
            _imap_round(bench, server, options, imap)
        yield imap_table(imap)


def find_missing(folder: Path) -> Sequence[str]:
    """Return what the comparison lacks here."""
    missing = [f"{folder / name}" for name in FILES if not (folder / name).is_file()]
    missing += [program for program in PROGRAMS if shutil.which(program) is None]
    if not LMTP.exists():
        missing.append("dovecot-lmtpd")
    if os.geteuid() != 0:
        missing.append("root (Postfix starts only so)")
    if not os.access(CPU_ACCOUNTING, os.W_OK):
        missing.append(f"a {CPU_ACCOUNTING} that can be written (CPU time of all processes of a server)")
    return missing


@contextmanager
def _bench(options: Options) -> Iterator[Bench]:
    """Set the peers up and start them; stops them and removes their control groups."""
    assert options.peers is not None
    bench = _copy(options.peers, options.folder)
    try:
        bench.run("gcc", "-O2", "-o", "smtpblast", "smtpblast.c", "-lpthread")
        bench.run("bash", "setup_stack.sh")
        for peer in PEERS:
            bench.run("bash", "stack.sh", "start", peer)
        yield bench
    finally:
        _stop(bench)


def _stop(bench: Bench) -> None:
    """Stop the peers, each even if another would not, and remove what the run has left in the system."""
    try:
        for peer in PEERS:
            with suppress(PeersFailedError):
                bench.run("bash", "stack.sh", "stop", peer, seconds=STOP_SECONDS)
    finally:
        _remove_groups(bench.group_prefix)


def _copy(source: Path, folder: Path) -> Bench:
    """Copy the programs, with ports and control groups that nobody else uses."""
    bench = Bench(
        programs=folder / "programs",
        peers=folder / "peers",
        ports={port: free_port() for port in PORTS},
        group_prefix=f"{GROUP_PREFIX}{os.getpid()}_",
    )
    folder.chmod(0o755)  # the peers' own users must reach their folders below
    bench.programs.mkdir()
    bench.peers.mkdir()
    for name in FILES:
        text = (source / name).read_text().replace(GROUP_PREFIX, bench.group_prefix)
        if name == "setup_stack.sh":
            for old, new in bench.ports.items():
                text = text.replace(old, str(new))
        copied = bench.programs / name
        copied.write_text(text)
        copied.chmod(0o755)
    return bench


@contextmanager
def _freehold(options: Options, bench: Bench) -> Iterator[BenchServer]:
    server = BenchServer(
        options.folder / "freehold", options.workers, prefix=(str(bench.programs / "incg"), "freehold")
    )
    try:
        server.start()
        server.add_users(USERS)
        yield server
    finally:
        server.stop()


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


def _imap_round(bench: Bench, server: BenchServer, options: Options, out: Path) -> None:
    """Measure reading, each server on its own mailbox of the same messages.

    The first run of a round sets the flags that the second takes away, so each round finds the same.
    """
    messages = max(options.messages or 0, MIN_IMAP_MESSAGES)
    idle = options.connections or DEFAULT_CONNECTIONS
    for name, port, password in (
        ("dovecot", bench.ports[PORTS[2]], "pw%d"),
        ("freehold", server.ports["imap"], "password-%d"),
    ):
        bench.run(
            *("python3", "imapbench.py", "--name", name, "--port", str(port), "--cg", name),
            *("--password", password % 1, "--passfmt", password, "--tests", IMAP_TESTS),
            *("--msgs", str(messages), "--idle", str(idle), "--runs", "2"),
            *("--out", str(out)),
        )


def _remove_groups(prefix: str) -> None:
    """Remove the control groups once their processes are gone."""
    deadline = time.monotonic() + STOP_SECONDS
    for group in CPU_ACCOUNTING.glob(f"{prefix}*"):
        while group.exists() and time.monotonic() < deadline:
            try:
                group.rmdir()
            except OSError:
                time.sleep(POLL_SECONDS)
