"""Rows before training: how full best fit packs them, how long a plan takes, how fast text becomes tokens, on one thread.

Lengths are log-normal, as those of web documents and chats are. Seconds are of processor time, so that a busy machine does not slow them down.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

GOAL_FILL = 0.97
_CASES = (
    # what, median tokens, spread, tokens a row, whether what is longer is cut
    ("documents, 8,192 a row", 500, 1.1, 8192, True),
    ("documents, 2,048 a row", 500, 1.1, 2048, True),
    ("chats, 8,192 a row", 600, 0.8, 8192, False),
    ("chats, 2,048 a row", 600, 0.8, 2048, False),
    ("short chats, 256 a row", 100, 0.5, 256, False),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--segments", type=int, default=10**6, help="to pack, a million if left out")
    parser.add_argument("--megabytes", type=int, default=8, help="of text to tokenise, 8 if left out")


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    packed = [_packed(options.segments, case) for case in _CASES]
    return [*packed, _read(), *_tokenised(options.megabytes << 20)]


def _packed(count: int, of: tuple[str, int, float, int, bool]) -> dict[str, Any]:
    case, median, spread, row_tokens, is_cut = of
    from training.data.pack import plan

    drawn = np.random.default_rng(0).lognormal(np.log(median), spread, count)
    lengths = np.clip(drawn, 3, 20 * row_tokens if is_cut else row_tokens).astype(np.int32)
    made, seconds = _timed(lambda: plan(np.arange(count), lengths, row_tokens=row_tokens, seed=(0,)))
    fill = made.fill(row_tokens)
    return {
        "case": f"pack {case}",
        "who": "lehia",
        "segments": count,
        "fill": round(fill, 4),
        "processor_s": round(seconds, 2),
        "reached": fill >= GOAL_FILL,
    }


def _read() -> dict[str, Any]:
    """Rows as the trainer reads and collates them."""
    from training.collator import PackedCollator
    from training.data.row_set import Part, RowSet
    from training.data.store import Shard, Store

    lengths = np.random.default_rng(0).lognormal(np.log(600), 0.8, 5000).clip(3, 8192).astype(np.int64)
    ends = np.cumsum(lengths)
    shard = Shard(np.zeros(int(ends[-1]), np.uint32), ends, np.stack([ends - lengths // 2, ends], axis=1))
    part = Part("chats", "eu", Store("chats", [shard]), None)
    rows = RowSet([part], weights=None, row_tokens=8192, pad_id=0, seed=0)
    count, collate = 200, PackedCollator()
    collate([rows[0]])  # torch is loaded
    _, seconds = _timed(lambda: [collate([rows[index]]) for index in range(count)])
    return {
        "case": "read and collate, 8,192 a row",
        "who": "lehia",
        "milliseconds_a_row": round(1000 * seconds / count, 2),
    }


def _tokenised(size: int) -> list[dict[str, Any]]:
    from training.data import corpus, mix
    from training.data.encoding import Position, chunks, encode
    from training.data.rows import line
    from training.data.store import Kind
    from training.data.tokenise import Encoder
    from training.tokenizer import train_tokenizer

    encoder = Encoder.of(train_tokenizer(mix.tokenizer_texts(), vocabulary=1536))
    words, rng = " ".join(corpus.documents()).split(), random.Random(0)
    found = []
    kinds: tuple[Kind, ...] = ("documents", "chats")
    with tempfile.TemporaryDirectory() as folder:
        for kind in kinds:
            path = Path(folder) / f"{kind}.jsonl"
            with path.open("wb") as file:
                while file.tell() < max(size, 1 << 12):
                    file.write(line(_row(kind, words, rng)))
            tokens, seconds = _timed(
                lambda: sum(len(encode(encoder, kind, each).shard.ids) for each in chunks([path], Position()))  # noqa: B023  # called at once
            )
            found.append(
                {
                    "case": f"tokenise {kind}",
                    "who": "lehia",
                    "megabytes_a_processor_s": round(path.stat().st_size / 2**20 / seconds, 2),
                    "tokens_a_processor_s": round(tokens / seconds),
                }
            )
    return found


def _row(kind: str, words: list[str], rng: random.Random) -> dict[str, Any]:
    def text(median: int) -> str:
        return " ".join(rng.choices(words, k=max(3, int(rng.lognormvariate(np.log(median), 0.8)))))

    if kind == "documents":
        return {"text": text(300)}
    asked, answered = {"role": "user", "content": text(25)}, {"role": "assistant", "content": text(150)}
    return {"conversations": [asked, answered]}


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    return work(), time.process_time() - began
