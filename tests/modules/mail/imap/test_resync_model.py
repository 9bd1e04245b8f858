"""Whatever happens while clients are there or away: told everything, they know what the folder holds."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from freehold.modules.mail.folders.sweep import sweep_changes
from tests.mail_host import MailHost
from tests.modules.mail.imap.client import imap
from tests.modules.mail.imap.resync_client import MESSAGE, ResyncClient, spell

FLAGS = st.sampled_from([b"\\Seen", b"\\Deleted", b"\\Flagged", b"work", b"\\Answered Home"])
MODES = (b"QRESYNC", b"QRESYNC", b"CONDSTORE", b"")
CLIENTS = st.integers(0, len(MODES) - 1)
SELECTED_EVENTS = (
    b"(selected (MessageNew%b MessageExpunge FlagChange))",
    b"(selected-delayed (MessageNew%b MessageExpunge FlagChange))",
)
_numbers = itertools.count()


class Mailbox(RuleBasedStateMachine):
    """Four clients and one who changes things; the truth is what a fresh session reads."""

    port = 0
    sweep: Callable[[int], None] = staticmethod(lambda _kept: None)

    def __init__(self) -> None:
        super().__init__()
        number = next(_numbers)
        self.folder = b"model%d" % number
        self.beside = b"beside%d" % number
        self.actor = ResyncClient(self.port, b"")
        self.actor.connect()
        for name in (self.folder, self.beside):
            self.actor.ask(b"CREATE " + name)
        self.actor.ask(b"SELECT " + self.folder)
        self.clients = [ResyncClient(self.port, mode) for mode in MODES]
        for client in self.clients:
            client.connect()
            client.open_anew(self.folder)

    def teardown(self) -> None:
        for client in [self.actor, *self.clients]:
            if client.connection is not None:
                client.disconnect()

    def who(self, number: int, *, by_number: bool = False) -> ResyncClient:
        """Return a client that is there, else the one who is always; one may count by numbers."""
        client = self.clients[number]
        if client.connection is None or client.is_snapshot:
            return self.actor
        if by_number:
            client.learn_new()
        return client

    def truth(self) -> list[tuple[int, frozenset[bytes]]]:
        fresh = ResyncClient(self.port, b"")
        fresh.connect()
        fresh.open_anew(self.folder)
        fresh.disconnect()
        return [(entry.uid or 0, entry.flags or frozenset()) for entry in fresh.entries]

    def check(self, client: ResyncClient) -> None:
        truth = self.truth()
        told = [
            (uid if entry.uid is None else entry.uid, flags if entry.flags is None else entry.flags)
            for entry, (uid, flags) in zip(client.entries, truth, strict=True)
        ]
        assert told == truth

    @rule(number=CLIENTS, count=st.integers(1, 3), flags=FLAGS)
    def append(self, number: int, count: int, flags: bytes) -> None:
        literal = b" (" + flags + b") {%d+}\r\n" % len(MESSAGE) + MESSAGE
        self.who(number).ask(b"APPEND " + self.folder + literal * count)

    @rule(number=CLIENTS, data=st.data(), sign=st.sampled_from([b"+", b"-", b""]), flags=FLAGS)
    def store(self, number: int, data: st.DataObject, sign: bytes, flags: bytes) -> None:
        self.by_uid(number, data, b"UID STORE", sign + b"FLAGS (" + flags + b")")

    @rule(number=CLIENTS, data=st.data(), flags=FLAGS)
    def store_silently(self, number: int, data: st.DataObject, flags: bytes) -> None:
        client = self.who(number)
        if client is self.actor:
            self.by_uid(number, data, b"UID STORE", b"+FLAGS.SILENT (" + flags + b")")

    @rule(number=CLIENTS, data=st.data())
    def copy(self, number: int, data: st.DataObject) -> None:
        self.by_uid(number, data, b"UID COPY", data.draw(st.sampled_from([self.folder, self.beside])))

    @rule(number=CLIENTS, data=st.data())
    def move(self, number: int, data: st.DataObject) -> None:
        self.by_uid(number, data, b"UID MOVE", data.draw(st.sampled_from([self.folder, self.beside])))

    @rule(number=CLIENTS, data=st.data())
    def expunge(self, number: int, data: st.DataObject) -> None:
        self.by_uid(number, data, b"UID STORE", b"+FLAGS (\\Deleted)")
        client = self.who(number, by_number=True)
        client.ask(b"EXPUNGE")

    def by_uid(self, number: int, data: st.DataObject, command: bytes, arguments: bytes) -> None:
        uids = [uid for uid, _ in self.truth()]
        if not uids:
            return
        chosen = data.draw(st.sets(st.sampled_from(uids), min_size=1, max_size=4))
        client = self.who(number, by_number=True)
        client.ask(command + b" " + spell(chosen) + b" " + arguments)

    @rule(number=CLIENTS)
    def count_by_numbers(self, number: int) -> None:
        client = self.who(number, by_number=True)
        if client.entries and client is not self.actor:
            client.ask(b"FETCH 1:%d (FLAGS)" % len(client.entries))

    @rule(number=CLIENTS)
    def idle(self, number: int) -> None:
        client = self.who(number, by_number=True)
        client.idle()
        client.learn_new()

    @rule(number=CLIENTS)
    def look(self, number: int) -> None:
        client = self.clients[number]
        if client.connection is not None and not client.is_snapshot:
            client.learn_new()
            client.catch_up()
            self.check(client)

    @rule(number=CLIENTS, events=st.sampled_from(SELECTED_EVENTS))
    def be_told(self, number: int, events: bytes) -> None:
        client = self.clients[number]
        if client.connection is not None:
            client.learn_new()
            fetch = b" (UID FLAGS)" if client.mode == b"QRESYNC" else b""  # VANISHED needs known UIDs
            client.ask(b"NOTIFY SET " + events % fetch)
            client.is_snapshot = False

    @rule(number=CLIENTS)
    def be_told_nothing(self, number: int) -> None:
        client = self.clients[number]
        if client.connection is not None:
            client.learn_new()
            client.ask(b"NOTIFY NONE")
            client.is_snapshot = True

    @rule(number=CLIENTS, politely=st.booleans())
    def leave(self, number: int, politely: bool) -> None:
        client = self.clients[number]
        if client.connection is not None:
            client.learn_new()
            if politely and not client.is_snapshot:
                client.catch_up()
            client.disconnect()

    @rule(
        number=st.integers(0, 1),
        age=st.sampled_from(["right", "old", "first"]),
        known=st.sampled_from(["", "exact", "more"]),
        sample=st.booleans(),
    )
    def return_with_what_is_known(self, number: int, age: str, known: str, sample: bool) -> None:
        client = self.clients[number]
        if client.connection is not None:
            return
        uids = {entry.uid for entry in client.entries if entry.uid is not None}
        text = {"": b"", "exact": spell(uids), "more": b"1:%d" % (max(uids, default=0) + 5)}[known]
        modseq = {"right": client.modseq, "old": max(1, client.modseq - 3), "first": 1}[age]
        client.connect()
        client.resynchronise(self.folder, modseq, known=text, sample=sample and bool(text))
        self.check(client)

    @rule(number=CLIENTS, modseq=st.sampled_from([0, 2**40, 2**63 - 1]), validity=st.sampled_from([0, 1]))
    def return_with_absurdities(self, number: int, modseq: int, validity: int) -> None:
        client = self.clients[number]
        if client.connection is not None:
            return
        client.connect()
        if client.mode == b"QRESYNC":
            client.entries = []
            claim = b" (QRESYNC (%d %d 1:4294967295))" % (validity or client.validity, modseq)
            client.ask(b"SELECT " + self.folder + claim)
        client.open_anew(self.folder)
        self.check(client)

    @rule(kept=st.sampled_from([0, 1, 5]))
    def forget_old_changes(self, kept: int) -> None:
        self.sweep(kept)


async def _run_machine(host: MailHost, port: int, examples: int) -> None:
    loop = asyncio.get_running_loop()

    def wait(work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, loop).result(20)

    class Here(Mailbox):
        """The machine on this host."""

    Here.port = port
    Here.sweep = staticmethod(lambda kept: wait(host.runtime.database.write(sweep_changes, 1, kept=kept)))
    chosen = settings(
        max_examples=examples,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, Here, settings=chosen)


async def test_clients_know_after_resynchronising_what_the_folder_holds(any_host: MailHost) -> None:
    examples = 60 if any_host.runtime.database.engine == "sqlite" else 15
    async with any_host.listening(imap(any_host), tls=False) as port:
        await _run_machine(any_host, port, examples)
