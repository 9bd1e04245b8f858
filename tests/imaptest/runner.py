"""Runs a script of the imaptest suite against a server."""

import re
import socket
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import strptime

from freehold.protocols.imap.dates import MONTHS
from tests.imaptest.matching import Args, Variables, match_reply, parse_args
from tests.imaptest.script import Line, Literal, Script, Step

MAILBOX = "imaptest"
WAIT_SECONDS = 20.0

_SEPARATOR = re.compile(rb"^From [^\n]*?(\w{3} \w{3} [ \d]?\d [\d:]{8} \d{4})( [+-]\d{4})?\n", re.M)
_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")
_STATES = ("nonauth", "auth", "created", "appended", "selected")


@dataclass(frozen=True, slots=True)
class Account:
    """Who the script acts as."""

    port: int
    user: str
    password: str


class Connection:
    """One connection; `count` is the number of messages that it was told of."""

    def __init__(self, account: Account) -> None:
        self.socket = socket.create_connection(("127.0.0.1", account.port), WAIT_SECONDS)
        self.file = self.socket.makefile("rb")
        self.count = 0
        self.tags = 0
        self.read()

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def next_tag(self) -> str:
        self.tags += 1
        return f"c{self.tags}"

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self) -> Line:
        """Return one reply with its literals, without the line end."""
        parts: Line = []
        while True:
            line = self.file.readline()
            assert line, "the server closed the connection"
            literal = _LITERAL.search(line)
            if literal is None:
                return [*parts, line.removesuffix(b"\r\n").decode("latin-1")]
            text = line[: literal.start()].decode("latin-1")
            is_binary = text.endswith("~")
            parts.append(text.removesuffix("~"))
            parts.append(Literal(self.file.read(int(literal[1])).decode("latin-1"), is_binary))

    def ask(self, command: str, literal: bytes | None = None) -> list[str]:
        """Send a command of the preparation; returns its replies, the tagged one last."""
        tag = self.next_tag()
        marker = b"" if literal is None else b" {%d+}\r\n" % len(literal) + literal
        self.send(f"{tag} {command}".encode("latin-1") + marker + b"\r\n")
        replies: list[str] = []
        while not replies or not replies[-1].startswith(f"{tag} "):
            line = self.read()
            self.count_messages(parse_args(line))
            replies.append(str(line[0]))
        return replies

    def count_messages(self, reply: Args) -> None:
        """Keep the number of messages up to date."""
        match reply:
            case ["*", str(number), str(word)] if word.upper() == "EXISTS":
                self.count = int(number)
            case ["*", _, str(word)] if word.upper() == "EXPUNGE":
                self.count -= 1


class Numbers:
    """What the messages of a command's beginning are numbered, as expunges are told."""

    def __init__(self, count: int) -> None:
        self.now = list(range(1, count + 1))
        self.count = count

    def number_of(self, original: int) -> int:
        """Return the number now; 0 for one that is gone, and what it was for one that is newer."""
        if original > self.count:
            return original
        return self.now.index(original) + 1 if original in self.now else 0

    def note(self, reply: Args) -> None:
        """Take an expunge into account."""
        match reply:
            case [str(number), str(word)] if word.upper() == "EXPUNGE":
                del self.now[int(number) - 1]


class Mbox:
    """Messages to append, again from the first one after the last."""

    def __init__(self, path: Path) -> None:
        raw = path.read_bytes()
        marks = list(_SEPARATOR.finditer(raw))
        ends = [mark.start() for mark in marks[1:]] + [len(raw)]
        self.messages = [
            (
                mark[1].decode(),
                (mark[2] or b" +0000").decode(),
                raw[mark.end() : end].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
            )
            for mark, end in zip(marks, ends, strict=True)
        ]
        self.position = 0

    def next(self) -> tuple[str, bytes]:
        """Return INTERNALDATE and octets of the next message."""
        date, zone, message = self.messages[self.position % len(self.messages)]
        self.position += 1
        when = strptime(date, "%a %b %d %H:%M:%S %Y")
        day = f"{when.tm_mday:2d}-{MONTHS[when.tm_mon - 1].decode().capitalize()}-{when.tm_year}"
        return f'"{day} {when.tm_hour:02d}:{when.tm_min:02d}:{when.tm_sec:02d}{zone}"', message


class Run:
    """One script under way."""

    def __init__(self, script: Script, mbox: Mbox, account: Account) -> None:
        self.script = script
        self.mbox = mbox
        self.account = account
        self.connections: list[Connection] = []
        name, _, domain = account.user.partition("@")
        self.variables = Variables(
            {
                "mailbox": MAILBOX,
                "mailbox_url": MAILBOX,
                "user": account.user,
                "username": name,
                "domain": domain,
                "password": account.password,
            }
        )

    def run(self) -> None:
        """Do the whole script; an AssertionError says what was not as expected."""
        with ExitStack() as stack:
            for _ in range(self.script.connections):
                connection = Connection(self.account)
                stack.callback(connection.close)
                self.connections.append(connection)
            self._prepare(_STATES.index(self.script.state))
            for group in self.script.groups:
                self._run_group(group)

    def _prepare(self, state: int) -> None:
        if not state:
            return
        for connection in self.connections:
            login = connection.ask(f'LOGIN "{self.account.user}" "{self.account.password}"')
            assert " OK " in login[-1], login
        first = self.connections[0]
        for reply in reversed(first.ask(f'LIST "" "{MAILBOX}*"')[:-1]):
            first.ask("DELETE " + reply.rpartition('" ')[2])
        for reply in first.ask('LSUB "" "*"')[:-1]:
            first.ask("UNSUBSCRIBE " + reply.rpartition('" ')[2])
        if state >= _STATES.index("created"):
            first.ask(f"CREATE {MAILBOX}")
        if state >= _STATES.index("appended"):
            count = self.script.messages
            for _ in range(len(self.mbox.messages) if count is None else count):
                date, message = self.mbox.next()
                assert " OK " in first.ask(f"APPEND {MAILBOX} {date}", message)[-1]
        if state >= _STATES.index("selected"):
            for connection in self.connections:
                connection.ask(f"SELECT {MAILBOX}")

    def _run_group(self, group: list[Step]) -> None:
        connection = self.connections[group[0].connection - 1]
        tags: dict[str, Step] = {}
        for step in group:
            tag = connection.next_tag()
            tags[tag] = step
            connection.send(tag.encode() + b" " + self._octets(step.command) + b"\r\n")
            self.variables.values["tag"] = tag
        numbers = Numbers(connection.count)
        self.variables.number_of = numbers.number_of
        waiting = [(step, parse_args(line)) for step in group for line in step.expected]
        seen: list[Args] = []
        while tags:
            reply = parse_args(connection.read())
            connection.count_messages(reply)
            match reply:
                case ["*", *rest]:
                    seen.append(rest)
                    waiting = self._meet(waiting, rest)
                    self._check_bans(group, rest)
                    numbers.note(rest)
                case [str(tag), *rest] if tag in tags:
                    self._finish(tags.pop(tag), rest, seen)
                case _:
                    raise AssertionError(f"unexpected reply {reply}")
        assert not waiting, f"line {waiting[0][0].number}: no {waiting[0][1]} among {seen}"

    def _octets(self, command: Line) -> bytes:
        parts = [self._expanded(part) for part in command]
        words = parts[0].split()
        if words[:1] == [b"append"] or words[:1] == [b"APPEND"]:
            if len(words) == 1:
                parts[0] += b" " + MAILBOX.encode()
            if len(parts) == 1:
                date, message = self.mbox.next()
                stated = b"" if b'"' in parts[0] else b" " + date.encode()
                parts.append(stated + b" {%d+}\r\n" % len(message) + message)
        return b"".join(parts)

    def _expanded(self, part: str | Literal) -> bytes:
        if isinstance(part, Literal):
            octets = part.text.encode("latin-1")
            return (b"~" if part.is_binary else b"") + b"{%d+}\r\n" % len(octets) + octets
        return self.variables.expand(part).encode("latin-1")

    def _meet(self, waiting: list[tuple[Step, Args]], reply: Args) -> list[tuple[Step, Args]]:
        """Strike out every expected reply that this one is."""
        left: list[tuple[Step, Args]] = []
        for step, expected in waiting:
            learnt = match_reply(expected, reply, self.variables)
            if learnt is None:
                left.append((step, expected))
            else:
                self.variables = learnt
        return left

    def _check_bans(self, group: list[Step], reply: Args) -> None:
        for step in group:
            for line in step.banned:
                banned = match_reply(parse_args(line), reply, self.variables)
                assert banned is None, f"line {step.number}: {reply} should not come"

    def _finish(self, step: Step, reply: Args, seen: list[Args]) -> None:
        """Check the tagged reply."""
        status = str(reply[0]).lower()
        wanted = step.status or "ok"
        assert wanted in {status, '""'}, f"line {step.number}: {reply} instead of {wanted}, after {seen}"
        if any(step.prefix):
            expected = [wanted, *parse_args(step.prefix)]
            learnt = match_reply(expected, reply, self.variables)
            assert learnt is not None, f"line {step.number}: {reply} instead of {expected}"
            self.variables = learnt
