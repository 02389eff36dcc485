"""Memory by batches, not by the input; a gigabyte is for ``python -m benchmarks.training_corpus 1``."""

from __future__ import annotations

import random
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.training.cleaning.planted import changed, composed, sentences
from training.data.cleaning import groups
from training.data.cleaning.options import options
from training.data.cleaning.run import clean_corpus
from training.data.rows import line, open_to_write


def written(path: Path, rows: int) -> Path:
    """Rows of which one in ten is equal to an earlier one, and one in ten nearly so."""
    rng, pool = random.Random(11), sentences()
    recent = [composed(rng, pool) for _ in range(20)]
    with open_to_write(path) as file:
        for at in range(rows):
            text = composed(rng, pool)
            if at % 10 == 0:
                text = rng.choice(recent)
            elif at % 10 == 1:
                text = changed(rng, rng.choice(recent), 0.03)
            file.write(line({"text": f"{text}\nOrrialdearen oina da hau, leku guztietan."}))
    return path


def peak(source: Path, folder: Path) -> int:
    """The most bytes that Python and numpy held at a time."""
    tracemalloc.start()
    try:
        clean_corpus([source], folder, options(batch_characters=20_000))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def peaks(folder: Path) -> tuple[int, int]:
    """The peaks of 80 rows and of 320, once a first run has loaded what any run loads."""
    groups.ranges.__defaults__ = (2_000,)
    few, many = (written(folder / f"{rows}.jsonl.zst", rows) for rows in (80, 320))
    peak(few, folder / "first")
    return peak(few, folder / "few"), peak(many, folder / "many")


def test_four_times_the_text_needs_no_more_memory(tmp_path: Path) -> None:
    """In a process of its own: threads that other tests left would be counted too."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        few, many = process.submit(peaks, tmp_path).result()
    assert many < 1.3 * few
