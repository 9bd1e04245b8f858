"""The whole server in one process (`workers = 0`): for tests and small hosts."""

import asyncio
import os
import signal
import time
from collections.abc import Callable

from freehold.kernel.bus_client import LocalBus
from freehold.kernel.bus_hub import BusHub
from freehold.kernel.bus_wire import socket_path
from freehold.kernel.health import WORKER_UP
from freehold.kernel.log import get_logger
from freehold.kernel.metrics import attach
from freehold.kernel.module import Role
from freehold.kernel.processes import run_loop
from freehold.kernel.status import ServerStatus, WorkerStatus, listener_addresses
from freehold.kernel.systemd import Notifier, watchdog_seconds
from freehold.kernel.worker import Control, Service, handle_signals, run

NAME = "all"

log = get_logger("freehold.kernel.single")


def run_single(service: Service, announce: Callable[[], None]) -> int:
    """Serve until told to stop; returns the exit status."""
    attach(service.segments[0])
    run_loop(_serve(service, announce))
    log.info("stopped")
    return 0


async def _serve(service: Service, announce: Callable[[], None]) -> None:
    notifier = Notifier()
    control = Control()
    started = time.time()
    is_ready = False

    def answer(query: str) -> object:
        return _status(service, started, ready=is_ready) if query == "status" else {"error": "unknown query"}

    def tell_ready() -> None:
        nonlocal is_ready
        is_ready = True
        WORKER_UP.labels(NAME).set(1)
        announce()
        notifier.tell("READY=1", "STATUS=serving")

    loop = asyncio.get_running_loop()
    bus = LocalBus()
    hub = BusHub(socket_path(service.configuration.settings.data), loop, answer)
    hub.listen_in(bus.receive)
    bus.relay = hub.broadcast
    watchdog = asyncio.create_task(_keep_watchdog(notifier))
    handle_signals(control, from_terminal=True)
    telling = asyncio.create_task(_tell_stopping(control, notifier))
    try:
        await run(service, frozenset(Role), bus, control, tell_ready)
    finally:
        watchdog.cancel()
        telling.cancel()
        hub.close()


async def _tell_stopping(control: Control, notifier: Notifier) -> None:
    """Tell systemd, and from then on let a second signal end the process at once."""
    await control.stop.wait()
    notifier.tell("STOPPING=1")
    log.info("stopping")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)


async def _keep_watchdog(notifier: Notifier) -> None:
    seconds = watchdog_seconds()
    while seconds is not None:
        notifier.tell("WATCHDOG=1")
        await asyncio.sleep(seconds)


def _status(service: Service, started: float, *, ready: bool) -> ServerStatus:
    up_seconds = int(time.time() - started)
    return ServerStatus(
        pid=os.getpid(),
        started=started,
        listeners=listener_addresses(service),
        workers=[WorkerStatus(NAME, os.getpid(), ready, 0, up_seconds)],
    )
