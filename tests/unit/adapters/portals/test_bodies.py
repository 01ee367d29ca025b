"""Decoding in blocks gives what was encoded, whatever the pieces, and knows an early end."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityline.adapters.portals.attempts import Again
from cityline.adapters.portals.bodies import decoded
from cityline.adapters.portals.deadline import Deadline
from cityline.errors import SourceDamaged


class _Pieces(httpx.SyncByteStream):
    def __init__(self, data: bytes, size: int) -> None:
        self._pieces = [data[at : at + size] for at in range(0, len(data), size)]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces


def _decoded(data: bytes, encoding: str, size: int = 1 << 16, cap: int = 10**9) -> bytes:
    headers = {"Content-Encoding": encoding} if encoding else {}
    response = httpx.Response(200, headers=headers, stream=_Pieces(data, size))
    return b"".join(decoded(response, cap, Deadline(10), "here"))


@given(st.lists(st.binary(max_size=3000), max_size=4), st.integers(1, 700))
def test_gzip_round_trip_in_any_pieces_and_members(parts: list[bytes], size: int) -> None:
    packed = b"".join(gzip.compress(p, mtime=0) for p in parts) or gzip.compress(b"")
    assert _decoded(packed, "gzip", size) == b"".join(parts)


@given(st.binary(max_size=2000), st.integers(1, 700))
def test_plain_bodies_pass_through(data: bytes, size: int) -> None:
    assert _decoded(data, "", size) == data
    assert _decoded(data, "identity", size) == data


def test_output_larger_than_a_block_from_little_input() -> None:
    data = b"abc" * 1_000_000
    assert _decoded(gzip.compress(data), "gzip", 50) == data


@given(st.binary(min_size=1, max_size=2000), st.data())
def test_an_early_end_of_gzip_is_noticed(data: bytes, draw: st.DataObject) -> None:
    packed = gzip.compress(data, mtime=0)
    kept = draw.draw(st.integers(1, len(packed) - 1))
    with pytest.raises(Again) as caught:
        _decoded(packed[:kept], "gzip")
    assert isinstance(caught.value.error, SourceDamaged)


def test_rubbish_instead_of_gzip() -> None:
    with pytest.raises(Again, match="decompressed"):
        _decoded(b"plain text", "gzip")


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "deflate"])
def test_an_encoding_nobody_asked_for(encoding: str) -> None:
    with pytest.raises(SourceDamaged, match="not asked for"):
        _decoded(b"x", encoding)


def test_the_cap_counts_decoded_bytes() -> None:
    packed = gzip.compress(b"x" * 1000)
    assert len(_decoded(packed, "gzip", cap=1000)) == 1000
    with pytest.raises(SourceDamaged, match="larger than 999 bytes"):
        _decoded(packed, "gzip", cap=999)


def test_a_dense_body_is_a_bomb_only_when_it_is_large() -> None:
    assert len(_decoded(gzip.compress(b"0" * 9_000_000), "gzip")) == 9_000_000
    with pytest.raises(SourceDamaged, match="compression bomb"):
        _decoded(gzip.compress(b"0" * 12_000_000), "gzip")
