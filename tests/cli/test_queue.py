"""`freehold queue`."""

import pytest

from tests.cli.command_line import CommandLine
from tests.cli.queued import queue_message


@pytest.fixture
def queued(hosted: CommandLine) -> CommandLine:
    """Two messages: one for two people, one for a third."""
    queue_message(hosted, "joe@far.test", "jim@near.test")
    queue_message(hosted, "kim@far.test", sender="")
    return hosted


def recipients(freehold: CommandLine, *words: str) -> list[str]:
    return [each["recipient"] for each in freehold.json("queue", "list", *words)]


def test_an_empty_queue_says_so(hosted: CommandLine) -> None:
    assert hosted.run("queue", "list") == "the queue is empty\n"
    assert hosted.json("queue", "list") == []


def test_recipients_are_listed_the_oldest_message_first(queued: CommandLine) -> None:
    assert recipients(queued) == ["joe@far.test", "jim@near.test", "kim@far.test"]
    first, _, last = queued.json("queue", "list")
    assert (first["sender"], first["state"], first["attempts"], first["reason"]) == (
        "ann@example.org",
        "ready",
        0,
        "",
    )
    assert last["sender"] == "<>"
    assert "joe@far.test" in queued.run("queue", "list")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("far.test", ["joe@far.test", "kim@far.test"]),
        ("JIM@near.test", ["jim@near.test"]),
        ("Ann@example.org", ["joe@far.test", "jim@near.test"]),
        ("else.test", []),
    ],
)
def test_an_address_of_either_side_or_a_domain_chooses(
    queued: CommandLine, wanted: str, found: list[str]
) -> None:
    assert recipients(queued, wanted) == found


def test_one_message_is_shown_with_all_its_recipients(queued: CommandLine) -> None:
    queue_id = queued.json("queue", "list")[0]["id"]
    shown = queued.json("queue", "show", queue_id)
    assert [each["recipient"] for each in shown] == ["joe@far.test", "jim@near.test"]
    assert recipients(queued, queue_id) == ["joe@far.test", "jim@near.test"]
    text = queued.run("queue", "show", queue_id.upper())
    assert "jim@near.test" in text
    assert "Given up" in text


def test_what_is_held_waits_until_it_is_released(queued: CommandLine) -> None:
    assert queued.run("queue", "hold", "far.test") == "2 recipients held\n"
    assert recipients(queued, "--held") == ["joe@far.test", "kim@far.test"]
    assert "nothing in the queue matches" in queued.refused("queue", "retry", "joe@far.test")
    done = queued.json("queue", "retry")
    assert [each["recipient"] for each in done["recipients"]] == ["jim@near.test"]
    assert queued.run("queue", "release", "joe@far.test") == "1 recipient released\n"
    assert queued.json("queue", "release")["count"] == 1
    assert recipients(queued, "--held") == []
    assert "nothing in the queue matches" in queued.refused("queue", "release")


def test_removal_asks_and_the_trace_remembers_it(queued: CommandLine) -> None:
    assert "--yes" in queued.refused("queue", "remove", "near.test")
    assert queued.run("queue", "remove", "near.test", "--yes") == "1 recipient removed\n"
    assert recipients(queued) == ["joe@far.test", "kim@far.test"]
    assert queued.json("message", "trace", "jim@near.test")[0]["state"] == "removed"
    assert queued.json("queue", "remove", "far.test", "--yes")["count"] == 2
    assert queued.json("queue", "list") == []


def test_what_is_no_id_address_or_domain_is_refused(queued: CommandLine) -> None:
    assert "is no queue id, address or domain" in queued.refused("queue", "show", "nonsense")
    assert "nothing in the queue matches" in queued.refused("queue", "show", "0000000000000")
    assert "nothing in the queue matches" in queued.refused("queue", "hold", "else.test")
