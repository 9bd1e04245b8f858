"""`freehold alias`."""

import pytest

from tests.cli.command_line import CommandLine


@pytest.fixture
def with_ann(hosted: CommandLine) -> CommandLine:
    hosted.run("mailbox", "add", "ann@example.org", "--password-stdin", typed="correct horse\n")
    return hosted


def test_an_alias_leads_to_several_destinations(with_ann: CommandLine) -> None:
    added = with_ann.json(
        "alias", "add", "info@example.org", "ann@example.org", "out@example.net", "program:/bin/cat 'a b'"
    )
    destinations = ["ann@example.org", "out@example.net", "program:/bin/cat 'a b'"]
    assert added == {"address": "info@example.org", "owner": "admin", "destinations": destinations}
    assert with_ann.json("alias", "list") == [added]
    assert "out@example.net" in with_ann.run("alias", "list")


def test_a_catch_all_begins_with_an_at_sign(with_ann: CommandLine) -> None:
    assert with_ann.json("alias", "add", "@example.org", "ann@example.org")["address"] == "@example.org"


def test_a_circle_and_an_unknown_destination_are_refused(with_ann: CommandLine) -> None:
    with_ann.run("alias", "add", "one@example.org", "ann@example.org")
    assert "circle" in with_ann.refused("alias", "add", "ann@example.org", "one@example.org")
    said = with_ann.refused("alias", "add", "two@example.org", "bob@example.org")
    assert "freehold mailbox add bob@example.org" in said


def test_destinations_are_removed_one_by_one_or_all(with_ann: CommandLine) -> None:
    with_ann.run("alias", "add", "info@example.org", "ann@example.org", "discard:")
    assert "--yes" in with_ann.refused("alias", "remove", "info@example.org")
    with_ann.run("alias", "remove", "info@example.org", "discard:", "--yes")
    assert with_ann.json("alias", "list")[0]["destinations"] == ["ann@example.org"]
    with_ann.run("alias", "remove", "info@example.org", "--yes")
    assert with_ann.json("alias", "list") == []
    assert "see freehold alias list" in with_ann.refused("alias", "remove", "info@example.org", "--yes")
