"""Run the benchmarks: `python -m benchmarks [--only NAME] …`; without arguments all of them, in short."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks import growth, imap_load, memory, micro, news, peers, smtp_load, start
from benchmarks.options import Options
from benchmarks.peers_setup import PeersMissingError
from benchmarks.report import Table, print_table, write_json

BENCHMARKS: Final[dict[str, Callable[[Options], Iterator[Table]]]] = {
    "micro": micro.run,
    "start": start.run,
    "memory": memory.run,
    "smtp": smtp_load.run,
    "imap": imap_load.run,
    "growth": growth.run,
    "news": news.run,
    "peers": peers.run,
    "peers-reading": peers.run_reading,
}
SHORT_MESSAGES: Final = {"smtp": 1_000, "imap": 5_000, "growth": 6_000, "news": 50}
"""What a run of everything sends, to be done in three minutes; one benchmark by name uses its full number."""
SHORT_CONNECTIONS: Final = 1_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    names = chosen.only or [
        name for name in BENCHMARKS if not name.startswith("peers") or (name == "peers" and chosen.peers)
    ]
    tables: list[Table] = []
    status = 0
    with tempfile.TemporaryDirectory(prefix="freehold-bench-") as folder:
        options = Options(
            folder=Path(folder),
            messages=chosen.messages,
            connections=chosen.connections,
            workers=chosen.workers,
            database=chosen.database,
            peers=chosen.peers,
            rounds=chosen.rounds,
        )
        for name in names:
            one = options if chosen.only or chosen.messages else _short(options, name)
            try:
                for table in BENCHMARKS[name](one):
                    print_table(table)
                    tables.append(table)
            except PeersMissingError as error:
                print(f"\n{name}: {error}", file=sys.stderr)
                status = 1
    if chosen.json is not None:
        write_json(chosen.json, tables)
    return status


def _short(options: Options, name: str) -> Options:
    connections = options.connections or SHORT_CONNECTIONS
    return replace(options, messages=SHORT_MESSAGES.get(name), connections=connections)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Freehold.")
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), help="this one; may be repeated")
    parser.add_argument("--messages", type=_positive, help="how many to send, to store or to parse")
    parser.add_argument("--connections", type=_positive, help="idle connections whose memory is measured")
    parser.add_argument("--workers", type=int, default=2, help="front processes of the server (2)")
    parser.add_argument("--database", default="", help="postgresql:// server on which to make databases")
    parser.add_argument("--json", type=Path, help="write the tables to this file too")
    parser.add_argument("--peers", type=Path, help="folder of the comparison with Postfix and Dovecot")
    parser.add_argument("--rounds", type=_positive, default=1, help="rounds of the comparison (1)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
