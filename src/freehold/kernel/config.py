"""The settings that need a restart, and where they come from: one TOML file, or local mode without any.

Everything else (domains, mailboxes, limits, policies) is in the database. Modules bring their own sections.
Local mode is for trying Freehold on a desk: loopback only, no root, data in `./var`.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from freehold.errors import FreeholdError
from freehold.kernel.addresses import Endpoint, is_loopback, parse_network
from freehold.kernel.decode import decode_table, unknown_key
from freehold.storage.blob_settings import INLINE_MAX_BYTES

DEFAULT_FILE: Final = Path("/etc/freehold/freehold.toml")
LOCAL_DATA: Final = Path("var")
LOCAL_PORT_OFFSET: Final = 2000
MAX_FILE_BYTES: Final = 1 << 20
MAX_WORKERS: Final = 64


class ConfigError(FreeholdError):
    """The configuration cannot be used; `problems` holds one line for each thing to correct."""

    public = "the configuration is wrong"

    def __init__(self, problems: list[str], source: Path | None = None) -> None:
        self.problems = problems
        where = f"{source}: " if source else ""
        super().__init__("\n".join(f"{where}{problem}" for problem in problems))


def default_workers() -> int:
    """Return how many front processes to run: one for each core this process may use, at most 4."""
    return min(len(os.sched_getaffinity(0)), 4)


class DatabaseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[database]: where rows are kept; without `url` in SQLite files in the data folder."""

    url: str = ""


class S3Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[blobs.s3]: an S3-compatible store; without keys the environment's identity is used."""

    bucket: str
    region: str = "us-east-1"
    endpoint: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    allow_http: bool = False
    prefix: str = "blobs/"


class BlobSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[blobs]: where large messages are kept; without `s3` in files in the data folder."""

    inline_max_bytes: Annotated[int, Meta(ge=0, le=1 << 20)] = INLINE_MAX_BYTES
    s3: S3Section | None = None


class ResolverSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[resolver]: which name servers are asked; without any those of /etc/resolv.conf."""

    nameservers: tuple[str, ...] = ()
    query_seconds: Annotated[float, Meta(gt=0, le=60)] = 3.0
    total_seconds: Annotated[float, Meta(gt=0, le=300)] = 12.0
    max_cached: Annotated[int, Meta(ge=1)] = 10_000


class CertificateFileSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[[certificates.files]]: a chain and its key as PEM files that the server's user can read."""

    certificate: Path
    key: Path


class CertificateSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[certificates]: the first files are the default; without any a self-signed one is made."""

    files: tuple[CertificateFileSection, ...] = ()


class ListenSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[listen.NAME]: one listener of a module; without `addresses` all of them at the standard port.

    Without `max_connections_per_network` the listener's own default holds (`ListenerSpec.max_per_network`).
    """

    addresses: tuple[str, ...] | None = None
    proxy_networks: tuple[str, ...] = ()
    unlimited_networks: tuple[str, ...] = ()
    max_connections: Annotated[int, Meta(ge=1)] = 20_000
    max_connections_per_network: Annotated[int, Meta(ge=1)] | None = None

    def __post_init__(self) -> None:
        """Refuse an address or network that cannot be parsed."""
        for address in self.addresses or ():
            Endpoint.parse(address)
        for network in (*self.proxy_networks, *self.unlimited_networks):
            parse_network(network)


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[log]: how and how much; `auto` is journald under systemd, text on a terminal, else JSON."""

    format: Literal["auto", "text", "json", "journald"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class MetricsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[metrics]: where /metrics and /health answer; loopback only, empty for nowhere."""

    address: str = "127.0.0.1:9580"

    def __post_init__(self) -> None:
        """Refuse an address that others could reach."""
        if self.address and not is_loopback(Endpoint.parse(self.address).host):
            raise ValueError(f"address {self.address!r} is not a loopback address such as 127.0.0.1:9580")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file's top level, without the sections that modules bring."""

    hostname: str = msgspec.field(default_factory=lambda: os.uname().nodename)
    data: Path = Path("/var/lib/freehold")
    user: str = ""
    workers: Annotated[int, Meta(ge=0, le=MAX_WORKERS)] = msgspec.field(default_factory=default_workers)
    drain_seconds: Annotated[float, Meta(ge=0, le=3600)] = 20.0
    database: DatabaseSettings = DatabaseSettings()
    blobs: BlobSection = BlobSection()
    resolver: ResolverSection = ResolverSection()
    listen: dict[str, ListenSettings] = {}
    certificates: CertificateSection = CertificateSection()
    log: LogSettings = LogSettings()
    metrics: MetricsSettings = MetricsSettings()


@dataclass(frozen=True, slots=True)
class Configuration:
    """All settings in force. `sections` maps a section brought by a module to its decoded struct."""

    source: Path | None
    settings: Settings
    sections: Mapping[str, msgspec.Struct]

    @property
    def local(self) -> bool:
        """Whether there is no file: loopback only, ports raised by 2000."""
        return self.source is None


def find_file(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the file to load: given, else $FREEHOLD_CONFIG, else the system's if there is one."""
    if given is not None:
        return given
    if named := environment.get("FREEHOLD_CONFIG"):
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def load(
    source: Path | None, data: Path | None, sections: Mapping[str, type[msgspec.Struct]]
) -> Configuration:
    """Return the configuration of a file, or of local mode when `source` is None.

    `data` overrides the data folder; `sections` maps each module's name to its struct.

    Raises:
        ConfigError: with every problem found, each named by its path.
    """
    table = read_table(source) if source is not None else {"data": str(LOCAL_DATA)}
    if source is None and "hostname" not in table:
        table["hostname"] = "localhost"
    if data is not None:
        table["data"] = str(data)
    problems: list[str] = []
    decoded = {
        name: _decode_section(kind, table.pop(name, {}), name, problems) for name, kind in sections.items()
    }
    _reject_unknown_sections(table, sections, problems)
    settings = decode_table(Settings, table, "", problems)
    if problems or settings is None:
        raise ConfigError(problems, source)
    if source is not None and not settings.data.is_absolute():
        settings = msgspec.structs.replace(settings, data=source.parent / settings.data)
    settings = msgspec.structs.replace(settings, data=settings.data.absolute())
    return Configuration(
        source, settings, {name: value for name, value in decoded.items() if value is not None}
    )


def read_table(source: Path) -> dict[str, Any]:
    """Return the file's top-level table. Raises ConfigError when it cannot be read or is not TOML."""
    try:
        with source.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(["there is no such file"], source) from None
    except OSError as error:
        raise ConfigError([f"cannot be read: {error.strerror}"], source) from error
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError([f"larger than {MAX_FILE_BYTES} bytes"], source)
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"not UTF-8 (line {line})"], source) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"not valid TOML: {error}"], source) from None


def _decode_section(
    kind: type[msgspec.Struct], table: Any, name: str, problems: list[str]
) -> msgspec.Struct | None:
    if isinstance(table, Mapping):
        return decode_table(kind, table, name, problems)
    problems.append(f"{name}: expected a table")
    return None


def _reject_unknown_sections(
    table: dict[str, Any], sections: Mapping[str, type[msgspec.Struct]], problems: list[str]
) -> None:
    """Name unknown top-level keys with guesses from the modules' sections too."""
    known = {field.encode_name: None for field in msgspec.structs.fields(Settings)}
    known.update(dict.fromkeys(sections))
    for key in [key for key in table if key not in known]:
        del table[key]
        problems.append(unknown_key(key, key, known))
