"""What every command has in common: options anywhere, suggestions, exit codes, JSON."""

import json
import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from freehold import __version__
from freehold.cli.main import COMMANDS, cli
from freehold.cli.output import MAX_CELL_CHARS, cell_text, printable, show_record, show_table
from freehold.cli.prompts import confirm, read_password
from tests.kernel.server_process import import_path, open_python


def _run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(cli, list(arguments), input=text)


@pytest.mark.parametrize("arguments", [("--json", "version"), ("version", "--json")])
def test_json_is_accepted_before_and_after_the_command(arguments: tuple[str, str]) -> None:
    result = _run(*arguments)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["freehold"] == __version__


def test_version_is_readable_without_json() -> None:
    assert f"freehold  {__version__}\n" in _run("version").stdout


def test_a_mistyped_command_is_guessed() -> None:
    result = _run("mailbx")
    assert result.exit_code == 2
    assert "No such command 'mailbx'. Did you mean 'mailbox'?" in result.stderr


def test_a_mistyped_option_is_guessed() -> None:
    result = _run("version", "--jsn")
    assert result.exit_code == 2
    assert "--json" in result.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_the_common_options(name: str) -> None:
    result = _run(name, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert "--config" in result.stdout


def test_a_wrong_file_is_told_in_one_line_with_exit_code_1(tmp_path: Path) -> None:
    file = tmp_path / "freehold.toml"
    file.write_text("wokers = 3\n")
    result = _run("check", "--config", str(file))
    assert result.exit_code == 1
    assert result.stderr == f"error: {file}: wokers: unknown key; did you mean workers?\n"


def test_errors_are_json_with_json(tmp_path: Path) -> None:
    result = _run("check", "--json", "--config", str(tmp_path / "gone.toml"))
    assert result.exit_code == 1
    assert "there is no such file" in json.loads(result.stderr)["error"]


def test_a_command_that_needs_a_data_folder_says_so(tmp_path: Path) -> None:
    result = _run("status", "--data", str(tmp_path / "gone"))
    assert result.exit_code == 1
    assert "there is no data folder" in result.stderr


def test_status_of_a_server_that_does_not_run_has_exit_code_1(tmp_path: Path) -> None:
    result = _run("status", "--json", "--data", str(tmp_path))
    assert result.exit_code == 1
    assert json.loads(result.stdout)["running"] is False


def test_check_of_a_new_folder_is_good_and_changes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    result = _run("check", "--data", str(data), "--json")
    checked = {row["checked"]: row["good"] for row in json.loads(result.stdout)}
    assert checked["configuration"]
    assert checked["data folder"]
    assert not data.exists()


def test_tables_are_plain_where_there_is_no_terminal_and_cannot_steer_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_table(("Name", "Size bytes"), [("a\x1b[2J\nb", 3), ("x", None)])
    assert capsys.readouterr().out == "NAME         SIZE BYTES\na\\x1b[2J\\nb  3\nx            -\n"


def test_an_empty_table_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(("Name",), [], empty="no domains")
    show_record([("Name", "x"), ("Good", True)])
    assert capsys.readouterr().out == "no domains\nName  x\nGood  yes\n"


def test_cells_are_bounded_and_lists_are_joined() -> None:
    assert cell_text(["a", "b"]) == "a, b"
    assert cell_text([]) == "-"
    assert len(cell_text("x" * 10_000)) == MAX_CELL_CHARS
    assert printable("Grüße\n") == "Grüße\n"


def test_without_a_terminal_a_destructive_command_wants_yes() -> None:
    with pytest.raises(click.ClickException, match="--yes"):
        confirm("Remove everything?", yes=False)
    confirm("Remove everything?", yes=True)


def test_a_password_is_the_first_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    with (Path(__file__).parent / "password.txt").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert read_password(from_stdin=True) == "correct horse "
        with pytest.raises(click.ClickException, match="empty"):
            read_password(from_stdin=True)


@pytest.mark.skipif(os.geteuid() != 0 or open_python() is None, reason="needs root and a common interpreter")
def test_a_command_run_by_root_leaves_only_files_of_the_folders_owner(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    data = tmp_path / "data"
    data.mkdir(0o700)
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):  # pytest's own, one more under xdist
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | 0o011)
    subprocess.run(
        [open_python() or "", "-m", "freehold", "status", "--data", str(data)],
        env={**os.environ, **import_path()},
        check=False,
        capture_output=True,
        timeout=60,
    )
    assert (data / "freehold.db").exists()
    assert {path.stat().st_uid for path in data.rglob("*")} == {nobody.pw_uid}
