"""`freehold message trace`."""

from tests.cli.command_line import CommandLine
from tests.cli.queued import queue_message


def test_a_message_is_found_by_recipient_sender_and_id(hosted: CommandLine) -> None:
    trace_id = queue_message(hosted, "joe@far.test", "jim@near.test")
    for address, count in (("JOE@far.test", 1), ("ann@example.org", 2)):
        found = hosted.json("message", "trace", address)
        assert [(each["id"], each["sender"]) for each in found] == [(trace_id, "ann@example.org")] * count
    shown = hosted.json("message", "trace", trace_id.upper())
    assert (shown["from"], shown["sender"]) == ("test", "ann@example.org")
    lines = {each["address"]: each["state"] for each in shown["recipients"]}
    assert lines == {"joe@far.test": "queued", "jim@near.test": "queued"}
    text = hosted.run("message", "trace", trace_id)
    assert "jim@near.test" in text
    assert "queued" in text


def test_the_newest_message_comes_first(hosted: CommandLine) -> None:
    ids = [queue_message(hosted, "joe@far.test") for _ in range(3)]
    assert [each["id"] for each in hosted.json("message", "trace", "joe@far.test")] == ids[::-1]


def test_the_null_sender_can_be_asked_for(hosted: CommandLine) -> None:
    trace_id = queue_message(hosted, "joe@far.test", sender="")
    (found,) = hosted.json("message", "trace", "<>")
    assert found["id"] == trace_id
    shown = hosted.json("message", "trace", trace_id)
    assert [each["address"] for each in shown["recipients"]] == ["joe@far.test"]


def test_a_message_to_oneself_shows_what_became_of_it(hosted: CommandLine) -> None:
    trace_id = queue_message(hosted, "ann@example.org")
    (line,) = hosted.json("message", "trace", trace_id)["recipients"]
    assert (line["address"], line["state"]) == ("ann@example.org", "queued")


def test_what_is_not_remembered_is_said(hosted: CommandLine) -> None:
    assert "nothing to or from" in hosted.run("message", "trace", "joe@far.test")
    assert hosted.json("message", "trace", "joe@far.test") == []
    assert "no message" in hosted.refused("message", "trace", "0000000000000")
    assert "neither an address nor a trace id" in hosted.refused("message", "trace", "nonsense")
