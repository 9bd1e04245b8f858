"""The log: one safe line for each event, whatever a peer has put into it."""

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from freehold.kernel.log import get_logger
from freehold.kernel.log_format import (
    HIDDEN,
    MAX_VALUE_CHARS,
    JournalFormat,
    JsonFormat,
    RecordFormat,
    TextFormat,
)
from freehold.kernel.log_output import DirectHandler, JournalHandler, is_journal, make_handler

NAME = "freehold.test_log"


class Sink(logging.Handler):
    """Keeps what a format makes of each record."""

    def __init__(self, form: RecordFormat) -> None:
        super().__init__()
        self.form = form
        self.entries: list[bytes] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.entries.append(self.form.render(record))


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger(NAME)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield logger
    logger.handlers.clear()
    logger.propagate = True


def _sink(logger: logging.Logger, form: RecordFormat) -> Sink:
    sink = Sink(form)
    logger.addHandler(sink)
    return sink


def test_text_is_one_line_with_fields(logger: logging.Logger) -> None:
    sink = _sink(logger, TextFormat(color=False))
    get_logger(NAME).info("message queued", queue_id="abc", size_bytes=12, sender="a b")
    (line,) = sink.entries
    assert line.endswith(b' INFO    message queued queue_id=abc size_bytes=12 sender="a b" logger=test_log\n')


def test_json_has_typed_fields_and_utc(logger: logging.Logger) -> None:
    sink = _sink(logger, JsonFormat())
    get_logger(NAME).warning("full", count=3, ok=False, missing=None, raw=b"\xff")
    entry = msgspec.json.decode(sink.entries[0])
    assert (entry["level"], entry["logger"], entry["message"]) == ("warning", NAME, "full")
    assert (entry["count"], entry["ok"], entry["missing"], entry["raw"]) == (3, False, None, "\\xff")
    assert entry["time"].endswith("Z")


@pytest.mark.parametrize("form", [TextFormat(color=False), JsonFormat()])
def test_a_peer_cannot_forge_a_line_or_steer_a_terminal(logger: logging.Logger, form: RecordFormat) -> None:
    sink = _sink(logger, form)
    get_logger(NAME).info("greeted", name="x\r\n2026 ERROR forged\x1b[2J\x9b\u202e\x00")
    (line,) = sink.entries
    assert line.count(b"\n") == 1
    assert not set(line[:-1]) & set(range(32))


def test_text_keeps_letters_of_every_language(logger: logging.Logger) -> None:
    sink = _sink(logger, TextFormat(color=False))
    get_logger(NAME).info("greeted", name="Grüße东京")
    assert "name=Grüße东京" in sink.entries[0].decode()


def test_text_hides_direction_marks(logger: logging.Logger) -> None:
    sink = _sink(logger, TextFormat(color=False))
    get_logger(NAME).info("greeted", name="\u202eevil")
    assert b"\\u202eevil" in sink.entries[0]


@pytest.mark.parametrize("form", [TextFormat(color=False), JsonFormat(), JournalFormat()])
@pytest.mark.parametrize("name", ["password", "new_Password", "api_key", "auth_token", "private_key"])
def test_secrets_are_never_written(logger: logging.Logger, form: RecordFormat, name: str) -> None:
    sink = _sink(logger, form)
    get_logger(NAME).info("seen", **{name: "hunter2"})
    assert b"hunter2" not in sink.entries[0]
    assert HIDDEN.encode() in sink.entries[0]


def test_long_values_are_cut(logger: logging.Logger) -> None:
    sink = _sink(logger, JsonFormat())
    get_logger(NAME).info("seen", value="x" * 100_000)
    assert len(msgspec.json.decode(sink.entries[0])["value"]) == MAX_VALUE_CHARS


def test_lone_surrogates_are_written(logger: logging.Logger) -> None:
    for form in (TextFormat(color=False), JsonFormat(), JournalFormat()):
        sink = _sink(logger, form)
        get_logger(NAME).info("seen", path="a\udcffb")
        assert b"udcff" in sink.entries[0]


def test_records_of_the_standard_library_look_the_same(logger: logging.Logger) -> None:
    sink = _sink(logger, TextFormat(color=False))
    logger.info("took %d", 3, extra={"fields": {"client": "192.0.2.1"}})
    assert sink.entries[0].endswith(b"took 3 client=192.0.2.1 logger=test_log\n")


def test_a_traceback_follows_indented(logger: logging.Logger) -> None:
    sink = _sink(logger, TextFormat(color=False))
    try:
        int("bad\nthing")
    except ValueError:
        get_logger(NAME).exception("failed", step=1)
    lines = sink.entries[0].splitlines()
    assert b"failed step=1" in lines[0]
    assert all(line.startswith(b"    ") for line in lines[1:])
    assert b"ValueError: invalid literal" in lines[-1]


def test_a_level_that_is_off_writes_nothing(logger: logging.Logger) -> None:
    sink = _sink(logger, TextFormat(color=False))
    get_logger(NAME).debug("detail", a=1)
    assert sink.entries == []


def test_journald_gets_native_fields(logger: logging.Logger, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "journal"))
        handler = JournalHandler(tmp_path / "journal")
        logger.addHandler(handler)
        get_logger(NAME).error("failed", queue_id="abc", text="a\nb")
        datagram = journal.recv(65_536)
        handler.close()
    assert b"MESSAGE=failed queue_id=abc" in datagram
    assert b"\nPRIORITY=3\n" in datagram
    assert b"\nFREEHOLD_QUEUE_ID=abc\n" in datagram
    assert b"\nFREEHOLD_TEXT\n" + (3).to_bytes(8, "little") + b"a\nb\n" in datagram


def test_journald_is_chosen_only_where_standard_error_goes_there(tmp_path: Path) -> None:
    with (tmp_path / "stream").open("w") as stream:
        status = os.fstat(stream.fileno())
        name = f"{status.st_dev}:{status.st_ino}"
        assert is_journal(name, stream.fileno())
        assert not is_journal("1:1", stream.fileno())
        assert not is_journal("", stream.fileno())


def test_auto_is_json_where_there_is_no_terminal(
    logger: logging.Logger, capfd: pytest.CaptureFixture[str]
) -> None:
    logger.addHandler(make_handler("auto", {}))
    get_logger(NAME).info("hello")
    assert msgspec.json.decode(capfd.readouterr().err)["message"] == "hello"


def test_a_closed_descriptor_loses_the_line_and_nothing_else(logger: logging.Logger) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    logger.addHandler(DirectHandler(TextFormat(color=False), writing))
    get_logger(NAME).info("hello")
