"""What a running server tells about itself over its control socket."""

from pathlib import Path

import msgspec

from freehold.kernel.bus_client import query_once
from freehold.kernel.bus_wire import socket_path
from freehold.kernel.worker import Service


class WorkerStatus(msgspec.Struct, frozen=True):
    """One worker; pid 0 while it waits to be started again."""

    name: str
    pid: int
    ready: bool
    restarts: int
    up_seconds: int


class ListenerStatus(msgspec.Struct, frozen=True):
    """Where a listener listens."""

    name: str
    tls: str
    addresses: list[str]


class ServerStatus(msgspec.Struct, frozen=True):
    """The whole server; `started` in seconds since 1970."""

    pid: int
    started: float
    listeners: list[ListenerStatus]
    workers: list[WorkerStatus]


def listener_addresses(service: Service) -> list[ListenerStatus]:
    """Return the listeners in the order of their modules."""
    return [
        ListenerStatus(bound.spec.name, bound.spec.tls.value, [str(endpoint) for endpoint in bound.endpoints])
        for bound in service.listeners
    ]


def ask_status(data: Path) -> ServerStatus | None:
    """Return the status of the server that runs on a data folder, or None when none answers."""
    answer = query_once(socket_path(data), "status")
    try:
        return None if answer is None else msgspec.convert(answer, ServerStatus)
    except msgspec.ValidationError:  # a server of another version
        return None
