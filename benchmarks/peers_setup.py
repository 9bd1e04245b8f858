"""The servers of the comparison: Postfix and Dovecot set up anew, and a Freehold beside them.

`--peers` names the folder of the programs. They are copied and given free ports and control groups of
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
from benchmarks.server import BenchServer
from tests.scenarios.server import free_port

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
DROP_CACHES: Final = Path("/proc/sys/vm/drop_caches")
PEERS: Final = ("postfix-virtual", "postfix-lmtp", "dovecot")
KEPT_DOVECOT: Final = "dovecot-kept"
"""A second Dovecot on the same mail, whose processes serve one login after the other."""
PORTS: Final = ("10025", "10026", "10143")
"""What setup_stack.sh listens on: virtual(8), LMTP to Dovecot, IMAP; replaced by free ports."""
KEPT_SETTINGS: Final = """
service imap-login {
  service_count = 0
}
service imap {
  service_count = 0
}
"""
GROUP_PREFIX: Final = "bench_"
"""How the programs name their control groups; replaced likewise."""
USERS: Final = 100
STEP_SECONDS: Final = 900.0
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1


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
    kept_port: int
    group_prefix: str

    @property
    def imap_port(self) -> int:
        """Where Dovecot is read."""
        return self.ports[PORTS[2]]

    @property
    def kept_configuration(self) -> Path:
        """The configuration of the second Dovecot."""
        return self.peers / "dovecot" / "kept.conf"

    def cpu_seconds(self, name: str) -> float:
        """Return the CPU seconds that all processes of a server have ever used."""
        usage = CPU_ACCOUNTING / f"{self.group_prefix}{name}" / "cpuacct.usage"
        return int(usage.read_text()) / 1e9

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


def find_missing(folder: Path) -> Sequence[str]:
    """Return what the comparison lacks here."""
    missing = [f"{folder / name}" for name in FILES if not (folder / name).is_file()]
    missing += [program for program in PROGRAMS if shutil.which(program) is None]
    if not LMTP.exists():
        missing.append("dovecot-lmtpd")
    if os.geteuid() != 0:
        missing.append("root (Postfix starts only so)")
    if not os.access(DROP_CACHES, os.W_OK):
        missing.append(f"a {DROP_CACHES} that can be written (reading with cold caches)")
    if not os.access(CPU_ACCOUNTING, os.W_OK):
        missing.append(f"a {CPU_ACCOUNTING} that can be written (CPU time of all processes of a server)")
    return missing


@contextmanager
def set_up(options: Options) -> Iterator[Bench]:
    """Set the peers up and start them; stops them and removes their control groups."""
    assert options.peers is not None
    bench = _copy(options.peers, options.folder)
    try:
        bench.run("gcc", "-O2", "-o", "smtpblast", "smtpblast.c", "-lpthread")
        bench.run("bash", "setup_stack.sh")
        for peer in PEERS:
            bench.run("bash", "stack.sh", "start", peer)
        _start_kept_dovecot(bench)
        yield bench
    finally:
        _stop(bench)


def _stop(bench: Bench) -> None:
    """Stop the peers, each even if another would not, and remove what the run has left in the system."""
    try:
        for peer in PEERS:
            with suppress(PeersFailedError):
                bench.run("bash", "stack.sh", "stop", peer, seconds=STOP_SECONDS)
        with suppress(PeersFailedError):
            bench.run("doveadm", "-c", str(bench.kept_configuration), "stop", seconds=STOP_SECONDS)
    finally:
        _remove_groups(bench.group_prefix)


def _start_kept_dovecot(bench: Bench) -> None:
    """Start a Dovecot that differs from the first one in its port, its sockets and `KEPT_SETTINGS`."""
    folder = bench.peers / "dovecot"
    text = (folder / "dovecot.conf").read_text()
    text = text.replace(str(folder / "run"), str(folder / "kept")).replace("dovecot.log", "kept.log")
    text = text.replace(str(bench.imap_port), str(bench.kept_port))
    (folder / "kept").mkdir()
    bench.kept_configuration.write_text(text + KEPT_SETTINGS)
    bench.run(str(bench.programs / "incg"), KEPT_DOVECOT, "dovecot", "-c", str(bench.kept_configuration))


def _copy(source: Path, folder: Path) -> Bench:
    """Copy the programs, with ports and control groups that nobody else uses."""
    bench = Bench(
        programs=folder / "programs",
        peers=folder / "peers",
        ports={port: free_port() for port in PORTS},
        kept_port=free_port(),
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
def freehold_beside(options: Options, bench: Bench) -> Iterator[BenchServer]:
    """Run a Freehold with users in a control group of its own, and stop it afterwards."""
    folder, incg = options.folder / "freehold", str(bench.programs / "incg")
    server = BenchServer(folder, workers=options.workers, prefix=(incg, "freehold"))
    try:
        server.start()
        server.add_users(USERS)
        yield server
    finally:
        server.end()


def _remove_groups(prefix: str) -> None:
    """Remove the control groups once their processes are gone."""
    deadline = time.monotonic() + STOP_SECONDS
    for group in CPU_ACCOUNTING.glob(f"{prefix}*"):
        while group.exists() and time.monotonic() < deadline:
            try:
                group.rmdir()
            except OSError:
                time.sleep(POLL_SECONDS)
