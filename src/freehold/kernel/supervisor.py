"""Keeps the workers running: starts them, restarts what dies, passes signals on, and ends them in order.

It has no event loop, no threads and no database, because it forks for as long as it lives.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from freehold.kernel.bus_hub import BusHub
from freehold.kernel.bus_wire import socket_path
from freehold.kernel.data_folder import DataFolderLock
from freehold.kernel.health import WORKER_UP
from freehold.kernel.log import get_logger
from freehold.kernel.metrics import attach, counter
from freehold.kernel.processes import HANDLED, Place, fork, places, run_worker
from freehold.kernel.reactor import Reactor
from freehold.kernel.status import ServerStatus, WorkerStatus, listener_addresses
from freehold.kernel.systemd import Notifier, watchdog_seconds
from freehold.kernel.worker import Service

FIRST_BACKOFF_SECONDS: Final = 0.1
LONGEST_BACKOFF_SECONDS: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""A worker that has lived so long was no failed start: its back-off begins anew."""

MAX_FAILED_STARTS: Final = 3
"""So many deaths before the server was ever ready, and it gives up: the cause will not go away by itself."""

GRACE_SECONDS: Final = 7.0
"""What a worker may take for the rest once its connections have drained; then it is killed."""

log = get_logger("freehold.kernel.supervisor")

_RESTARTS = counter("freehold_worker_restarts", "Workers that died and were started again.", "worker")


@dataclass(slots=True)
class Worker:
    """A place and the process that holds it now (pid 0: none)."""

    place: Place
    pid: int = 0
    ready_fd: int = -1
    started: float = 0.0
    is_ready: bool = False
    restarts: int = 0
    backoff_seconds: float = 0.0

    def next_wait(self, now: float) -> float:
        """Return how long to wait before the next start: the first time hardly at all, then ever longer."""
        if now - self.started >= STEADY_SECONDS:
            self.backoff_seconds = 0.0
        wait, self.backoff_seconds = (
            self.backoff_seconds,
            min(max(self.backoff_seconds * 2, FIRST_BACKOFF_SECONDS), LONGEST_BACKOFF_SECONDS),
        )
        return wait


class Supervisor:
    """Runs one server until a signal ends it."""

    def __init__(
        self,
        service: Service,
        lock: DataFolderLock,
        announce: Callable[[], None],
        notifier: Notifier | None = None,
    ) -> None:
        self._service = service
        self._lock = lock
        self._announce = announce
        self._notifier = notifier or Notifier()
        self._reactor = Reactor()
        data = service.configuration.settings.data
        self._hub = BusHub(socket_path(data), self._reactor, self._answer)
        self._workers = [Worker(place) for place in places(service.configuration.settings.workers)]
        self._wake_reading, self._wake_writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._started = time.time()
        self._failed_starts = 0
        self._is_announced = False
        self._is_stopping = False
        self._exit_status = 0

    def run(self) -> int:
        """Serve until told to stop; returns the exit status."""
        attach(self._service.segments[0])
        self._take_signals()
        self._keep_watchdog()
        for worker in self._workers:
            self._start(worker)
        while not (self._is_stopping and not any(worker.pid for worker in self._workers)):
            self._reactor.run_once()
        self._hub.close()
        log.info("stopped")
        return self._exit_status

    def _start(self, worker: Worker) -> None:
        if self._is_stopping or worker.pid:
            return
        try:
            child = fork(lambda ready: run_worker(self._service, worker.place, ready), self._leave)
        except OSError as error:  # out of processes or memory: that may pass
            wait = max(worker.next_wait(time.monotonic()), FIRST_BACKOFF_SECONDS)
            log.warning("worker not started", worker=worker.place.name, reason=error.strerror)
            self._reactor.call_later(wait, lambda: self._start(worker))
            return
        worker.pid, worker.ready_fd = child.pid, child.ready
        worker.started = time.monotonic()
        WORKER_UP.labels(worker.place.name).set(0)
        self._reactor.add_reader(child.ready, lambda: self._hear(worker))

    def _leave(self) -> None:
        """Close in a child what is the supervisor's."""
        self._hub.abandon()
        self._reactor.close()
        self._lock.abandon()
        for descriptor in (self._wake_reading, self._wake_writing):
            os.close(descriptor)
        for worker in self._workers:
            if worker.ready_fd >= 0:
                os.close(worker.ready_fd)

    def _hear(self, worker: Worker) -> None:
        """Take a worker's word that it is ready; the end of its pipe says that it never will be."""
        said = os.read(worker.ready_fd, 1)
        self._stop_hearing(worker)
        if said:
            worker.is_ready = True
            WORKER_UP.labels(worker.place.name).set(1)
            if not self._is_announced and all(other.is_ready for other in self._workers):
                self._is_announced = True
                self._announce()
                self._notifier.tell("READY=1", f"MAINPID={os.getpid()}", "STATUS=serving")

    def _stop_hearing(self, worker: Worker) -> None:
        if worker.ready_fd >= 0:
            self._reactor.remove_reader(worker.ready_fd)
            os.close(worker.ready_fd)
            worker.ready_fd = -1

    def _take_signals(self) -> None:
        """Have every signal arrive as a byte that the reactor reads."""
        signal.set_wakeup_fd(self._wake_writing, warn_on_full_buffer=False)
        for number in HANDLED:
            signal.signal(number, lambda _number, _frame: None)
        self._reactor.add_reader(self._wake_reading, self._heed_signals)

    def _heed_signals(self) -> None:
        numbers = set(os.read(self._wake_reading, 512))
        if signal.SIGCHLD in numbers:
            self._reap()
        if signal.SIGHUP in numbers:
            self._reload()
        if numbers & {signal.SIGTERM, signal.SIGINT}:
            self._stop()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for worker in self._workers:
                if worker.pid == pid:
                    self._bury(worker, os.waitstatus_to_exitcode(status))

    def _bury(self, worker: Worker, code: int) -> None:
        """Note a worker's death, and start it again unless the server ends."""
        was_ready, pid = worker.is_ready, worker.pid
        worker.pid, worker.is_ready = 0, False
        self._stop_hearing(worker)
        WORKER_UP.labels(worker.place.name).set(0)
        if self._is_stopping:
            if code:
                log.warning(
                    "worker did not end by itself", worker=worker.place.name, pid=pid, cause=cause_of(code)
                )
            return
        wait = worker.next_wait(time.monotonic())
        log.error(
            "worker died", worker=worker.place.name, pid=pid, cause=cause_of(code), restart_seconds=wait
        )
        if not self._is_announced and not was_ready:
            self._failed_starts += 1
            if self._failed_starts >= MAX_FAILED_STARTS:
                log.error("the server cannot start", failed_starts=self._failed_starts)
                self._exit_status = 1
                self._stop()
                return
        worker.restarts += 1
        _RESTARTS.labels(worker.place.name).inc()
        self._reactor.call_later(wait, lambda: self._start(worker))

    def _reload(self) -> None:
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._notifier.tell("RELOADING=1", f"MONOTONIC_USEC={microseconds}")
        log.info("reloading")
        self._signal_workers(signal.SIGHUP)
        self._notifier.tell("READY=1")

    def _stop(self) -> None:
        """Have the workers drain; asked a second time, or when they take too long, kill them."""
        if self._is_stopping:
            log.warning("stopping at once")
            self._signal_workers(signal.SIGKILL)
            return
        self._is_stopping = True
        self._notifier.tell("STOPPING=1")
        log.info("stopping", connections_may_take_seconds=self._drain_seconds)
        self._signal_workers(signal.SIGTERM)
        patience = self._drain_seconds + GRACE_SECONDS
        self._reactor.call_later(patience, lambda: self._signal_workers(signal.SIGKILL))

    def _signal_workers(self, number: signal.Signals) -> None:
        for worker in self._workers:
            if worker.pid:
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, number)

    def _keep_watchdog(self) -> None:
        seconds = watchdog_seconds()
        if seconds is None:
            return
        self._notifier.tell("WATCHDOG=1")
        self._reactor.call_later(seconds, self._keep_watchdog)

    def _answer(self, query: str) -> object:
        return self.status() if query == "status" else {"error": "unknown query"}

    def status(self) -> ServerStatus:
        """Return what `freehold status` shows."""
        now = time.monotonic()
        return ServerStatus(
            pid=os.getpid(),
            started=self._started,
            listeners=listener_addresses(self._service),
            workers=[
                WorkerStatus(
                    name=worker.place.name,
                    pid=worker.pid,
                    ready=worker.is_ready,
                    restarts=worker.restarts,
                    up_seconds=int(now - worker.started) if worker.pid else 0,
                )
                for worker in self._workers
            ],
        )

    @property
    def _drain_seconds(self) -> float:
        return self._service.configuration.settings.drain_seconds


def cause_of(code: int) -> str:
    """Return why a process ended, in words: its exit status or the signal that killed it."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
