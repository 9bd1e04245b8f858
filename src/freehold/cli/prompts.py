"""Questions to the person at the terminal: "are you sure?", and passwords that no process list shows."""

import sys

import click

from freehold.cli.output import fail

MAX_PASSWORD_CHARS = 1024
"""Far above any passphrase; keeps a piped file from being hashed."""

yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
"""For destructive commands: gives the flag that `confirm` takes."""

password_stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)
"""For commands that set a password: gives the flag that `read_password` takes."""


def confirm(question: str, *, yes: bool) -> None:
    """Return if the person agrees (or said `--yes`); end the command otherwise.

    Without a terminal to ask on, `--yes` is required.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        fail("this needs a confirmation: repeat it with --yes")
    if not click.confirm(question, default=False, err=True):
        fail("nothing was changed")


def read_password(*, from_stdin: bool, prompt: str = "Password", twice: bool = True) -> str:
    """Return a password typed without echo, or the first line of standard input.

    A password is never taken from an argument: arguments are visible to every user of the machine.
    """
    if from_stdin:
        line = sys.stdin.readline(MAX_PASSWORD_CHARS + 2)
        return _checked(line.removesuffix("\n").removesuffix("\r"))
    if not sys.stdin.isatty():
        fail("there is no terminal to ask for the password on: use --password-stdin")
    return _checked(str(click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)))


def _checked(password: str) -> str:
    if not password:
        fail("the password is empty")
    if len(password) > MAX_PASSWORD_CHARS:
        fail(f"the password is longer than {MAX_PASSWORD_CHARS} characters")
    return password
