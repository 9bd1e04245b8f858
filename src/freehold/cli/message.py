"""`freehold message`: where is my mail?"""

import click

from freehold.cli.context import DatabaseContext, group, with_database
from freehold.cli.output import fail, say, show_json, show_record, show_table, wants_json
from freehold.cli.queue import moment
from freehold.errors import InvalidValueError
from freehold.modules.mail.trace import Trace, TraceLine, find_by_address, find_by_id
from freehold.storage.ids import id_from_text, id_text

MAX_LISTED = 100


@group("message", "What happened to messages.")
def command() -> None:
    """Follow messages from arrival to delivery; they are remembered for 30 days."""


@command.command("trace")
@click.argument("wanted", metavar="ID|ADDRESS")
@with_database
async def trace(context: DatabaseContext, wanted: str) -> None:
    """Show what became of a message, by the id in its Received line, or by an address."""
    if "@" in wanted or wanted == "<>":
        await _by_address(context, wanted)
        return
    try:
        trace_id = id_from_text(wanted)
    except InvalidValueError:
        fail(f"{wanted!r} is neither an address nor a trace id (13 letters and digits, see a Received line)")
    found = await context.runtime.database.read(find_by_id, trace_id)
    if found is None:
        fail(f"no message {wanted} is remembered: try its sender's or recipient's address")
    _show(*found)


async def _by_address(context: DatabaseContext, address: str) -> None:
    found = await context.runtime.database.read_long(find_by_address, address, most=MAX_LISTED)
    show_table(
        ("Id", "Received", "Sender", "Recipient", "State", "Detail", "Message id"),
        [
            (
                id_text(trace.id),
                moment(trace.received_ms),
                trace.reverse_path or "<>",
                line.address,
                line.state.value,
                line.detail,
                trace.message_id,
            )
            for trace, lines in found
            for line in lines
            if address.lower() in (line.address, trace.reverse_path.lower() or "<>")
        ],
        empty=f"nothing to or from {address} in the last 30 days",
    )


def _show(trace: Trace, lines: list[TraceLine]) -> None:
    facts = [
        ("Id", id_text(trace.id)),
        ("Received", moment(trace.received_ms)),
        ("From", trace.client),
        ("Sender", trace.reverse_path or "<>"),
        ("Size bytes", trace.size_bytes),
        ("Message id", trace.message_id),
    ]
    rows = [(line.address, line.state.value, moment(line.changed_ms), line.detail) for line in lines]
    if wants_json():
        columns = ("address", "state", "changed", "detail")
        document = {name.lower().replace(" ", "_"): value for name, value in facts}
        show_json({**document, "recipients": [dict(zip(columns, row, strict=True)) for row in rows]})
        return
    show_record(facts)
    say("")
    show_table(("Address", "State", "Changed", "Detail"), rows)
