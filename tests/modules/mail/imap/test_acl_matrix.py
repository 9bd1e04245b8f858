"""Each command with all rights but one: refused where the right is needed, allowed with it alone."""

from collections.abc import AsyncIterator

import pytest

from tests.mail_host import MailHost
from tests.modules.mail.imap.client import ImapTalk, imap, member
from tests.modules.mail.imap.neighbours import ANN, BOB, MESSAGE, of, share

ALL = "lrswipkxtea"
FOLDER = of(ANN, b"a")

COMMANDS: dict[str, tuple[bytes, str]] = {
    "SELECT": (b"SELECT " + FOLDER, "r"),
    "EXAMINE": (b"EXAMINE " + FOLDER, "r"),
    "STATUS": (b"STATUS " + FOLDER + b" (MESSAGES)", "r"),
    "SUBSCRIBE": (b"SUBSCRIBE " + FOLDER, "l"),
    "CREATE": (b"CREATE " + of(ANN, b"a/new"), "k"),
    "DELETE": (b"DELETE " + FOLDER, "x"),
    "RENAME": (b"RENAME " + of(ANN, b"a/sub") + b" " + of(ANN, b"a/other"), "xk"),
    "APPEND": (b"APPEND " + FOLDER + b" {1+}\r\nx", "i"),
    "COPY": (b"COPY 1 " + FOLDER, "i"),
    "MOVE": (b"MOVE 1 " + FOLDER, "i"),
    "GETACL": (b"GETACL " + FOLDER, "a"),
    "SETACL": (b"SETACL " + FOLDER + b" anyone l", "a"),
    "DELETEACL": (b"DELETEACL " + FOLDER + b" anyone", "a"),
    "LISTRIGHTS": (b"LISTRIGHTS " + FOLDER + b" anyone", "a"),
}
"""Commands on a name, with all rights that they need."""

OPEN: dict[str, tuple[bytes, str]] = {
    "STORE Seen": (b"STORE 1 +FLAGS (\\Seen)", "s"),
    "STORE Deleted": (b"STORE 1 +FLAGS (\\Deleted)", "t"),
    "STORE Flagged": (b"STORE 1 -FLAGS (\\Flagged)", "w"),
    "STORE keyword": (b"STORE 1 +FLAGS (work)", "w"),
    "EXPUNGE": (b"EXPUNGE", "e"),
    "UID EXPUNGE": (b"UID EXPUNGE 1", "e"),
    "MOVE away": (b"MOVE 1 INBOX", "te"),
}
"""Commands on the open folder, with all rights that they need beside `r`."""


@pytest.fixture
async def port(host: MailHost) -> AsyncIterator[int]:
    """The port of a host."""
    async with host.listening(imap(host), tls=False) as opened:
        yield opened


async def prepare(ann: ImapTalk, bob: ImapTalk, rights: str) -> None:
    """Share ann's folder, with one message and a folder below, with these rights."""
    await share(ann, b"a", BOB, rights.encode())
    await ann.done(b"CREATE a/sub")
    await ann.append(b"a", MESSAGE, b"(\\Flagged) ")
    await bob.append(b"INBOX", MESSAGE)
    await bob.done(b"SELECT INBOX")


@pytest.mark.parametrize("missing", ALL)
@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_on_a_name_needs_its_rights(port: int, name: str, missing: str) -> None:
    command, needed = COMMANDS[name]
    async with member(port) as ann, member(port, BOB) as bob:
        await prepare(ann, bob, ALL.replace(missing, ""))
        if missing not in needed:
            await bob.done(command)
        elif missing == "l":
            assert (await bob.refused(command)).startswith(b"NO [NONEXISTENT]")
        else:
            assert (await bob.refused(command)).startswith(b"NO [NOPERM]")


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_on_a_name_needs_no_more(port: int, name: str) -> None:
    command, needed = COMMANDS[name]
    async with member(port) as ann, member(port, BOB) as bob:
        await prepare(ann, bob, needed)
        await bob.done(command)


@pytest.mark.parametrize("name", COMMANDS)
async def test_without_lookup_a_refusal_is_that_of_no_folder(port: int, name: str) -> None:
    command, needed = COMMANDS[name]
    others = "".join(each for each in ALL if each not in needed + "l")
    async with member(port) as ann, member(port, BOB) as bob:
        await prepare(ann, bob, others)
        told = await bob.refused(command)
        await ann.done(b"DELETEACL a bob@example.test")
        await ann.done(b"DELETEACL a/sub bob@example.test")
        assert await bob.refused(command) == told


@pytest.mark.parametrize("missing", ALL.replace("r", ""))
@pytest.mark.parametrize("name", OPEN)
async def test_a_command_on_the_open_folder_needs_its_rights(port: int, name: str, missing: str) -> None:
    command, needed = OPEN[name]
    async with member(port) as ann, member(port, BOB) as bob:
        await prepare(ann, bob, ALL.replace(missing, ""))
        await bob.done(b"SELECT " + FOLDER)
        if missing in needed:
            assert (await bob.refused(command)).startswith(b"NO [NOPERM]")
        else:
            await bob.done(command)


@pytest.mark.parametrize("name", OPEN)
async def test_a_right_taken_away_or_given_counts_at_once(port: int, name: str) -> None:
    command, needed = OPEN[name]
    async with member(port) as ann, member(port, BOB) as bob:
        await prepare(ann, bob, "lr" + needed)
        await bob.done(b"SELECT " + FOLDER)
        await ann.done(b"SETACL a bob@example.test lr")
        assert (await bob.refused(command)).startswith(b"NO [NOPERM]")
        await ann.done(b"SETACL a bob@example.test lr" + needed.encode())
        await bob.done(command)


@pytest.mark.parametrize("command", [b"FETCH 1 FLAGS", b"NOOP", b"SEARCH ALL", b"STORE 1 +FLAGS (x)"])
@pytest.mark.parametrize("rights", [b"l", b""])
async def test_who_may_no_longer_read_is_sent_away(port: int, command: bytes, rights: bytes) -> None:
    async with member(port) as ann, member(port, BOB) as bob:
        await prepare(ann, bob, ALL)
        await bob.done(b"SELECT " + FOLDER)
        await ann.done(b'SETACL a bob@example.test "' + rights + b'"')
        bob.send(b"a " + command + b"\r\n")
        assert (await bob.rest()).startswith(b"* BYE")


async def test_the_owners_own_rights_can_be_held_back(port: int) -> None:
    async with member(port) as ann, member(port, BOB) as bob:
        await prepare(ann, bob, "lra")
        await ann.done(b"SELECT a")
        await bob.done(b"SETACL " + FOLDER + b" owner lrs")
        assert (await ann.refused(b"EXPUNGE")).startswith(b"NO [NOPERM]")
        await ann.done(b"STORE 1 +FLAGS (\\Seen \\Deleted)")
        assert await ann.done(b"FETCH 1 FLAGS") == [b"* 1 FETCH (FLAGS (\\Flagged \\Seen \\Recent))"]
        assert (await ann.refused(b"APPEND a {1+}\r\nx")).startswith(b"NO [NOPERM]")


async def test_flags_that_are_not_permitted_are_left_alone(port: int) -> None:
    async with member(port) as ann, member(port, BOB) as bob:
        await prepare(ann, bob, "lrt")
        lines = await bob.done(b"SELECT " + FOLDER)
        assert b"* OK [PERMANENTFLAGS (\\Deleted)] Flags permitted" in lines
        assert await bob.done(b"STORE 1 FLAGS (\\Deleted \\Seen \\Draft work)") == [
            b"* 1 FETCH (FLAGS (\\Flagged \\Deleted))"
        ]
        await ann.done(b"SETACL a bob@example.test lrs")
        lines = await bob.done(b"FETCH 1 BODY[TEXT]")
        assert b"* OK [PERMANENTFLAGS (\\Seen)] Flags permitted" in lines
        assert await bob.done(b"FETCH 1 FLAGS") == [b"* 1 FETCH (FLAGS (\\Flagged \\Deleted \\Seen))"]
        await ann.done(b"SETACL a bob@example.test lr")
        assert b"* OK [PERMANENTFLAGS ()] Read-only" in await bob.done(b"NOOP")
        reply = (await bob.ask(b"SELECT " + FOLDER))[-1]
        assert reply == b"a OK [READ-ONLY] Select completed"
        await ann.done(b"SETACL a bob@example.test lrs")
        reply = (await bob.ask(b"SELECT " + FOLDER))[-1]
        assert reply == b"a OK [READ-WRITE] Select completed"


async def test_close_without_the_right_expunges_nothing(port: int) -> None:
    async with member(port) as ann, member(port, BOB) as bob:
        await prepare(ann, bob, "lrt")
        await bob.done(b"SELECT " + FOLDER)
        await bob.done(b"STORE 1 +FLAGS (\\Deleted)")
        await bob.done(b"CLOSE")
        assert await ann.done(b"STATUS a (MESSAGES)") == [b"* STATUS a (MESSAGES 1)"]


@pytest.mark.parametrize(
    ("rights", "flags"),
    [
        (b"li", b""),
        (b"lis", b""),
        (b"lit", b"\\Deleted"),
        (b"liw", b"\\Flagged work"),
        (b"lirtws", b"\\Flagged \\Deleted work"),
    ],
)
async def test_what_is_put_into_a_folder_has_the_flags_that_are_permitted(
    port: int, rights: bytes, flags: bytes
) -> None:
    async with member(port) as ann, member(port, BOB) as bob:
        await share(ann, b"a", BOB, rights)
        await bob.append(b"INBOX", MESSAGE, b"(\\Seen \\Deleted \\Flagged work) ")
        await bob.done(b"SELECT INBOX")
        await bob.done(b"COPY 1 " + FOLDER)
        await bob.append(FOLDER, MESSAGE, b"(\\Seen \\Deleted \\Flagged work) ")
        await bob.done(b"MOVE 1 " + FOLDER)
        await ann.done(b"SELECT a")
        told = b"* %d FETCH (FLAGS (" + b" ".join([flags, b"\\Recent"]).strip().replace(
            b" work \\Recent", b" \\Recent work"
        )
        assert [line.removesuffix(b"))") for line in await ann.done(b"FETCH 1:* FLAGS")] == [
            told % number for number in (1, 2, 3)
        ]
        assert await bob.done(b"SEARCH ALL") == [b"* SEARCH"]
        await ann.done(b"SETACL a bob@example.test +r")
        seen = b"3" if b"s" in rights else b"0"
        unseen = b"%d" % (3 - int(seen))
        assert (await bob.done(b"STATUS " + FOLDER + b" (UNSEEN)"))[0].endswith(b"(UNSEEN " + unseen + b")")
        assert await ann.done(b"STATUS a (UNSEEN)") == [b"* STATUS a (UNSEEN 3)"]


async def test_the_folders_owner_is_charged(host: MailHost, port: int) -> None:
    async with member(port) as ann, member(port, BOB) as bob:
        await share(ann, b"a", BOB, b"lri")
        await host.set_quota("ann@example.test", 30)
        await bob.append(b"INBOX", MESSAGE)
        await bob.append(b"INBOX", MESSAGE)
        await bob.done(b"SELECT INBOX")
        await bob.done(b"COPY 1 " + FOLDER)
        assert (await bob.refused(b"COPY 1 " + FOLDER)).startswith(b"NO [OVERQUOTA]")
        assert (await bob.append(FOLDER, MESSAGE)).startswith(b"a NO [OVERQUOTA]")
        assert (await bob.refused(b"MOVE 1:2 " + FOLDER)).startswith(b"NO [OVERQUOTA]")
        assert await bob.done(b"SEARCH ALL") == [b"* SEARCH 1 2"]
        assert await ann.done(b"STATUS a (MESSAGES)") == [b"* STATUS a (MESSAGES 1)"]
