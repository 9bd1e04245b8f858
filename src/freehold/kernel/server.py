"""Starts a server, step by step, from a configuration to serving processes.

The order matters: the folder's lock before the ports (its message is the clearer one), the ports before
privileges are dropped, the database prepared in a process of its own so that nothing of it is forked.
"""

import os
import select
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import setproctitle

from freehold.errors import FreeholdError
from freehold.kernel import data_folder
from freehold.kernel.addresses import Endpoint
from freehold.kernel.bus_client import LocalBus
from freehold.kernel.config import Configuration
from freehold.kernel.log import get_logger
from freehold.kernel.metrics import MetricsMemory
from freehold.kernel.module import Module
from freehold.kernel.privileges import SystemUser, drop, find_user, is_root
from freehold.kernel.processes import fork, run_loop
from freehold.kernel.runtime import open_runtime
from freehold.kernel.single import run_single
from freehold.kernel.sockets import BindError, open_listeners, open_socket, refusal
from freehold.kernel.supervisor import Supervisor
from freehold.kernel.systemd import take_sockets
from freehold.kernel.worker import Service, TlsMaker

PIPE_BYTES: Final = 60_000
"""What a module may say about its first start; fits a pipe, so the child never waits for its reader."""

log = get_logger("freehold.kernel.server")


class StartError(FreeholdError):
    """The server cannot start; the log says why."""

    public = "the server cannot start"


@dataclass(frozen=True, slots=True)
class Started:
    """What there is to tell once the server takes connections."""

    service: Service
    first_start: Sequence[str]


def serve(
    configuration: Configuration,
    modules: tuple[Module, ...],
    make_tls: TlsMaker,
    announce: Callable[[Started], None],
) -> int:
    """Serve until told to stop; returns the exit status. `announce` is called once all is ready.

    Raises:
        FreeholdError: the server cannot start; the text says what to do.
    """
    settings = configuration.settings
    user = server_user(configuration)
    data_folder.prepare(settings.data, user)
    lock = data_folder.DataFolderLock(settings.data)
    data_folder.give(settings.data / data_folder.RUN / data_folder.LOCK, user)
    service = Service(configuration, modules, make_tls)
    service = open_sockets(service)
    drop(user)
    setproctitle.setproctitle("freehold: supervisor" if settings.workers else "freehold")
    lines = prepare_database(service, lock)
    memory = MetricsMemory(settings.workers + 2)
    service = replace(service, segments=tuple(memory.segments))
    started = Started(service, lines)
    try:
        if settings.workers == 0:
            return run_single(service, lambda: announce(started))
        return Supervisor(service, lock, lambda: announce(started)).run()
    finally:
        lock.release()


def server_user(configuration: Configuration) -> SystemUser | None:
    """Return whom to become, or None when the server stays who it is.

    Raises:
        StartError: a configured server would run as root.
    """
    name = configuration.settings.user
    if name:
        return find_user(name)
    if is_root() and not configuration.local:
        raise StartError('the server does not run as root: set `user` (such as user = "freehold")')
    return None


def open_sockets(service: Service) -> Service:
    """Return the service with its listeners and monitor opened, or taken from systemd."""
    configuration = service.configuration
    passed = take_sockets()
    listeners = open_listeners(configuration, service.modules, passed)
    monitor = passed["metrics"][0] if passed.get("metrics") else None
    address = configuration.settings.metrics.address
    if monitor is None and address:
        endpoint = Endpoint.parse(address)
        try:
            monitor = open_socket(endpoint)
        except OSError as error:
            text = refusal("metrics", endpoint, error).removeprefix("listen.")
            raise BindError(text) from error
    return replace(service, listeners=tuple(listeners), monitor=monitor)


def prepare_database(service: Service, lock: data_folder.DataFolderLock) -> list[str]:
    """Bring the database up to date and, in local mode once, have the modules prepare it.

    It happens in a child process, so that no connection and no thread is there to be forked later (with
    `workers = 0` nothing is forked, and it happens here). Returns the modules' lines.

    Raises:
        StartError: with the child's own words.
    """
    lines: list[str] = []
    if service.configuration.settings.workers == 0:
        run_loop(_prepare(service, lines))
        return lines

    def body(writing: int) -> int:
        setproctitle.setproctitle("freehold: preparing")
        try:
            run_loop(_prepare(service, lines))
        except FreeholdError as error:
            log.warning("the database cannot be used", reason=error.public, cause=repr(error.__cause__ or ""))
            os.write(writing, error.public.encode()[:PIPE_BYTES])
            return 1
        os.write(writing, "\n".join(lines).encode()[:PIPE_BYTES])
        return 0

    child = fork(body, lock.abandon)
    said = _read_all(child.ready)
    _, status = os.waitpid(child.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise StartError(said or "preparing the database failed; the log says why")
    return said.splitlines()


async def _prepare(service: Service, lines: list[str]) -> None:
    configuration, modules = service.configuration, service.modules
    async with open_runtime(configuration, modules, LocalBus()) as runtime:
        service.make_tls(runtime)  # a self-signed certificate is made here, once, not by every worker
        if not configuration.local or data_folder.had_first_start(configuration.settings.data):
            return
        for module in modules:
            if module.first_start is not None:
                lines.extend(await module.first_start(runtime))
        data_folder.note_first_start(configuration.settings.data)


def _read_all(descriptor: int) -> str:
    """Read until the child closes its end."""
    data = b""
    try:
        while True:
            select.select([descriptor], [], [])
            piece = os.read(descriptor, PIPE_BYTES)
            if not piece:
                return data.decode("utf-8", "replace")
            data += piece
    finally:
        os.close(descriptor)
