"""`freehold mailbox`."""

from tests.cli.command_line import CommandLine

PASSWORD = "correct horse\n"


def add(freehold: CommandLine, address: str, *options: str) -> None:
    freehold.run("mailbox", "add", address, "--password-stdin", *options, typed=PASSWORD)


def test_a_mailbox_is_added_shown_and_listed(hosted: CommandLine) -> None:
    add(hosted, "Ann@example.org", "--login", "ann", "--quota", "5GiB")
    shown = hosted.json("mailbox", "show", "ann@example.org")
    assert (shown["address"], shown["login"], shown["owner"]) == ("ann@example.org", "ann", "admin")
    assert (shown["quota_bytes"], shown["used_bytes"], shown["is_disabled"]) == (5 * 2**30, 0, False)
    assert hosted.json("mailbox", "list") == [shown]
    assert "5 GiB" in hosted.run("mailbox", "list")


def test_no_password_is_shown_or_stored_in_plain(hosted: CommandLine) -> None:
    said = hosted.json("mailbox", "add", "ann@example.org", "--password-stdin", typed=PASSWORD)
    assert "password" not in str(said).lower()
    assert b"correct horse" not in b"".join(path.read_bytes() for path in hosted.data.rglob("*.db*"))


def test_a_short_password_is_refused(hosted: CommandLine) -> None:
    assert "8 characters" in hosted.refused(
        "mailbox", "add", "ann@example.org", "--password-stdin", typed="short\n"
    )


def test_a_missing_domain_is_named_with_its_command(hosted: CommandLine) -> None:
    said = hosted.refused("mailbox", "add", "ann@example.net", "--password-stdin", typed=PASSWORD)
    assert "domain example.net does not exist: freehold domain add example.net" in said


def test_a_second_mailbox_of_the_address_is_refused(hosted: CommandLine) -> None:
    add(hosted, "ann@example.org")
    said = hosted.refused("mailbox", "add", "ann@example.org", "--password-stdin", typed=PASSWORD)
    assert "already exists" in said


def test_quota_and_password_are_changed(hosted: CommandLine) -> None:
    add(hosted, "ann@example.org")
    assert hosted.json("mailbox", "quota", "ann@example.org", "1.5 MiB")["quota_bytes"] == 1_572_864
    assert hosted.json("mailbox", "quota", "ann@example.org", "none")["quota_bytes"] is None
    assert hosted.invoke("mailbox", "quota", "ann@example.org", "much").exit_code == 2
    hosted.run("mailbox", "passwd", "ann@example.org", "--password-stdin", typed="battery staple\n")
    assert "does not exist" in hosted.refused("mailbox", "passwd", "bob@example.org", "--password-stdin")


def test_removing_a_mailbox_needs_a_yes(hosted: CommandLine) -> None:
    add(hosted, "ann@example.org")
    assert "--yes" in hosted.refused("mailbox", "remove", "ann@example.org")
    assert hosted.json("mailbox", "remove", "ann@example.org", "--yes")["address"] == "ann@example.org"
    assert "no mailboxes yet" in hosted.run("mailbox", "list")


def test_an_error_with_json_leaves_standard_output_empty(hosted: CommandLine) -> None:
    result = hosted.invoke("mailbox", "show", "bob@example.org", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith('{"error":"mailbox bob@example.org does not exist')
