"""The benchmarks work: they run, count what they send, and print; how fast is never asserted."""

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks import micro, smtp_load
from benchmarks.memory import USERS, Row, measure_connections
from benchmarks.messages import make_message
from benchmarks.options import Options
from benchmarks.peers import run as run_peers
from benchmarks.peers_goals import GOALS, goals_table
from benchmarks.peers_report import imap_table, smtp_table
from benchmarks.peers_setup import FILES, PeersMissingError, find_missing
from benchmarks.report import Table, percentile, print_table
from benchmarks.server import running_server
from benchmarks.smtp_client import Load, compose, send, shares


def test_the_parsers_are_measured_and_written_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result.json"

    assert program.main(["--only", "micro", "--messages", "2", "--json", str(result)]) == 0

    (table,) = json.loads(result.read_text())["tables"]
    assert table["benchmark"] == "micro"
    assert all(label and value >= 0 for label, value in table["rows"])
    assert "SMTP dialogue of one message, 4 KiB" in capsys.readouterr().out


def test_the_load_generator_sends_what_the_server_stores(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=0, users=3) as server:
        for case in (
            smtp_load.Case("one each", 4096, 4, 1),
            smtp_load.Case("many", 4096, 2, 1, per_connection=10),
        ):
            load = smtp_load.load_for(server, case, 20, users=3)
            before = server.stored_messages()

            sent = send(load)

            assert (sent.accepted, sent.failed, sent.failures) == (20, 0, [])
            assert server.stored_messages() == before + 20
            assert len(sent.latencies) == 20
        assert server.cpu_seconds() >= 0
        assert server.memory().pss_kib > 0


def test_idle_connections_are_told_of_mail_when_they_have_been_measured(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=0, users=USERS) as server:
        rows = list(measure_connections(server, 2 * USERS))

    assert [row.told for row in rows] == [0, 0, 2 * USERS, 0, 0, 2 * USERS]


def test_a_refused_message_is_counted_and_the_others_go_on(tmp_path: Path) -> None:
    with running_server(tmp_path, workers=0, users=1) as server:
        case = smtp_load.Case("one each", 200, 2, 1)
        load = smtp_load.load_for(server, case, 4, users=2)  # there is no second user

        sent = send(load)

        assert (sent.accepted, sent.failed) == (2, 2)
        assert all(failure.startswith("550") for failure in sent.failures)


@pytest.mark.parametrize("size", [1024, 4096, 65_536])
def test_messages_have_the_size_asked_for(size: int) -> None:
    assert len(compose(7, "user1@bench.test", size)) == size
    assert make_message(7, size) == make_message(7, size)
    assert abs(len(make_message(7, size)) - size) <= 2


def test_shares_of_a_load_add_up() -> None:
    case = smtp_load.Case("odd", 4096, 21, 1)
    load = Load(25, 101, case.connections, 4096, ("user1@bench.test",))

    parts = list(shares(load, 2))

    assert [first for _, first in parts] == [0, 50]
    assert sum(part.messages for part, _ in parts) == 101
    assert sum(part.connections for part, _ in parts) == 21


def test_the_comparison_says_what_it_lacks(tmp_path: Path) -> None:
    assert {str(tmp_path / name) for name in FILES} <= set(find_missing(tmp_path))
    with pytest.raises(PeersMissingError, match=r"smtpblast\.c"):
        list(run_peers(Options(tmp_path, peers=tmp_path)))


def test_the_comparison_prints_medians_and_ratios(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        {"name": name, "size": 4096, "conc": 20, "delivered_per_s": rate, "cpu_s_per_1000": cpu}
        | {"errors": 0, "foreign_cpu_frac": 0.05, "verified": True, "tag": ""}
        for name, rate, cpu in (
            ("freehold", 1000.0, 1.0),
            ("freehold", 3000.0, 1.0),
            ("postfix-lmtp", 400.0, 4.0),
            ("postfix-virtual", 500.0, 2.0),
        )
    ]
    out = tmp_path / "smtp.jsonl"
    out.write_text("".join(json.dumps(line) + "\n" for line in lines))

    table = smtp_table(out)

    (row,) = table.rows
    assert row[:6] == ("4,096 B, 20", 2000.0, 400.0, 500.0, 5.0, 4.0)
    assert row[6:11] == (1.0, 4.0, 2.0, 0.25, 0.5)
    print_table(table)
    assert "2,000" in capsys.readouterr().out


def test_what_only_one_server_did_has_no_ratio(tmp_path: Path) -> None:
    out = tmp_path / "imap.jsonl"
    out.write_text('{"name": "freehold", "test": "append", "unit": "msgs/s", "value": 5}\n')

    assert imap_table(out).rows == [("append", "msgs/s", 5.0, "-", "-", 0.0, "-")]


def test_goals_say_whether_they_are_reached(tmp_path: Path) -> None:
    out = tmp_path / "imap.jsonl"
    lines = [
        {"name": name, "test": test, "unit": "x", "value": value, "server_cpu_s": 0.5}
        for test, ours, theirs in (
            ("fetch 10k FLAGS", 4.0, 2.0),
            ("append 4k c1", 2.9, 2.0),
            ("fetch BODY[] 1000x4k", 100.0, 300.0),
        )
        for name, value in (("freehold", ours), ("dovecot", theirs))
    ]
    out.write_text("".join(json.dumps(line) + "\n" for line in lines))

    memory = [Row("TLS: before", 4, 1.0, 1.0, 0, 0.0), Row("TLS: 9 connections", 4, 1.0, 1.0, 9, 33.0)]

    rows = {row[0]: row for row in goals_table(out, memory).rows}

    assert rows["fetch 10k FLAGS"][2:] == (4.0, 2.0, 2.0, 1.0, "at most 2.0 × Dovecot's", "yes")
    assert [rows[test][-1] for test in ("append 4k c1", "fetch BODY[] 1000x4k")] == ["NO", "yes"]
    assert rows["idle, TLS: 9 connections"][-1] == "NO"
    assert len(rows) == len(GOALS) + 1
    assert rows["login+logout c1"][-1] == "not measured"


def test_percentiles_and_empty_tables_do_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    assert percentile([], 0.5) == 0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    print_table(Table("none", "nothing", ("a", "b"), []))
    assert "none: nothing" in capsys.readouterr().out


def test_every_imap_command_that_is_timed_is_understood(tmp_path: Path) -> None:
    (table,) = micro.run(Options(tmp_path, messages=1))
    assert len([row for row in table.rows if str(row[0]).startswith("IMAP command")]) == len(micro.COMMANDS)
