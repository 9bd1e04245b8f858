"""Opens the listening sockets, before privileges are dropped, and says clearly why one cannot be opened."""

import errno
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from freehold.errors import FreeholdError
from freehold.kernel.addresses import Endpoint
from freehold.kernel.config import LOCAL_PORT_OFFSET, ConfigError, Configuration, ListenSettings
from freehold.kernel.decode import unknown_key
from freehold.kernel.module import ListenerSpec, Module, TlsMode

BACKLOG: Final = 4096
FIRST_FREE_PORT: Final = 1024
EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 - a mail server's ports are for everybody
LOOPBACK: Final = ("127.0.0.1", "::1")


class BindError(FreeholdError):
    """An address cannot be listened on."""

    public = "cannot listen"


@dataclass(frozen=True, slots=True)
class BoundListener:
    """A module's listener with its settings and its open sockets."""

    spec: ListenerSpec
    settings: ListenSettings
    sockets: tuple[socket.socket, ...]

    @property
    def endpoints(self) -> list[Endpoint]:
        """Where it listens, with the ports that the system chose where port 0 was asked for."""
        return [endpoint_of(opened) for opened in self.sockets]


def open_listeners(
    configuration: Configuration, modules: Sequence[Module], passed: Mapping[str, list[socket.socket]]
) -> list[BoundListener]:
    """Open every socket of every listener; those that systemd passed under a listener's name come instead.

    Raises:
        ConfigError: the configuration names a listener that no module offers.
        BindError: an address cannot be listened on; nothing stays open.
    """
    specs = listener_specs(configuration, modules)
    listen = configuration.settings.listen
    opened: list[BoundListener] = []
    try:
        for spec in specs.values():
            settings = listen.get(spec.name, ListenSettings())
            given = passed.get(spec.name)
            sockets = given or _open_all(spec, endpoints(spec, settings, local=configuration.local), settings)
            if sockets:
                opened.append(BoundListener(spec, settings, tuple(sockets)))
    except BindError:
        close_listeners(opened)
        raise
    return opened


def close_listeners(listeners: Sequence[BoundListener]) -> None:
    """Close every socket."""
    for listener in listeners:
        for opened in listener.sockets:
            opened.close()


def endpoints(spec: ListenerSpec, settings: ListenSettings, *, local: bool) -> list[Endpoint]:
    """Return where a listener listens: as configured, else at its standard port, locally raised.

    What never speaks TLS is offered nowhere unless its addresses are configured.
    """
    if settings.addresses is not None:
        return [Endpoint.parse(address) for address in settings.addresses]
    if spec.tls is TlsMode.NONE:
        return []
    hosts = LOOPBACK if local else EVERYWHERE
    port = spec.port + (LOCAL_PORT_OFFSET if local else 0)
    return [Endpoint(host, port) for host in hosts]


def try_listeners(
    configuration: Configuration, modules: Sequence[Module], *, in_use_is_fine: bool
) -> Iterator[tuple[str, Endpoint, str]]:
    """Open and close every socket; yields its listener's name, its place, and what is wrong or nothing.

    Raises:
        ConfigError: the configuration names a listener that no module offers.
    """
    for spec in listener_specs(configuration, modules).values():
        settings = configuration.settings.listen.get(spec.name, ListenSettings())
        for endpoint in endpoints(spec, settings, local=configuration.local):
            problem = ""
            try:
                open_socket(endpoint).close()
            except OSError as error:
                is_harmless = _may_lack(settings, endpoint, error) or (
                    in_use_is_fine and error.errno == errno.EADDRINUSE
                )
                problem = "" if is_harmless else refusal(spec.name, endpoint, error)
            yield spec.name, endpoint, problem


def listener_specs(configuration: Configuration, modules: Sequence[Module]) -> dict[str, ListenerSpec]:
    """Return the modules' listeners by name. Raises ConfigError when another is configured."""
    specs = {spec.name: spec for module in modules for spec in module.listeners}
    listen = configuration.settings.listen
    problems = [unknown_key(f"listen.{name}", name, specs) for name in listen if name not in specs]
    if problems:
        raise ConfigError(problems, configuration.source)
    return specs


def open_socket(endpoint: Endpoint) -> socket.socket:
    """Return a listening socket, not inheritable by other programs and not blocking.

    IPPROTO_TCP is given explicitly: asyncio sets TCP_NODELAY only on sockets that say so. IPV6_V6ONLY keeps
    "::" and "0.0.0.0" apart, so both can be opened whatever the system's default is.

    Raises:
        OSError: the system refused.
    """
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind((endpoint.host, endpoint.port))
        opened.listen(BACKLOG)
        opened.settimeout(0)
    except OSError:
        opened.close()
        raise
    return opened


def endpoint_of(opened: socket.socket) -> Endpoint:
    """Return where a socket is bound."""
    host, port = opened.getsockname()[:2]
    return Endpoint(host, port)


def refusal(name: str, endpoint: Endpoint, error: OSError) -> str:
    """Return why a socket could not be opened, and what to do about it."""
    where = f"listen.{name}: cannot listen on {endpoint}"
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where}: another program has the port; `ss -ltnp sport = :{endpoint.port}` shows which"
        case errno.EACCES if endpoint.port < FIRST_FREE_PORT:
            return (
                f"{where}: ports below {FIRST_FREE_PORT} need root: start as root with `user` set, "
                "or by systemd with CAP_NET_BIND_SERVICE"
            )
        case errno.EADDRNOTAVAIL:
            return f"{where}: no interface of this machine has the address"
        case _:
            return f"{where}: {error.strerror}"


def _open_all(spec: ListenerSpec, wanted: list[Endpoint], settings: ListenSettings) -> list[socket.socket]:
    opened: list[socket.socket] = []
    for endpoint in wanted:
        try:
            opened.append(open_socket(endpoint))
        except OSError as error:
            if _may_lack(settings, endpoint, error):
                continue  # nobody asked for IPv6 by name, and this machine has none
            for other in opened:
                other.close()
            raise BindError(refusal(spec.name, endpoint, error)) from error
    return opened


def _may_lack(settings: ListenSettings, endpoint: Endpoint, error: OSError) -> bool:
    """Return whether a default IPv6 address fails because this machine has no IPv6."""
    lacks_ipv6 = error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
    return settings.addresses is None and ":" in endpoint.host and lacks_ipv6
