"""What one process of the server does, from its event loop's first to its last moment.

It opens its own database connection, connects to the bus, starts the modules' parts for its role, takes
connections, and when told to stop lets what is under way end within a bounded time.
"""

import asyncio
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, Protocol

from freehold.kernel.addresses import parse_network
from freehold.kernel.bus_client import LocalBus
from freehold.kernel.bus_hosts import join_hosts
from freehold.kernel.config import Configuration, ListenSettings
from freehold.kernel.limits import ConnectionLimits
from freehold.kernel.listener import Listener
from freehold.kernel.listener_metrics import ListenerMetrics
from freehold.kernel.listener_settings import ListenerSettings, StreamService
from freehold.kernel.log import get_logger
from freehold.kernel.log_output import set_up
from freehold.kernel.module import ListenerSpec, Module, Role, Runtime, TlsMode
from freehold.kernel.monitor import Monitor
from freehold.kernel.runtime import database_url, open_runtime
from freehold.kernel.sockets import BoundListener

CERTIFICATE_SECONDS: Final = 60.0
"""How often the certificate files are looked at."""

log = get_logger("freehold.kernel.worker")


class TlsSource(Protocol):
    """Gives the TLS context for the next handshake."""

    def context(self) -> ssl.SSLContext:
        """Return the context with the certificates in force."""

    def reload(self) -> None:
        """Read the certificates again; on failure the old ones stay in force."""

    def reload_if_changed(self) -> bool:
        """Do so only where a file has been replaced; returns whether one was."""


TlsMaker = Callable[[Runtime], TlsSource]


@dataclass(frozen=True, slots=True)
class Service:
    """What every process of a server is started with."""

    configuration: Configuration
    modules: tuple[Module, ...]
    make_tls: TlsMaker
    listeners: tuple[BoundListener, ...] = ()
    monitor: socket.socket | None = None
    segments: tuple[memoryview, ...] = ()


@dataclass(slots=True)
class Control:
    """How a worker is told what to do: by signals from its supervisor or its terminal."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    reload: Callable[[], None] = lambda: None


async def run(
    service: Service, roles: frozenset[Role], bus: LocalBus, control: Control, ready: Callable[[], None]
) -> None:
    """Serve until `control.stop` is set, then drain. `ready` is called once connections are taken."""
    settings = service.configuration.settings
    async with AsyncExitStack() as stack:
        runtime = await stack.enter_async_context(open_runtime(service.configuration, service.modules, bus))
        tls = service.make_tls(runtime)
        control.reload = lambda: _reload(service, tls)
        for module in service.modules:
            for role in sorted(roles, key=lambda role: role.value):
                if start := module.start.get(role):
                    await start(runtime, stack)
        listeners = open_streams(service, runtime, tls) if Role.FRONT in roles else []
        if Role.BACK in roles:
            join_hosts(stack, bus, database_url(service.configuration))
        if Role.BACK in roles and service.monitor is not None:
            monitor = Monitor(runtime.database, service.segments)
            await stack.enter_async_context(monitor.serving(service.monitor))
        counts = ListenerMetrics(listeners)
        for keeping in (counts.keep_current(), _follow_certificates(tls)):
            stack.callback(asyncio.create_task(keeping).cancel)
        for listener in listeners:
            listener.start_accepting()
        ready()
        await control.stop.wait()
        async with asyncio.TaskGroup() as group:
            for listener in listeners:
                group.create_task(listener.drain(settings.drain_seconds))


def open_streams(service: Service, runtime: Runtime, tls: TlsSource) -> list[Listener]:
    """Return a listener for each socket; the sockets of one name share their limits."""
    opened: list[Listener] = []
    for bound in service.listeners:
        spec = bound.spec
        settings = listener_settings(bound.settings, spec)
        limits = ConnectionLimits(
            settings.max_connections,
            settings.max_per_network,
            settings.unlimited_networks + settings.proxy_networks,
        )
        stream = StreamService(
            name=spec.name,
            make_session=spec.make_factory(runtime),
            tls_context=None if spec.tls is TlsMode.NONE else tls.context,
            implicit_tls=spec.tls is TlsMode.IMPLICIT,
            too_many=spec.too_many,
        )
        opened += [Listener(bound_socket, stream, settings, limits) for bound_socket in bound.sockets]
    return opened


def listener_settings(settings: ListenSettings, spec: ListenerSpec) -> ListenerSettings:
    """Return the listener's own form of its section."""
    max_per_network = settings.max_connections_per_network
    return ListenerSettings(
        max_connections=settings.max_connections,
        max_per_network=spec.max_per_network if max_per_network is None else max_per_network,
        unlimited_networks=tuple(map(parse_network, settings.unlimited_networks)),
        proxy_networks=tuple(map(parse_network, settings.proxy_networks)),
    )


def handle_signals(control: Control, *, from_terminal: bool) -> None:
    """Have SIGTERM stop and SIGHUP reload; SIGINT stops only a server that is its own supervisor."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, _call_reload, control)
    loop.add_signal_handler(signal.SIGTERM, control.stop.set)
    if from_terminal:
        loop.add_signal_handler(signal.SIGINT, control.stop.set)


async def _follow_certificates(tls: TlsSource) -> None:
    """Take up renewed certificates without being told."""
    while True:
        await asyncio.sleep(CERTIFICATE_SECONDS)
        tls.reload_if_changed()


def _call_reload(control: Control) -> None:
    """Look the callback up when the signal comes: it is set after the handler."""
    control.reload()


def _reload(service: Service, tls: TlsSource) -> None:
    set_up(service.configuration.settings.log)
    tls.reload()
    log.info("reloaded certificates and log")
