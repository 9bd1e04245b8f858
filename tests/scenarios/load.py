"""A load of messages from many clients at once, and a ledger of what the server is responsible for."""

import asyncio
import base64
import hashlib
import itertools
import random
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tests.scenarios.server import Server, trusting_context
from tests.scenarios.wire import RefusedError, Wire, append, connected, deliver, greet, log_in

PASSWORD = "kuvo-tase-rimi"
SIZES = (200, 200, 200, 200, 200, 4096, 4096, 4096, 70_000, 200_000)
"""Rows and files: the last is more than a row holds."""
MARK = b"X-Load: "
RECONNECT_SECONDS = 0.05
THINK_SECONDS = 0.03


class Fate(Enum):
    """What a client knows of its message."""

    UNKNOWN = "unknown"
    TAKEN = "taken"
    REFUSED = "refused"


@dataclass
class Sent:
    """One submission attempt: the destinations with what was answered for each, and the octets' digest."""

    digest: bytes
    fates: dict[str, Fate]


@dataclass
class Ledger:
    """All attempts by their ids, every final reply code, and the words of every refusal."""

    sent: dict[bytes, Sent] = field(default_factory=dict)
    codes: Counter[int] = field(default_factory=Counter)
    refusals: set[bytes] = field(default_factory=set)
    lost_connections: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def compose(self, sender: str, destinations: Sequence[str], size: int) -> tuple[Sent, bytes]:
        """Write down and return a new message of about `size` octets; its first line is its id."""
        number = next(self._numbers)
        body = base64.encodebytes(random.Random(number).randbytes(max(size - 150, 0) * 3 // 4))
        body = body.replace(b"\n", b"\r\n.")  # every line but the first begins with a dot
        identity = b"%d-%b" % (number, hashlib.sha256(body).hexdigest()[:16].encode())
        message = (
            b"%b%b\r\nFrom: <%b>\r\nDate: Sat, 14 Nov 2026 10:00:00 +0000\r\n"
            b"Message-ID: <%b@load.example>\r\n\r\n%b\r\n"
        ) % (MARK, identity, sender.encode(), identity, body)
        sent = Sent(digest_of(message), dict.fromkeys(destinations, Fate.UNKNOWN))
        self.sent[identity] = sent
        return sent, message

    def ids(self, destination: str, fate: Fate | None = None) -> set[bytes]:
        """Return the ids of what was sent to a destination, or of that with one fate."""
        return {
            identity
            for identity, sent in self.sent.items()
            if destination in sent.fates and fate in (None, sent.fates[destination])
        }

    def permanent_refusals(self) -> list[bytes]:
        """Return refusals that say more than "try again later"."""
        return [
            text for text in self.refusals if not text.startswith(b"4") and b"NO [UNAVAILABLE] " not in text
        ]

    def identify(self, content: bytes) -> bytes:
        """Return the id of a message that came out; fails unless its octets are those that went in.

        Only Return-Path and Received lines may stand before them.
        """
        start = content.find(MARK)
        assert start >= 0, content[:500]
        for line in content[:start].splitlines():
            assert line.startswith((b"Return-Path:", b"Received:", b" ", b"\t")), content[:500]
        identity = content[start + len(MARK) : content.index(b"\r\n", start)]
        assert digest_of(content[start:]) == self.sent[identity].digest, identity
        return identity


def digest_of(content: bytes) -> bytes:
    """Return a digest of octets."""
    return hashlib.sha256(content).digest()


@dataclass
class Load:
    """Clients that go on, reconnecting, until `stop` is set."""

    server: Server
    ledger: Ledger = field(default_factory=Ledger)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    tls: ssl.SSLContext = field(default_factory=trusting_context)

    async def exchange(self, seed: int) -> None:
        """Be another server on port 25: one or two recipients, DATA or BDAT."""
        chance = random.Random(seed)

        async def talk(wire: Wire) -> None:
            await greet(wire)
            while not self.stop.is_set():
                recipients = chance.choice((["bob@example.test"], ["ann@example.test", "bob@example.test"]))
                await self._deliver(wire, chance, "zoe@elsewhere.example", recipients)

        await self._keep_talking("smtp", talk)

    async def local(self, seed: int) -> None:
        """Be a mail server beside ours, over LMTP."""
        chance = random.Random(seed)

        async def talk(wire: Wire) -> None:
            await greet(wire, lmtp=True)
            while not self.stop.is_set():
                await self._deliver(
                    wire, chance, "zoe@elsewhere.example", ["bob@example.test", "ann@example.test"], lmtp=True
                )

        await self._keep_talking("lmtp", talk)

    async def submit(self, seed: int, listener: str, destinations: Sequence[str]) -> None:
        """Be a person who writes to each of the destinations in turn."""
        chance = random.Random(seed)

        async def talk(wire: Wire) -> None:
            await greet(wire, login="ann@example.test", password=PASSWORD)
            while not self.stop.is_set():
                await self._deliver(wire, chance, "ann@example.test", [chance.choice(destinations)])

        await self._keep_talking(listener, talk)

    async def store(self, seed: int) -> None:
        """Be a mail program that stores messages in a person's INBOX, half of them as read."""
        chance = random.Random(seed)

        async def talk(wire: Wire) -> None:
            await log_in(wire, "ann@example.test", PASSWORD)
            while not self.stop.is_set():
                sent, message = self.ledger.compose(
                    "ann@example.test", ["ann@example.test"], chance.choice(SIZES)
                )
                try:
                    await append(wire, "INBOX", message, chance.choice(("", r"\Seen")))
                except RefusedError as refused:
                    self.ledger.refusals.add(refused.text.removeprefix(b"a "))
                    sent.fates["ann@example.test"] = Fate.REFUSED
                    await asyncio.sleep(RECONNECT_SECONDS)
                else:
                    sent.fates["ann@example.test"] = Fate.TAKEN
                await asyncio.sleep(chance.uniform(0, THINK_SECONDS))

        await self._keep_talking("imap", talk)

    async def _deliver(
        self, wire: Wire, chance: random.Random, sender: str, recipients: list[str], *, lmtp: bool = False
    ) -> None:
        sent, message = self.ledger.compose(sender, recipients, chance.choice(SIZES))
        try:
            codes = await deliver(wire, sender, recipients, message, bdat=chance.random() < 0.3, lmtp=lmtp)
        except RefusedError as refused:
            codes = [refused.code]
            self.ledger.refusals.add(b"%d %b" % (refused.code, refused.text))
            await asyncio.sleep(RECONNECT_SECONDS)
            if refused.code != 421:
                await wire.ask(b"RSET")
        self.ledger.codes.update(codes)
        for recipient, code in zip(
            recipients, codes if len(codes) > 1 else codes * len(recipients), strict=True
        ):
            sent.fates[recipient] = Fate.TAKEN if code == 250 else Fate.REFUSED
        if 421 in codes:
            raise ConnectionError
        await asyncio.sleep(chance.uniform(0, THINK_SECONDS))

    async def _keep_talking(self, listener: str, talk: Callable[[Wire], Awaitable[None]]) -> None:
        tls = self.tls if listener in ("submissions", "imaps") else None
        while not self.stop.is_set():
            try:
                async with connected(self.server.ports[listener], tls) as wire:
                    await talk(wire)
            except (OSError, RefusedError) as error:
                if isinstance(error, RefusedError):  # at the greeting or the login
                    self.ledger.refusals.add(b"%d %b" % (error.code, error.text))
                self.ledger.lost_connections += 1
                await asyncio.sleep(RECONNECT_SECONDS)
