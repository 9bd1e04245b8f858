"""Sizes, durations and addresses."""

import pytest

from freehold.kernel.addresses import Endpoint
from freehold.kernel.capabilities import Capabilities, Capability, MissingCapabilityError
from freehold.kernel.quantities import parse_bytes, parse_seconds
from freehold.kernel.suggest import nearest


@pytest.mark.parametrize(
    ("text", "size"),
    [("1024", 1024), ("50 MiB", 50 * 2**20), ("50MB", 50_000_000), ("1.5k", 1536), (" 2 GiB ", 2**31)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("15m", 900),
        ("4h", 14_400),
        ("5d", 432_000),
        ("1h 30m", 5400),
        ("250ms", 0.25),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1 MiBs", "1e3", "0x10", "1 2"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_bytes(text)


@pytest.mark.parametrize("text", ["", "soon", "-1s", "1h,2m", "1 fortnight", "h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_seconds(text)


@pytest.mark.parametrize("text", ["0.0.0.0:25", "[::]:25", "127.0.0.1:0"])
def test_endpoints_are_written_as_they_are_read(text: str) -> None:
    assert str(Endpoint.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["25", ":25", "0.0.0.0", "0.0.0.0:", "0.0.0.0:-1", "::25", "[::]", "[::]:x", "a:²"]
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"address|bracket"):
        Endpoint.parse(text)


def test_the_nearest_word_is_guessed_and_nothing_far_away() -> None:
    assert nearest("mailbx", ["mailbox", "alias"]) == "mailbox"
    assert nearest("zzz", ["mailbox", "alias"]) is None


def test_capabilities_are_provided_once_and_missed_by_name() -> None:
    number: Capability[int] = Capability("number")
    capabilities = Capabilities()
    with pytest.raises(MissingCapabilityError, match="no module provides a number"):
        capabilities.require(number)
    capabilities.provide(number, 3)
    assert capabilities.require(number) == 3
    with pytest.raises(ValueError, match="twice"):
        capabilities.provide(number, 4)
