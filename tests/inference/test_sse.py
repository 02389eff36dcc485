from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import MalformedStream
from inference.sse import EventParser

LINES = st.sampled_from(
    [
        b"data: kaixo",
        b"data:mundua",
        b"data: \xc3\xb1",
        b": comment",
        b"",
        b"event: x",
        b"data",
        b"id: 7",
        b"data: ",
    ]
)
STREAMS = st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r\n", b"\r"])), max_size=20).map(
    lambda parts: b"".join(line + end for line, end in parts)
)


def parse(chunks: list[bytes]) -> list[bytes]:
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@given(STREAMS, st.lists(st.integers(0, 200), max_size=12))
def test_any_chunking_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    # a last CR is held back until it is known whether an LF follows
    stream += b"\n\n"
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[a:b] for a, b in pairwise(places)]
    assert parse(chunks) == parse([stream])


def test_comments_and_other_fields_are_left_out() -> None:
    assert parse([b": ping\n\nevent: x\nid: 1\n\ndata: a\n\n"]) == [b"a"]


def test_several_data_lines_are_one_event() -> None:
    assert parse([b"data: a\ndata: b\n\n"]) == [b"a\nb"]


def test_a_character_split_over_chunks_arrives_whole() -> None:
    assert parse([b"data: \xc3", b"\xb1\n\n"]) == ["ñ".encode()]


def test_an_unfinished_event_is_not_given_out() -> None:
    assert parse([b"data: a\n"]) == []


def test_an_endless_line_is_refused() -> None:
    with pytest.raises(MalformedStream):
        parse([b"x" * ((1 << 20) + 1)])
