"""Deflating and inflating without I/O: any split, any rest in between, and hostile streams."""

import os
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.kernel.deflate import (
    MAX_PIECE_BYTES,
    PEER_WINDOW_BYTES,
    CompressionError,
    Deflater,
    Inflater,
)

KIB = 1024
LINES = st.lists(st.sampled_from([b"a FETCH 1:* FLAGS\r\n", b"b NOOP\r\n", b"\0\0\xff\xff", b"x" * 700]))
BURSTS = st.lists(st.one_of(LINES.map(b"".join), st.binary(max_size=2000)), max_size=20)


def drain(inflater: Inflater) -> bytes:
    pieces = []
    while piece := inflater.take():
        assert len(piece) <= MAX_PIECE_BYTES
        pieces.append(piece)
    return b"".join(pieces)


@given(bursts=BURSTS, rests=st.lists(st.booleans()))
def test_what_is_deflated_is_one_stream_whether_or_not_it_rests(
    bursts: list[bytes], rests: list[bool]
) -> None:
    deflater, peer = Deflater(), zlib.decompressobj(-15)
    for number, burst in enumerate(bursts):
        assert peer.decompress(deflater.deflate(burst)) == burst
        if rests[number : number + 1] == [True]:
            deflater.rest()


@given(
    bursts=BURSTS,
    level=st.integers(0, 9),
    strategy=st.sampled_from([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE]),
    flush=st.sampled_from([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_BLOCK]),
    size=st.integers(1, 300),
)
def test_what_comes_is_the_same_however_it_is_split_and_wherever_it_rests(
    bursts: list[bytes], level: int, strategy: int, flush: int, size: int
) -> None:
    compressor = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    stream = b"".join(compressor.compress(burst) + compressor.flush(flush) for burst in bursts)
    stream += compressor.flush(zlib.Z_SYNC_FLUSH)
    inflater, got = Inflater(), b""
    for start in range(0, len(stream), size):
        inflater.feed(stream[start : start + size])
        got += drain(inflater)
        inflater.rest()
    assert got == b"".join(bursts)


@given(data=st.binary(max_size=3000), start=st.binary(max_size=100), size=st.integers(1, 500))
def test_hostile_octets_raise_nothing_but_their_own_error(data: bytes, start: bytes, size: int) -> None:
    inflater = Inflater()
    inflater.feed(Deflater().deflate(start))
    assert drain(inflater) == start
    try:
        for position in range(0, len(data), size):
            inflater.feed(data[position : position + size])
            drain(inflater)
            inflater.rest()
    except CompressionError:
        pass


def test_behind_the_end_of_a_stream_nothing_is_taken() -> None:
    compressor = zlib.compressobj(wbits=-15)
    inflater = Inflater()
    inflater.feed(compressor.compress(b"QUIT\r\n") + compressor.flush() + b"more")
    assert inflater.take() == b"QUIT\r\n"
    assert inflater.is_ended
    inflater.rest()
    assert inflater.take() == b""
    inflater.feed(b"more")
    assert inflater.take() == b""
    assert not inflater.has_more


def test_what_is_no_stream_is_refused() -> None:
    inflater = Inflater()
    inflater.feed(b"a LOGOUT\r\n")
    with pytest.raises(CompressionError):
        inflater.take()


def test_a_bomb_is_inflated_in_bounded_pieces() -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = compressor.compress(bytes(50_000 * KIB)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    inflater, octets = Inflater(), 0
    tracemalloc.start()
    try:
        inflater.feed(bomb)
        while piece := inflater.take():
            octets += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert octets == 50_000 * KIB
    assert peak < 1000 * KIB


def test_at_rest_nearly_nothing_is_kept() -> None:
    compressor = zlib.compressobj(wbits=-15)
    stream = compressor.compress(b"a FETCH 1:* (UID FLAGS)\r\n" * 100)
    stream += compressor.flush(zlib.Z_SYNC_FLUSH)
    tracemalloc.start()
    try:
        ends = [(Deflater(), Inflater()) for _ in range(100)]
        for deflater, inflater in ends:
            deflater.deflate(b"* 1 EXISTS\r\n")
            inflater.feed(stream)
            drain(inflater)
        busy, _ = tracemalloc.get_traced_memory()
        for deflater, inflater in ends:
            deflater.rest()
            inflater.rest()
        idle, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert busy / len(ends) < 128 * KIB
    assert idle / len(ends) < KIB


def test_what_the_peer_refers_back_to_survives_a_rest() -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    block = os.urandom(PEER_WINDOW_BYTES // 2)
    inflater = Inflater()
    for _ in range(4):
        sent = compressor.compress(block) + compressor.flush(zlib.Z_SYNC_FLUSH)
        inflater.feed(sent)
        assert drain(inflater) == block
        inflater.rest()
    assert len(sent) < KIB


def test_random_octets_grow_by_little() -> None:
    data = os.urandom(256 * KIB)
    deflater = Deflater()
    sent = b"".join(
        deflater.deflate(data[start : start + 32 * KIB]) for start in range(0, len(data), 32 * KIB)
    )
    assert len(sent) < len(data) * 1.01
