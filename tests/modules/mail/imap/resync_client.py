"""A client that knows of a folder only what it was told: by message number, and with QRESYNC by UID too."""

import re
import socket
from dataclasses import dataclass, field

from tests.mail_host import PASSWORD

WAIT_SECONDS = 20
MESSAGE = b"Subject: x\r\n\r\nbody\r\n"

_EXISTS = re.compile(rb"\* (\d+) EXISTS")
_EXPUNGE = re.compile(rb"\* (\d+) EXPUNGE")
_VANISHED = re.compile(rb"\* VANISHED (\(EARLIER\) )?([\d:,]+)")
_FETCH = re.compile(rb"\* (\d+) FETCH \((.*)\)")
_UID = re.compile(rb"\bUID (\d+)")
_FLAGS = re.compile(rb"\bFLAGS \(([^)]*)\)")
_MODSEQ = re.compile(rb"\bMODSEQ \((\d+)\)")
_HIGHEST = re.compile(rb"\[HIGHESTMODSEQ (\d+)\]")
_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]")


@dataclass
class Entry:
    """A message as the client knows it; None is what it was not told."""

    uid: int | None = None
    flags: frozenset[bytes] | None = None


def uids_of(text: bytes) -> set[int]:
    """Return the numbers of a set without `*`."""
    found: set[int] = set()
    for member in text.split(b","):
        low, _, high = member.partition(b":")
        found.update(range(int(low), int(high or low) + 1))
    return found


def spell(uids: set[int]) -> bytes:
    """Return a set of UIDs as a client would send it."""
    return b",".join(b"%d" % uid for uid in sorted(uids))


@dataclass
class ResyncClient:
    """One client over its sessions; `modseq` is up to where it may claim to know everything."""

    port: int
    mode: bytes = b""
    entries: list[Entry] = field(default_factory=list)
    validity: int = 0
    modseq: int = 0
    seen_modseq: int = 0
    is_snapshot: bool = False
    connection: socket.socket | None = None
    _learnt: dict[int, frozenset[bytes]] = field(default_factory=dict)
    _gone: set[int] = field(default_factory=set)

    def connect(self) -> None:
        """Log in and enable what this client uses."""
        self.connection = socket.create_connection(("127.0.0.1", self.port), WAIT_SECONDS)
        self._file = self.connection.makefile("rb")
        assert self._file.readline().startswith(b"* OK")
        self.ask(b"LOGIN ann@example.test " + PASSWORD.encode())
        if self.mode:
            self.ask(b"ENABLE " + self.mode)
        self.is_snapshot = False

    def disconnect(self) -> None:
        """Go away without a word; what was told is remembered."""
        assert self.connection is not None
        self._file.close()
        self.connection.close()
        self.connection = None

    def ask(self, command: bytes) -> list[bytes]:
        """Send a command, take in all that is told; returns the lines up to the tagged OK."""
        assert self.connection is not None
        self.connection.sendall(b"a " + command + b"\r\n")
        return self._until(b"a ")

    def idle(self) -> None:
        """Idle for as long as it takes to say so."""
        assert self.connection is not None
        self.connection.sendall(b"a IDLE\r\n")
        self._until(b"+ ")
        self.connection.sendall(b"DONE\r\n")
        self._until(b"a ")

    def open_anew(self, folder: bytes) -> None:
        """Select a folder and learn it from the beginning."""
        self.entries = []
        self.seen_modseq = 0
        self._note_selected(self.ask(b"SELECT " + folder))
        if self.entries:
            self.ask(b"FETCH 1:* (UID FLAGS)")

    def resynchronise(self, folder: bytes, modseq: int, *, known: bytes = b"", sample: bool = False) -> None:
        """Select with QRESYNC and bring up to date what is remembered."""
        before = {entry.uid: entry for entry in self.entries if entry.uid is not None}
        arguments = b"%d %d" % (self.validity, modseq)
        if known:
            arguments += b" " + known
        if sample and before:
            numbers = b",".join(b"%d" % (index + 1) for index in range(len(before)))
            arguments += b" (%b %b)" % (numbers, spell(set(before)))
        self.entries = []
        self._learnt, self._gone = {}, set()
        self._note_selected(self.ask(b"SELECT " + folder + b" (QRESYNC (" + arguments + b"))"))
        left = {uid: entry for uid, entry in before.items() if uid not in self._gone}
        for uid, flags in self._learnt.items():
            left[uid] = Entry(uid, flags)
        count = len(self.entries)
        self.entries = [left[uid] for uid in sorted(left)]
        if known:
            self.entries += [Entry() for _ in range(count - len(self.entries))]
            highest = max(uids_of(known) | set(left), default=0)
            self.ask(b"UID FETCH %d:* (FLAGS)" % (highest + 1))
        assert len(self.entries) == count

    def learn_new(self) -> None:
        """Ask for what was announced and is not known."""
        unknown = [index + 1 for index, entry in enumerate(self.entries) if entry.uid is None]
        if unknown:
            self.ask(b"FETCH %d:%d (UID FLAGS)" % (unknown[0], unknown[-1]))

    def catch_up(self) -> None:
        """Have everything told; from then on the highest modseq seen may be claimed."""
        self.ask(b"NOOP")
        self.learn_new()
        self.ask(b"NOOP")
        if not self.is_snapshot:
            self.modseq = max(self.modseq, self.seen_modseq)

    def _note_selected(self, lines: list[bytes]) -> None:
        text = b"\n".join(lines)
        validity, highest = _VALIDITY.search(text), _HIGHEST.search(text)
        assert validity is not None
        assert highest is not None
        self.validity, self.modseq = int(validity[1]), int(highest[1])
        self.seen_modseq = max(self.seen_modseq, self.modseq)

    def _until(self, start: bytes) -> list[bytes]:
        lines: list[bytes] = []
        while True:
            line = self._file.readline()
            assert line, "the server hung up"
            line = line.removesuffix(b"\r\n")
            lines.append(line)
            if line.startswith(start):
                assert line.startswith((b"a OK", b"+ ", b"a NO [MODIFIED")) or b"EXPUNGEISSUED" in line, lines
                self._claim(line)
                return lines
            self._take(line)

    def _claim(self, tagged: bytes) -> None:
        """Take the modseq that a tagged OK says is told with all before it (RFC 7162 §3.2.7)."""
        highest = _HIGHEST.search(tagged)
        if highest and self.mode == b"QRESYNC":
            self.modseq = max(self.modseq, int(highest[1]))

    def _take(self, line: bytes) -> None:
        if exists := _EXISTS.fullmatch(line):
            count = int(exists[1])
            assert count >= len(self.entries), line
            self.entries += [Entry() for _ in range(count - len(self.entries))]
        elif expunged := _EXPUNGE.fullmatch(line):
            assert self.mode != b"QRESYNC", line
            del self.entries[int(expunged[1]) - 1]
        elif vanished := _VANISHED.fullmatch(line):
            self._take_vanished(uids_of(vanished[2]), earlier=vanished[1] is not None)
        elif fetched := _FETCH.fullmatch(line):
            self._take_fetched(int(fetched[1]), fetched[2])

    def _take_vanished(self, uids: set[int], *, earlier: bool) -> None:
        assert self.mode == b"QRESYNC"
        if earlier:
            self._gone |= uids
            return
        for uid in sorted(uids - {entry.uid for entry in self.entries}):
            self._place_of(uid).uid = uid
        self.entries = [entry for entry in self.entries if entry.uid not in uids]

    def _place_of(self, uid: int) -> Entry:
        """Return the first message of unknown UID that can be this one: it went before it was fetched."""
        largest = 0
        for entry in self.entries:
            if entry.uid is None and largest < uid:
                return entry
            largest = max(largest, entry.uid or 0)
        raise AssertionError(f"UID {uid} vanished, which was never announced: {self.entries}")

    def _take_fetched(self, number: int, items: bytes) -> None:
        uid, flags, modseq = _UID.search(items), _FLAGS.search(items), _MODSEQ.search(items)
        entry = self.entries[number - 1]
        told = None if flags is None else frozenset(flags[1].split()) - {b"\\Recent"}
        if uid is not None:
            assert entry.uid in (None, int(uid[1])), (number, items)
            entry.uid = int(uid[1])
            if told is not None:
                self._learnt[entry.uid] = told
        if told is not None:
            entry.flags = told
        if modseq is not None:
            self.seen_modseq = max(self.seen_modseq, int(modseq[1]))
