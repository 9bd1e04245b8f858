"""`freehold queue`: mail that waits to leave, and why."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import click

from freehold.cli.context import DatabaseContext, group, with_database
from freehold.cli.output import fail, say, show_json, show_record, show_table, wants_json
from freehold.cli.prompts import confirm, yes_option
from freehold.errors import InvalidValueError
from freehold.modules.mail.events import QueueChanged
from freehold.modules.mail.queue import manage
from freehold.modules.mail.queue.manage import QueueEntry, QueueFilter
from freehold.storage.ids import id_from_text, id_text

MAX_LISTED = 1000
MAX_CHANGED = 100_000
PORTION = 500
"""Recipients changed in one transaction."""


@group("queue", "Mail that waits to be sent.")
def command() -> None:
    """Look at the queue and change it; takes effect at once."""


@command.command("list")
@click.argument("wanted", metavar="[ID|ADDRESS|DOMAIN]", required=False)
@click.option("--held", is_flag=True, help="Only what is held.")
@with_database
async def list_queue(context: DatabaseContext, wanted: str | None, held: bool) -> None:  # noqa: FBT001 - click
    """List recipients, the oldest message first."""
    entries = await context.runtime.database.read(
        manage.list_entries,
        _filter(wanted, held=held or None),
        now_ms=context.runtime.clock.now_ms(),
        most=MAX_LISTED,
    )
    show_table(
        ("Id", "Recipient", "Sender", "State", "Attempts", "Next", "Reason"),
        [
            (
                id_text(each.queue_id),
                each.recipient,
                each.reverse_path or "<>",
                _state(each),
                each.attempts,
                None if each.state == "held" else moment(each.due_ms),
                each.last_error,
            )
            for each in entries
        ],
        empty="the queue is empty" if wanted is None and not held else "nothing in the queue matches",
    )
    if len(entries) == MAX_LISTED:
        say(f"(the first {MAX_LISTED}; name an address or a domain to see others)")


@command.command("show")
@click.argument("queue_id", metavar="ID")
@with_database
async def show(context: DatabaseContext, queue_id: str) -> None:
    """Show one message of the queue with all its recipients."""
    entries = await _find(context, QueueFilter(queue_id=_id(queue_id)))
    if wants_json():
        show_json([_as_json(each) for each in entries])
        return
    first = entries[0]
    show_record(
        [
            ("Id", id_text(first.queue_id)),
            ("Trace", id_text(first.trace_id)),
            ("Sender", first.reverse_path or "<>"),
            ("Size bytes", first.size_bytes),
            ("Queued", moment(first.created_ms)),
        ]
    )
    for each in entries:
        say("")
        show_record(
            [
                ("Recipient", each.recipient),
                ("Transport", each.transport),
                ("State", _state(each)),
                ("Attempts", each.attempts),
                ("Next", moment(each.due_ms)),
                ("Given up", moment(each.expires_ms)),
                ("Reason", each.last_error),
            ]
        )


@command.command("retry")
@click.argument("wanted", metavar="[ID|ADDRESS|DOMAIN]", required=False)
@with_database
async def retry(context: DatabaseContext, wanted: str | None) -> None:
    """Try again now: everything that is not held, or what matches of it."""
    entries = await _find(context, _filter(wanted, held=False))
    now_ms = context.runtime.clock.now_ms()
    for some in _portions(entries):
        await context.runtime.database.write(manage.retry_entries, some, now_ms=now_ms)
    context.runtime.bus.publish(QueueChanged(due_ms=now_ms))
    _done("will be tried now", entries, len(entries))


@command.command("hold")
@click.argument("wanted", metavar="ID|ADDRESS|DOMAIN")
@with_database
async def hold(context: DatabaseContext, wanted: str) -> None:
    """Keep what matches from being tried until it is released."""
    entries = await _find(context, _filter(wanted))
    now_ms = context.runtime.clock.now_ms()
    count = 0
    for some in _portions(entries):
        count += await context.runtime.database.write(manage.hold_entries, some, now_ms=now_ms)
    _done("held", entries, count)


@command.command("release")
@click.argument("wanted", metavar="[ID|ADDRESS|DOMAIN]", required=False)
@with_database
async def release(context: DatabaseContext, wanted: str | None) -> None:
    """Let held mail go again: all of it, or what matches."""
    entries = await _find(context, _filter(wanted, held=True))
    now_ms = context.runtime.clock.now_ms()
    count = 0
    for some in _portions(entries):
        count += await context.runtime.database.write(manage.release_entries, some, now_ms=now_ms)
    context.runtime.bus.publish(QueueChanged(due_ms=now_ms))
    _done("released", entries, count)


@command.command("remove")
@click.argument("wanted", metavar="ID|ADDRESS|DOMAIN")
@yes_option
@with_database
async def remove(context: DatabaseContext, wanted: str, yes: bool) -> None:  # noqa: FBT001 - click
    """Remove what matches; no bounce is sent."""
    entries = await _find(context, _filter(wanted))
    confirm(f"Remove {_recipients(len(entries))} for good, without telling the sender?", yes=yes)
    runtime = context.runtime
    now_ms = runtime.clock.now_ms()
    count = 0
    for some in _portions(entries):
        count += await runtime.database.write(manage.remove_entries, runtime.blobs, some, now_ms=now_ms)
    _done("removed", entries, count)


def moment(utc_ms: int) -> str:
    """Return a time as people read it, in UTC."""
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


async def _find(context: DatabaseContext, wanted: QueueFilter) -> list[QueueEntry]:
    now_ms = context.runtime.clock.now_ms()
    return await context.runtime.database.read(manage.find_entries, wanted, now_ms=now_ms, most=MAX_CHANGED)


def _filter(wanted: str | None, *, held: bool | None = None) -> QueueFilter:
    if wanted is None:
        return QueueFilter(is_held=held)
    if "@" in wanted:
        return QueueFilter(address=wanted.lower(), is_held=held)
    if "." in wanted:
        return QueueFilter(domain=wanted.lower(), is_held=held)
    return QueueFilter(queue_id=_id(wanted), is_held=held)


def _portions(entries: Sequence[QueueEntry]) -> Iterator[Sequence[QueueEntry]]:
    """Yield entries in portions for one transaction each, so that the server's own writes get their turn."""
    for start in range(0, len(entries), PORTION):
        yield entries[start : start + PORTION]


def _id(text: str) -> int:
    try:
        return id_from_text(text)
    except InvalidValueError:
        fail(f"{text!r} is no queue id, address or domain: see freehold queue list")


def _state(entry: QueueEntry) -> str:
    return "sending" if entry.is_leased and entry.state == "ready" else entry.state


def _recipients(count: int) -> str:
    return "1 recipient" if count == 1 else f"{count} recipients"


def _done(what: str, entries: Sequence[QueueEntry], count: int) -> None:
    if wants_json():
        show_json({"done": what, "count": count, "recipients": [_as_json(each) for each in entries]})
    else:
        say(f"{_recipients(count)} {what}")


def _as_json(entry: QueueEntry) -> dict[str, object]:
    return {
        "id": id_text(entry.queue_id),
        "trace": id_text(entry.trace_id),
        "sender": entry.reverse_path,
        "recipient": entry.recipient,
        "transport": entry.transport,
        "state": _state(entry),
        "attempts": entry.attempts,
        "size_bytes": entry.size_bytes,
        "queued": moment(entry.created_ms),
        "next": moment(entry.due_ms),
        "given_up": moment(entry.expires_ms),
        "reason": entry.last_error,
    }
