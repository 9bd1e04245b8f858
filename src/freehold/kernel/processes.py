"""Forks the worker processes: what a child leaves behind of its parent, and what it then runs."""

import asyncio
import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import setproctitle
import uvloop

from freehold.errors import FreeholdError
from freehold.kernel.bus_client import BusConnection, LocalBus
from freehold.kernel.bus_wire import socket_path
from freehold.kernel.log import get_logger
from freehold.kernel.metrics import attach
from freehold.kernel.module import Role
from freehold.kernel.privileges import die_with_parent
from freehold.kernel.worker import Control, Service, handle_signals, run

READY: Final = b"R"
NOT_OURS: Final = (signal.SIGINT, signal.SIGHUP)
"""A terminal sends SIGINT to workers too, but the supervisor decides; SIGHUP counts once there is a loop."""

HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)

log = get_logger("freehold.kernel.worker")


@dataclass(frozen=True, slots=True)
class Place:
    """A worker's place among the workers; a restarted worker takes the same one."""

    name: str
    role: Role
    segment: int


@dataclass(frozen=True, slots=True)
class Child:
    """A forked process: its number, and where it says that it is ready."""

    pid: int
    ready: int


def places(workers: int) -> list[Place]:
    """Return the places of a server with so many front workers; segment 0 is the supervisor's."""
    front = [Place(f"front-{index}", Role.FRONT, index) for index in range(1, workers + 1)]
    return [*front, Place("back", Role.BACK, workers + 1)]


GC_ALLOCATIONS: Final = 20_000
GC_YOUNG_RUNS: Final = 20
GC_OLD_RUNS: Final = 20
SWITCH_SECONDS: Final = 0.0005
M_MMAP_THRESHOLD: Final = -3
"""mallopt(3): blocks of this size and more are mapped; setting it keeps it from growing."""
MAPPED_FROM_BYTES: Final = 260_000
"""Above what uvloop reads at once (256,000 octets), below its block for TLS (256 KiB)."""
M_TRIM_THRESHOLD: Final = -1
"""mallopt(3): so much free memory at the heap's end is kept, not given back and faulted in anew."""
KEPT_FREE_BYTES: Final = 1 << 20


def fork(body: Callable[[int], int], leave: Callable[[], None]) -> Child:
    """Run `body` in a child process and return at once; its result is the exit status.

    `body` is given a descriptor to say on that it is ready; `leave` closes what belongs to the parent.
    Signals are held back until the child has forgotten the parent's handlers, so none is lost or answered
    in the wrong process. Call it only without event loop, threads and database connections.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    parent = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    gc.freeze()
    try:
        pid = os.fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        os.close(reading)
        os.close(writing)
        raise
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        os.close(writing)
        return Child(pid, reading)
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in HANDLED:
            signal.signal(number, signal.SIG_IGN if number in NOT_OURS else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        os.close(reading)
        die_with_parent(parent)
        leave()
        status = body(writing)
    except FreeholdError as error:
        log.warning("worker cannot run", reason=error.public, cause=repr(error.__cause__ or ""))
    except Exception:
        log.exception("worker failed")
    finally:
        os._exit(status)


def tune_interpreter() -> None:
    """Set the interpreter up for one busy loop with a few threads that mostly wait for the disk.

    A message makes some hundred short-lived objects, none of them in cycles: collecting every 700
    costs more than it finds. A thread that comes back from a sync takes its turn sooner.

    The C library would, after the first large block that is freed, take further ones from its heap,
    where they break up what is small. uvloop has a block of 256 KiB for each TLS connection, of which
    it mostly touches one page: mapped apart, that page is all it costs, and it goes with the connection.
    """
    gc.set_threshold(GC_ALLOCATIONS, GC_YOUNG_RUNS, GC_OLD_RUNS)
    sys.setswitchinterval(SWITCH_SECONDS)
    with suppress(OSError, AttributeError):  # a C library without the knob
        library = ctypes.CDLL(None)
        library.mallopt(M_MMAP_THRESHOLD, MAPPED_FROM_BYTES)
        library.mallopt(M_TRIM_THRESHOLD, KEPT_FREE_BYTES)


def run_worker(service: Service, place: Place, ready: int) -> int:
    """Be a worker until told to stop; returns the exit status."""
    setproctitle.setproctitle(f"freehold: {place.name}")
    attach(service.segments[place.segment])
    tune_interpreter()
    run_loop(_work(service, place, ready))
    return 0


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


async def _work(service: Service, place: Place, ready: int) -> None:
    control = Control()
    handle_signals(control, from_terminal=False)
    bus = LocalBus()
    connection = BusConnection(socket_path(service.configuration.settings.data), bus.receive, bus.tell_missed)
    bus.relay = connection.send
    connecting = asyncio.create_task(connection.stay_connected())

    def tell_ready() -> None:
        os.write(ready, READY)
        log.debug("worker ready", worker=place.name)

    try:
        await run(service, frozenset((place.role,)), bus, control, tell_ready)
    finally:
        connecting.cancel()
        connection.close()
