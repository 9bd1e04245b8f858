"""What a tree of processes uses: CPU time and memory, from /proc."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
UTIME, STIME, PARENT = 11, 12, 1
"""Places in /proc/PID/stat after the name in brackets, which may hold blanks (proc(5))."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a tree, in KiB; `pss_kib` counts each shared page once over all who share it."""

    processes: int
    pss_kib: int
    private_kib: int


def tree_of(root: int) -> list[int]:
    """Return a process and all its descendants that live."""
    parents = {
        int(entry.name): int(fields[PARENT])
        for entry in PROC.iterdir()
        if entry.name.isdigit() and (fields := _stat(int(entry.name)))
    }
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def cpu_seconds(root: int) -> float:
    """Return the CPU seconds, user and system, that the living processes of a tree have used."""
    ticks = 0
    for pid in tree_of(root):
        fields = _stat(pid)
        if fields:
            ticks += int(fields[UTIME]) + int(fields[STIME])
    return ticks / TICKS_PER_SECOND


def memory_of(root: int) -> Memory:
    """Return the memory of a tree, as /proc/PID/smaps_rollup tells it."""
    pss = private = processes = 0
    for pid in tree_of(root):
        with suppress(OSError):
            rollup = (PROC / str(pid) / "smaps_rollup").read_text()
            values = {key: int(rest[0]) for key, *rest in map(str.split, rollup.splitlines()[1:])}
            pss += values["Pss:"]
            private += values["Private_Clean:"] + values["Private_Dirty:"]
            processes += 1
    return Memory(processes, pss, private)


def holder_of(pids: Sequence[int], client: tuple[str, int]) -> int:
    """Return which process holds the other end of an IPv4 client's loopback connection; 0: none does."""
    remote = f"0100007F:{client[1]:04X}"
    lines = (PROC / "net" / "tcp").read_text().splitlines()[1:]
    inodes = {f"socket:[{fields[9]}]" for fields in map(str.split, lines) if fields[2] == remote}
    for pid in pids:
        for entry in (PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                if str(entry.readlink()) in inodes:
                    return pid
    return 0


def _stat(pid: int) -> Sequence[str]:
    """Return the fields behind the name; none when the process is gone."""
    with suppress(OSError):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return ()
