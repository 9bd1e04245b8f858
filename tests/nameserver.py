"""A private DNS server on loopback, UDP and TCP on one port, with names given as text.

In a test: `async with serving(zone) as nameserver: … nameserver.address …` (it runs in the same loop).
By hand, or beside a server in another process: `python -m tests.nameserver PORT < zone.txt`.

Zone lines are `name ttl type data`, as in master files, names without a final dot made absolute:
    example.org 300 MX 10 mail.example.org
    mail.example.org 300 A 192.0.2.1
Names may also be given a behaviour: `broken.example 0 SERVFAIL` and `silent.example 0 SILENT`.
"""

import asyncio
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

MAX_CHAIN = 32
SOA = "ns.test. admin.test. 1 3600 600 86400 60"
UDP_BYTES = 512

Records = dict[tuple[dns.name.Name, dns.rdatatype.RdataType], dns.rrset.RRset]


@dataclass
class NameServer:
    """The zone, which a test may replace while it runs, and a count of the questions."""

    records: Records = field(default_factory=dict)
    behaviours: dict[dns.name.Name, str] = field(default_factory=dict)
    questions: Counter[str] = field(default_factory=Counter)
    tcp_questions: int = 0
    port: int = 0

    @property
    def address(self) -> str:
        """Address and port, as configured in a resolver."""
        return f"127.0.0.1:{self.port}"

    def load(self, zone: str) -> None:
        """Take the records of the text in the place of all others."""
        self.records.clear()
        self.behaviours.clear()
        texts: dict[tuple[str, str, str], list[str]] = {}
        for line in zone.splitlines():
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            owner, ttl, kind, *data = line.split(None, 3)
            if kind in ("SERVFAIL", "SILENT"):
                self.behaviours[dns.name.from_text(owner)] = kind
                continue
            texts.setdefault((owner.lower(), ttl, kind), []).extend(data)
        for (owner, ttl, kind), data in texts.items():
            found = dns.rrset.from_text_list(
                dns.name.from_text(owner), int(ttl), "IN", kind, data, origin=dns.name.root, relativize=False
            )
            self.records[found.name, found.rdtype] = found

    def answer(self, wire: bytes, *, is_udp: bool) -> bytes | None:
        """Return the answer to one query, or None to stay silent."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        self.questions[f"{question.name.to_text(omit_final_dot=True)} {question.rdtype.name}"] += 1
        self.tcp_questions += not is_udp
        behaviour = self.behaviours.get(question.name)
        if behaviour == "SILENT":
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if behaviour == "SERVFAIL":
            response.set_rcode(dns.rcode.SERVFAIL)
        else:
            self._fill(response, question.name, question.rdtype)
        limit = max(query.payload, UDP_BYTES) if is_udp else 65535
        try:
            return response.to_wire(max_size=limit)
        except dns.exception.TooBig:
            response.answer.clear()
            response.flags |= dns.flags.TC
            return response.to_wire(max_size=limit)

    def _fill(
        self, response: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> None:
        for _ in range(MAX_CHAIN):
            if found := self.records.get((name, kind)):
                response.answer.append(found)
                return
            alias = self.records.get((name, dns.rdatatype.CNAME))
            if alias is None:
                break
            if alias not in response.answer:
                response.answer.append(alias)
            name = alias[0].target
        if not any(owner.is_subdomain(name) for owner, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        top = dns.name.Name(name.labels[-2:])
        response.authority.append(dns.rrset.from_text(top, 60, "IN", "SOA", SOA))


class _UdpProtocol(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data, is_udp=True)
        if answer is not None:
            self._transport.sendto(answer, addr)


@asynccontextmanager
async def serving(zone: str, port: int = 0) -> AsyncIterator[NameServer]:
    """Answer from the zone on a free port of 127.0.0.1."""
    server = NameServer()
    server.load(zone)
    loop = asyncio.get_running_loop()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                answer = server.answer(await reader.readexactly(length), is_udp=False)
                if answer is not None:
                    writer.write(len(answer).to_bytes(2) + answer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    streams = await asyncio.start_server(talk, "127.0.0.1", port)
    server.port = streams.sockets[0].getsockname()[1]
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", server.port))
    transport, _ = await loop.create_datagram_endpoint(lambda: _UdpProtocol(server), sock=datagrams)
    try:
        yield server
    finally:
        transport.close()
        streams.close()
        await streams.wait_closed()


async def _serve_until_cancelled(zone: str, port: int) -> None:
    async with serving(zone, port) as server:
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(_serve_until_cancelled(sys.stdin.read(), int(sys.argv[1]) if len(sys.argv) > 1 else 0))
    except KeyboardInterrupt:
        sys.exit(0)
