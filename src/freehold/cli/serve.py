"""`freehold serve`: runs the server in the foreground until it is told to stop."""

import sys
from contextlib import suppress

import click

from freehold.cli.context import FreeholdCommand, load_configuration
from freehold.cli.output import fail, say, show_json, show_table, wants_json
from freehold.errors import FreeholdError


@click.command("serve", cls=FreeholdCommand)
def command() -> None:
    """Run the server.

    Without a configuration file it listens on loopback only, at the standard ports plus 2000, and keeps its
    data in ./var. Ctrl-C or SIGTERM lets connections finish, a second one does not; SIGHUP reads the
    certificates again.
    """
    configuration = load_configuration()
    from freehold.app import run_server  # noqa: PLC0415 - the whole server
    from freehold.kernel.server import Started  # noqa: PLC0415
    from freehold.kernel.status import listener_addresses  # noqa: PLC0415

    def announce(started: Started) -> None:
        with suppress(OSError):  # nobody reads what is printed: the server serves all the same
            tell(started)

    def tell(started: Started) -> None:
        listeners = listener_addresses(started.service)
        if wants_json():
            show_json({"listeners": listeners, "first_start": list(started.first_start)})
        else:
            rows = [(one.name, one.tls, ", ".join(one.addresses)) for one in listeners]
            show_table(("Listener", "TLS", "Addresses"), rows, empty="nothing is listened on")
            for line in started.first_start:
                say(line)
            say(f"Serving {configuration.settings.data}. Stop with Ctrl-C.")
        sys.stdout.flush()

    try:
        status = run_server(configuration, announce)
    except FreeholdError as error:
        fail(error.public)
    sys.exit(status)
