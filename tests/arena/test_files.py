"""Downloads in parts: what breaks off goes on, and never with another file's bytes."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any

import pytest
from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from django.test import AsyncRequestFactory, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from arena.views.files import PART_BYTES, download

pytestmark = pytest.mark.django_db  # the end of an answer looks whether connections are still good

CONTENT = bytes(range(256)) * 600
DIGEST = hashlib.sha256(CONTENT).hexdigest()
SIZE = len(CONTENT)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "botoak.jsonl.gz"
    path.write_bytes(CONTENT)
    return path


def ask(path: Path, method: str = "GET", **headers: str) -> HttpResponseBase:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = RequestFactory().generic(method, "/", headers=named)
    return download(request, path, name="botoak ñ.gz", kind="application/gzip", sha256=DIGEST)


def content(answer: Any) -> bytes:
    try:
        return answer.getvalue() if isinstance(answer, StreamingHttpResponse) else answer.content
    finally:
        answer.close()


def test_a_whole_file_says_how_it_is_kept_and_saved(path: Path) -> None:
    answer = ask(path)
    assert (answer.status_code, content(answer)) == (200, CONTENT)
    assert answer.headers["ETag"] == f'"{DIGEST}"'
    assert answer.headers["Content-Length"] == str(SIZE)
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Type"] == "application/gzip"
    assert answer.headers["Cache-Control"] == "public, no-cache"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''botoak%20%C3%B1.gz"


def test_what_is_not_public_is_not_kept_by_others(path: Path) -> None:
    request = RequestFactory().get("/")
    answer = download(request, path, name="x", kind="text/plain", sha256=DIGEST, is_public=False)
    answer.close()
    assert answer.headers["Cache-Control"] == "private, no-cache"


@given(st.lists(st.integers(1, SIZE - 1), max_size=6))
def test_parts_make_up_the_file(path: Path, cuts: list[int]) -> None:
    edges = [0, *sorted(set(cuts)), SIZE]
    whole = b""
    for start, stop in itertools.pairwise(edges):
        answer = ask(path, Range=f"bytes={start}-{stop - 1}", If_Range=f'"{DIGEST}"')
        assert answer.status_code == 206
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
        assert answer.headers["Content-Length"] == str(stop - start)
        whole += content(answer)
    assert whole == CONTENT


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1000-", 1000, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
        (f"bytes=5-{SIZE * 2}", 5, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
    ],
)
def test_a_range_is_read_as_the_standard_says(path: Path, asked: str, start: int, stop: int) -> None:
    answer = ask(path, Range=asked)
    assert (answer.status_code, content(answer)) == (206, CONTENT[start:stop])


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_a_range_behind_the_end_is_refused_with_the_size(path: Path, asked: str) -> None:
    answer = ask(path, Range=asked)
    assert (answer.status_code, content(answer)) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "asked", ["bytes=9-5", "bytes=-", "bytes=a-b", "lines=0-5", "bytes=0-1,5-6", "bytes=٣-٤", "", "0-5"]
)
def test_what_is_no_single_range_gets_the_whole_file(path: Path, asked: str) -> None:
    answer = ask(path, Range=asked)
    assert (answer.status_code, content(answer)) == (200, CONTENT)


@pytest.mark.parametrize("held", ['"other"', f'W/"{DIGEST}"', "Thu, 26 Nov 2026 20:30:19 GMT"])
def test_a_range_of_another_file_is_the_whole_of_this_one(path: Path, held: str) -> None:
    answer = ask(path, Range="bytes=10-", If_Range=held)
    assert (answer.status_code, content(answer)) == (200, CONTENT)


def test_who_holds_the_file_is_not_sent_it_again(path: Path) -> None:
    answer = ask(path, If_None_Match=f'"{DIGEST}"', Range="bytes=5-")
    assert (answer.status_code, content(answer)) == (304, b"")
    assert answer.headers["ETag"] == f'"{DIGEST}"'
    assert ask(path, If_Match='"other"').status_code == 412


def test_head_says_all_and_sends_nothing(path: Path) -> None:
    answer = ask(path, "HEAD", Range="bytes=5-9")
    assert (answer.status_code, content(answer)) == (200, b"")
    assert answer.headers["Content-Length"] == str(SIZE)


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "hutsa").touch()
    assert content(ask(tmp_path / "hutsa")) == b""
    assert ask(tmp_path / "hutsa", Range="bytes=0-").status_code == 416
    with pytest.raises(Http404):
        ask(tmp_path / "nowhere")


def test_a_file_that_is_replaced_ends_as_it_began(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(CONTENT)
    other.write_bytes(b"x" * SIZE)
    answer = ask(path)
    other.replace(path)
    assert content(answer) == CONTENT


async def test_under_asgi_a_file_comes_in_pieces_too(path: Path) -> None:
    request = AsyncRequestFactory().get("/", headers={"Range": "bytes=7-"})
    answer = download(request, path, name="x", kind="application/gzip", sha256=DIGEST)
    assert isinstance(answer, StreamingHttpResponse)
    assert answer.is_async
    pieces = [piece async for piece in answer]
    answer.close()
    assert b"".join(pieces) == CONTENT[7:]
    assert max(map(len, pieces)) <= PART_BYTES
