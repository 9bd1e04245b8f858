"""The composition root: the only file that names every module, and what ties them to the kernel.

Other packages add modules by the entry point group `freehold.modules`, each naming a `Module`.
"""

from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

import msgspec

from freehold.accounts import SCHEMA as ACCOUNTS_SCHEMA
from freehold.certificates.store import CertificateFiles, CertificateStore
from freehold.errors import FreeholdError
from freehold.kernel.config import Configuration, Settings, find_file, load
from freehold.kernel.log_output import set_up
from freehold.kernel.module import Module, Runtime
from freehold.kernel.server import Started, serve
from freehold.modules.mail import MODULE as MAIL


class NoSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section of a module that has nothing to set."""


ACCOUNTS: Final = Module(name="accounts", config=NoSettings, schemas=(ACCOUNTS_SCHEMA,))
OWN_MODULES: Final = (ACCOUNTS, MAIL)
ENTRY_POINTS: Final = "freehold.modules"


class ModuleError(FreeholdError):
    """An installed package offers a module that cannot be used."""


@cache
def all_modules() -> tuple[Module, ...]:
    """Return Freehold's own modules and those of installed packages. Raises ModuleError."""
    modules = list(OWN_MODULES)
    for entry in entry_points(group=ENTRY_POINTS):
        module = entry.load()
        if not isinstance(module, Module):
            raise ModuleError(f"{entry.value} is no module: the entry point {entry.name} must name one")
        if module.name in {other.name for other in modules}:
            raise ModuleError(f"two modules are called {module.name}")
        modules.append(module)
    return tuple(modules)


def sections() -> dict[str, type[msgspec.Struct]]:
    """Return the struct of each configuration section that a module brings."""
    return {module.name: module.config for module in all_modules()}


def settings_types() -> dict[str, type[msgspec.Struct]]:
    """Return every struct of the configuration file by its section; the top level is the empty name."""
    return {"": Settings, **sections()}


def load_configuration(config: Path | None, data: Path | None) -> Configuration:
    """Return the configuration that is in force. Raises ConfigError with every problem found."""
    return load(find_file(config), data, sections())


def run_server(configuration: Configuration, announce: Callable[[Started], None]) -> int:
    """Serve until told to stop; returns the exit status."""
    set_up(configuration.settings.log)

    def make_tls(runtime: Runtime) -> CertificateStore:
        files = [
            CertificateFiles(pair.certificate, pair.key) for pair in configuration.settings.certificates.files
        ]
        return CertificateStore(runtime.data, runtime.hostname, files, runtime.clock)

    return serve(configuration, all_modules(), make_tls, announce)
