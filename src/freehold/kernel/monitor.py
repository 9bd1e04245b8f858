"""Answers /metrics and /health over HTTP, on a loopback address only.

A few bounded connections, one request each: what a scraper and a load balancer's check need, and no more.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import msgspec

from freehold.kernel.health import HealthCheck
from freehold.storage.database import Database

MAX_REQUEST_BYTES: Final = 8 * 1024
MAX_CONNECTIONS: Final = 32
REQUEST_SECONDS: Final = 5.0
PLAIN: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"
METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered."""

    status: HTTPStatus
    content_type: str
    body: bytes


class Monitor:
    """The two pages."""

    __slots__ = ("_connections", "_health", "_segments")

    def __init__(self, database: Database, segments: Sequence[memoryview]) -> None:
        self._health = HealthCheck(database, segments[0], time.monotonic)
        self._segments = segments
        self._connections = 0

    @asynccontextmanager
    async def serving(self, listening: socket.socket) -> AsyncIterator[None]:
        """Serve on the socket while the context lasts."""
        server = await asyncio.start_server(self._converse, sock=listening, limit=MAX_REQUEST_BYTES)
        try:
            yield
        finally:
            server.close()

    async def answer(self, request: bytes) -> Response:
        """Return the answer to a request's head (RFC 9112 §3)."""
        line = request.split(b"\r\n", 1)[0].split(b" ")
        if len(line) != 3 or not line[2].startswith(b"HTTP/1."):  # noqa: PLR2004 - method, target, version
            return _text(HTTPStatus.BAD_REQUEST)
        method, target, _ = line
        if method not in (b"GET", b"HEAD"):
            return _text(HTTPStatus.METHOD_NOT_ALLOWED)
        match target.partition(b"?")[0]:
            case b"/metrics":
                from freehold.kernel.metrics_text import render  # noqa: PLC0415 - memory for scraped servers only

                return Response(HTTPStatus.OK, METRICS_TYPE, render(self._segments))
            case b"/health":
                health = await self._health.look()
                status = HTTPStatus.OK if health.ok else HTTPStatus.SERVICE_UNAVAILABLE
                return Response(status, JSON, msgspec.json.encode(health))
            case _:
                return _text(HTTPStatus.NOT_FOUND)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        try:
            if self._connections <= MAX_CONNECTIONS:
                async with asyncio.timeout(REQUEST_SECONDS):
                    request = await reader.readuntil(b"\r\n\r\n")
                    writer.write(encode(await self.answer(request), head_only=request.startswith(b"HEAD ")))
                    await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a client that does not ask in time or in bounds gets no answer
        finally:
            self._connections -= 1
            writer.close()


def encode(response: Response, *, head_only: bool) -> bytes:
    """Return the bytes of a response that ends its connection."""
    status = response.status
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: {response.content_type}\r\n"
        f"Content-Length: {len(response.body)}\r\n"
        "Cache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    ).encode()
    return head if head_only else head + response.body


def _text(status: HTTPStatus) -> Response:
    return Response(status, PLAIN, f"{status.phrase}\n".encode())
