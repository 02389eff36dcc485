"""A source as a folder of tokens, made once for the same content, tokenizer, template and code."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from training.data.encoding import Chunk, chunks, encode_all
from training.data.hashes import Content, contents
from training.data.rows import inputs
from training.data.shards import DESCRIPTION, SCHEMA, Writer, description, locked, open_store, write_json
from training.data.store import Kind, Store
from training.data.tokenise import Encoder
from training.errors import BadData
from training.template import TWIN, VERSION

SHARD_TOKENS = 1 << 26
_ALONE = 8 << 20  # bytes; less is tokenised sooner than other processes have started
_EVERY_S = {True: 0.5, False: 15.0}  # a log file wants fewer lines than a terminal


@dataclass(frozen=True, slots=True)
class Tokenised:
    """A source's tokens.

    Parameters
    ----------
    store
        To read.
    about
        What ``store.json`` says: key, kind, template, tokenizer, inputs, segments, tokens, learnt tokens, bad rows.
    was_made
        Whether it was made now.
    """

    store: Store
    about: dict[str, Any]
    was_made: bool


def usable_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be tokenised."""

    name: str
    kind: Kind
    files: list[Path]
    found: list[Content]
    encoder: Encoder


def tokenised(
    name: str,
    path: Path,
    kind: Kind,
    encoder: Encoder,
    *,
    folder: Path,
    processes: int | None = None,
    shard_tokens: int = SHARD_TOKENS,
) -> Tokenised:
    """The tokens of a file or of a folder of shards.

    Made where they are not there yet; a second caller waits and then finds them; one that was killed is gone on with after its last whole shard.

    Parameters
    ----------
    name
        For people: the source's name in the recipe.
    path
        JSON lines, plain, gzip or zstd, or Parquet; documents with ``text``, chats with ``conversations``.
    folder
        Of tokens; each source gets a folder of its own in it.
    processes
        That tokenise side by side; as many as there are processors if left out.
    shard_tokens
        What is lost at most when a run is killed.

    Raises
    ------
    BadData
        Where the source cannot be read, or has no row that can be used.
    RunFailed
        Where a process was killed.
    """
    files = inputs([path])
    processes = processes or usable_processors()
    found = contents(files, folder / "contents.json", threads=processes)
    own = folder / f"{kind}-{key_of(kind, encoder, found)}"
    with locked(own.with_name(f"{own.name}.lock")):
        was_made = not description(own)
        if was_made:
            processes = 1 if sum(each.size for each in found) < _ALONE else processes
            writer = Writer(own, kind, encoder.vocabulary, shard_tokens=shard_tokens)
            _make(_Work(name, kind, files, found, encoder), own, writer, processes)
    return Tokenised(open_store(own), description(own), was_made)


def key_of(kind: Kind, encoder: Encoder, found: Iterable[Content]) -> str:
    """Sixteen hex digits that stand for all that decides the tokens."""
    decides = {
        "schema": SCHEMA,
        "kind": kind,
        "tokenizer": encoder.sha256,
        "template": hashlib.sha256(TWIN.read_bytes()).hexdigest() if kind == "chats" else None,
        "contents": [each.sha256 for each in found],
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def _make(work: _Work, own: Path, writer: Writer, processes: int) -> None:
    began = time.perf_counter()
    read = _shown(chunks(work.files, writer.position), work, writer)
    try:
        for encoded in encode_all(work.encoder, work.kind, read, processes=processes):
            writer.add(encoded)
        writer.finish()
    finally:
        writer.abandon()
    if not writer.counts["segments"]:
        reasons = writer.bad.report()["reasons"]
        raise BadData(f"{work.name}: no row of {work.files[0].parent} can be used: {reasons}")
    seconds = round(time.perf_counter() - began, 1)
    write_json(own / DESCRIPTION, _about(work, own, writer) | {"seconds": seconds})


def _about(work: _Work, own: Path, writer: Writer) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "key": own.name,
        "kind": work.kind,
        "template": VERSION if work.kind == "chats" else None,
        "tokenizer": work.encoder.sha256,
        "vocabulary": work.encoder.vocabulary,
        "inputs": [
            {"file": str(path), "bytes": each.size, "sha256": each.sha256}
            for path, each in zip(work.files, work.found, strict=True)
        ],
        "shards": writer.shards,
        **writer.counts,
        "bad": writer.bad.report(),
    }


def _shown(read: Iterator[Chunk], work: _Work, writer: Writer) -> Iterator[Chunk]:
    """Chunks as they are read, with a progress bar on standard error."""
    lines = [each.lines for each in work.found]
    with tqdm(
        desc=work.name,
        total=None if None in lines else sum(each or 0 for each in lines),
        initial=writer.counts["segments"] + writer.bad.counts.total(),
        unit="row",
        unit_scale=True,
        file=sys.stderr,
        mininterval=_EVERY_S[sys.stderr.isatty()],
        dynamic_ncols=True,
    ) as bar:
        for chunk in read:
            rows = len(chunk.rows) + chunk.bad.counts.total()  # before rows that were read turn out bad
            yield chunk
            bar.update(rows)
            bar.set_postfix(tokens=writer.counts["tokens"], bad=writer.bad.counts.total(), refresh=False)
