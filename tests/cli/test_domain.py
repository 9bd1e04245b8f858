"""`freehold domain`."""

from tests.cli.command_line import CommandLine


def test_a_domain_is_added_and_listed(hosted: CommandLine) -> None:
    said = hosted.run("domain", "add", "Bücher.example", "--separator", "minus")
    assert "xn--bcher-kva.example added" in said
    assert hosted.json("domain", "list") == [
        {"name": "example.org", "owner": "admin", "alias_of": None, "disabled": False},
        {"name": "xn--bcher-kva.example", "owner": "admin", "alias_of": None, "disabled": False},
    ]
    shown = hosted.json("domain", "show", "bücher.example")
    assert (shown["shown_as"], shown["separator"]) == ("bücher.example", "-")


def test_the_table_names_its_columns(hosted: CommandLine) -> None:
    assert hosted.run("domain", "list").splitlines()[0].split() == [
        "NAME",
        "OWNER",
        "ALIAS",
        "OF",
        "DISABLED",
    ]


def test_an_unknown_domain_is_refused_with_what_to_do(hosted: CommandLine) -> None:
    said = hosted.refused("domain", "show", "example.net")
    assert "domain example.net does not exist: freehold domain add example.net" in said


def test_without_an_owner_it_says_how_to_add_one(freehold: CommandLine) -> None:
    assert "freehold owner add" in freehold.refused("domain", "add", "example.org")


def test_a_domain_becomes_an_alias(hosted: CommandLine) -> None:
    assert hosted.json("domain", "alias", "example.net", "example.org")["target"] == "example.org"
    assert "itself an alias" in hosted.refused("domain", "alias", "example.com", "example.net")


def test_a_domain_is_disabled_and_enabled(hosted: CommandLine) -> None:
    hosted.run("domain", "disable", "example.org")
    assert hosted.json("domain", "show", "example.org")["disabled"] is True
    hosted.run("domain", "enable", "example.org")
    assert hosted.json("domain", "show", "example.org")["disabled"] is False


def test_removing_asks_and_needs_a_flag_for_addresses(hosted: CommandLine) -> None:
    assert "--yes" in hosted.refused("domain", "remove", "example.org")
    hosted.run("mailbox", "add", "ann@example.org", "--password-stdin", typed="correct horse\n")
    assert "--with-addresses" in hosted.refused("domain", "remove", "example.org", "--yes")
    removed = hosted.json("domain", "remove", "example.org", "--with-addresses", "--yes")
    assert removed["name"] == "example.org"
    assert hosted.json("mailbox", "list") == []
    assert hosted.json("domain", "list") == []
