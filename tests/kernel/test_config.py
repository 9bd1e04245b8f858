"""The configuration file: what is accepted, and what is said of a mistake."""

from pathlib import Path

import msgspec
import pytest

from freehold.kernel.config import ConfigError, Settings, default_workers, find_file, load
from freehold.kernel.decode import iter_keys


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    max_message_bytes: int = 1
    retry_seconds: float = 2.0


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    smtp: Inner = Inner()


SECTIONS: dict[str, type[msgspec.Struct]] = {"mail": Section}


def _write(folder: Path, text: str) -> Path:
    path = folder / "freehold.toml"
    path.write_text(text)
    return path


def _problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(_write(folder, text), None, SECTIONS)
    return caught.value.problems


def test_without_a_file_it_is_local_mode_in_var() -> None:
    configuration = load(None, None, SECTIONS)
    assert configuration.local
    assert configuration.settings.data == Path("var").absolute()
    assert configuration.settings.hostname == "localhost"


def test_the_data_option_overrides_the_file(tmp_path: Path) -> None:
    configuration = load(_write(tmp_path, "data = '/nowhere'"), tmp_path / "here", SECTIONS)
    assert configuration.settings.data == tmp_path / "here"


def test_a_relative_data_folder_is_next_to_the_file(tmp_path: Path) -> None:
    assert load(_write(tmp_path, "data = 'kept'"), None, SECTIONS).settings.data == tmp_path / "kept"


def test_sizes_and_durations_are_written_as_people_do(tmp_path: Path) -> None:
    source = _write(tmp_path, "[mail.smtp]\nmax_message_bytes = '50 MiB'\nretry_seconds = '1h 30m'")
    section = load(source, None, SECTIONS).sections["mail"]
    assert section == Section(Inner(50 * 2**20, 5400))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[mail.smtp]\nmax_mesage_bytes = 1",
            "mail.smtp.max_mesage_bytes: unknown key; did you mean max_message_bytes?",
        ),
        ("hostnme = 'x'", "hostnme: unknown key; did you mean hostname?"),
        ("[mial]", "mial: unknown key; did you mean mail?"),
        ("[zzz]", "zzz: unknown key"),
        ("workers = 'three'", "workers: expected int, got str"),
        ("workers = -1", "workers: expected int >= 0"),
        ("data = 3", "data: expected a path as text, got a number"),
        ("mail = 3", "mail: expected a table"),
        ("[log]\nlevel = 'loud'", "log.level: invalid enum value 'loud'"),
        ("log = 3", "log: expected a table, got a number"),
        ("[mail.smtp]\nmax_message_bytes = '50 parsecs'", "'50 parsecs' is not a size such as \"50 MiB\""),
        ("[mail.smtp]\nretry_seconds = 'soon'", "mail.smtp.retry_seconds: 'soon' is not a duration"),
        ("[listen.smtp]\naddresses = ['mail:25']", "listen.smtp: 'mail:25': 'mail' is not an IP address"),
        ("[listen.smtp]\naddresses = ['::25']", "listen.smtp: '::25': write an IPv6 address in brackets"),
        ("[listen.smtp]\naddresses = ['[::]:99999']", "is not an address such as"),
        ("[listen.smtp]\nproxy_networks = ['10.0.0.1/8']", "'10.0.0.1/8' is not a network"),
        ("[metrics]\naddress = '0.0.0.0:9580'", "metrics: address '0.0.0.0:9580' is not a loopback address"),
        ("[[certificates.files]]\ncertificate = 'a'", "certificates.files[0].key: missing"),
        ("[blobs.s3]\nregion = 'x'", "blobs.s3.bucket: missing, it has no default"),
    ],
)
def test_a_mistake_is_named_by_its_path(tmp_path: Path, text: str, problem: str) -> None:
    (said,) = _problems(tmp_path, text)
    assert problem in said


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    assert len(_problems(tmp_path, "a = 1\nb = 2\nworkers = ''\n[mail]\nc = 3")) == 4


def test_broken_toml_is_named_with_its_line(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, "workers = 1\nhostname = \n")
    assert "not valid TOML" in problem
    assert "line 2" in problem


def test_a_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "freehold.toml"
    path.write_bytes(b"workers = 1\n# \xff\n")
    with pytest.raises(ConfigError, match=r"not UTF-8 \(line 2\)"):
        load(path, None, SECTIONS)


def test_a_missing_file_is_an_error_and_not_local_mode(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"freehold\.toml: there is no such file"):
        load(tmp_path / "freehold.toml", None, SECTIONS)


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path, None, SECTIONS)


def test_the_option_wins_over_the_environment() -> None:
    environment = {"FREEHOLD_CONFIG": "/there.toml"}
    assert find_file(Path("/here.toml"), environment) == Path("/here.toml")
    assert find_file(None, environment) == Path("/there.toml")


def test_there_are_at_most_four_workers_by_default() -> None:
    assert 1 <= default_workers() <= 4


def test_the_keys_of_structs_are_listed_with_their_paths() -> None:
    assert list(iter_keys(Section, "mail")) == ["mail.smtp.max_message_bytes", "mail.smtp.retry_seconds"]
    keys = set(iter_keys(Settings))
    assert {"hostname", "listen.NAME.addresses", "blobs.s3.bucket", "certificates.files.key"} <= keys
