"""Messages such as people get: a full header, two parts, words that searches find."""

import random
from typing import Final

TEXT: Final = (
    "invoice meeting project quarter delivery server mailbox report update please attached regards tomorrow"
    " customer budget release network storage harbour and for with from have this will your about"
)
WORDS: Final = TEXT.split()
WORDS_IN_LINE: Final = 10


def make_message(number: int, size_bytes: int) -> bytes:
    """Return the message of that number: always the same octets, about `size_bytes` of them."""
    dice = random.Random(number)
    subject = f"Re: {dice.choice(WORDS)} {dice.choice(WORDS)} number {number}"
    head = f"""\
Return-Path: <sender{number % 97}@example.test>
Received: from mx{number % 7}.example.test (mx.example.test [192.0.2.{number % 250}])
\tby mx.bench.test with ESMTPS id X{number:08x};
\tMon, 02 Nov 2026 10:{number // 60 % 60:02d}:{number % 60:02d} +0000
From: "Sender Number {number % 97}" <sender{number % 97}@example.test>
To: "Bench User" <user1@bench.test>, other{number % 13}@bench.test
Cc: team{number % 5}@example.test
Subject: {subject}
Date: Mon, 02 Nov 2026 10:{number // 60 % 60:02d}:{number % 60:02d} +0000
Message-ID: <bench.{number}@example.test>
In-Reply-To: <bench.{number - 1}@example.test>
References: <bench.{number - 2}@example.test> <bench.{number - 1}@example.test>
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="b{number}"

--b{number}
Content-Type: text/plain; charset=utf-8

"""
    end = f"""
--b{number}
Content-Type: text/html; charset=utf-8

<p>{dice.choice(WORDS)}</p>
--b{number}--
"""
    room = max(size_bytes - len(head) - len(end) - head.count("\n") - end.count("\n"), 0)
    lines, used = list[str](), 0
    while used < room:
        line = " ".join(dice.choices(WORDS, k=WORDS_IN_LINE))[: max(room - used - 2, 0)]
        lines.append(line)
        used += len(line) + 2
    return (head + "\n".join(lines) + end).replace("\n", "\r\n").encode()
