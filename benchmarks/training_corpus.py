"""``python -m benchmarks.training_corpus [GIGABYTES]``: how fast ``data corpus`` cleans, and what it needs.

Text is synthetic: sentences of the project's Basque corpus, in part with other endings, so that words are many and lines repeat as little as they do on the
web; with foreign lines, menus, notices, damage, equal and nearly equal documents among them, of which it is known where they stand.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.data.corpus import documents
from training.data.rows import line, open_to_write

_ENDINGS = (
    "a",
    "ak",
    "aren",
    "arekin",
    "ari",
    "etan",
    "etatik",
    "entzat",
    "rako",
    "tik",
    "z",
    "ko",
    "ra",
    "garri",
    "tasun",
)
_FOREIGN = (
    "The committee met again on Thursday to discuss the budget for the coming year, and no decision was taken.",
    "El ayuntamiento ha anunciado que las obras de la plaza comenzarán a principios del próximo mes de marzo.",
    "Les habitants du village se sont réunis hier soir pour parler de la nouvelle école et de son jardin.",
)
_NOTICE = "Webgune honek cookieak erabiltzen ditu zure nabigazio-esperientzia hobetzeko. Onartu guztiak."
_MENU = "Hasiera\nAlbisteak\nKirola\nKultura\nIritzia\nKontaktua\nHarpidetza"
_DOCUMENT_SENTENCES = 30
_MB = 1_000_000


def texts(size: int, seed: int = 33) -> Iterator[str]:
    """Documents of about 2.5 kB each, *size* bytes in all; the same for the same seed."""
    rng = random.Random(seed)
    sentences = [each for document in documents() for each in document.split(". ") if len(each) > 40]
    recent: list[str] = []
    while size > 0:
        kind = rng.random()
        if recent and kind < 0.05:
            text = rng.choice(recent)
        elif recent and kind < 0.10:
            words = rng.choice(recent).split(" ")
            words[rng.randrange(len(words))] = "aldatuta"
            text = " ".join(words)
        else:
            text = _text(rng, sentences)
            recent = [*recent[-200:], text]
        yield text
        size -= len(text.encode())


def _text(rng: random.Random, sentences: list[str]) -> str:
    lines: list[str] = []
    for _ in range(rng.randrange(3, 10)):
        chosen = rng.choices(sentences, k=rng.randrange(2, 7))
        lines.append(". ".join(_varied(rng, each) for each in chosen) + ".")
    extra = rng.random()
    if extra < 0.1:
        lines.insert(rng.randrange(len(lines)), rng.choice(_FOREIGN))
    elif extra < 0.2:
        lines.append(_NOTICE)
    elif extra < 0.25:
        lines.insert(0, _MENU)
    elif extra < 0.28:
        lines = [rng.choice(_FOREIGN) for _ in lines]
    return "\n".join(lines)


def _varied(rng: random.Random, sentence: str) -> str:
    """A sentence with other endings in a third of its words."""
    return " ".join(
        word + rng.choice(_ENDINGS) if rng.random() < 0.35 and word.isalpha() else word
        for word in sentence.split(" ")
    )


def write(path: Path, size: int) -> int:
    """JSON lines of *size* bytes of text; returns how many rows."""
    rows = 0
    with open_to_write(path) as file:
        for text in texts(size):
            file.write(line({"text": text}))
            rows += 1
    return rows


def rows(size: int, *, processes: int = 1) -> list[dict[str, Any]]:
    """What ``python -m benchmarks.training`` shows of cleaning: one row for *size* bytes of synthetic text.

    ``peak_mb`` is the most that the process held (VmHWM), and with several the most that all together had resident, shared pages counted by share (Pss).
    ``mb_per_core_s`` divides by the CPU time of all.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source, output = Path(scratch, "text.jsonl"), Path(scratch, "clean")
        documents_written = write(source, size)
        started, cpu_s = time.perf_counter(), _cpu_s()
        peak_mb = _clean(source, output, processes)
        seconds, cpu_s = time.perf_counter() - started, _cpu_s() - cpu_s
        report = json.loads((output / "report.json").read_text())
    mb = report["read"]["bytes"] / _MB
    return [
        {
            "case": f"corpus of {mb:.0f} MB in {documents_written} documents, {processes} process(es)",
            "who": "lehia",
            "seconds": round(seconds, 1),
            "mb_per_s": round(mb / seconds, 2),
            "mb_per_core_s": round(mb / cpu_s, 2),
            "peak_mb": round(peak_mb),
            "kept_share": round(report["kept"]["bytes"] / report["read"]["bytes"], 3),
        }
    ]


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _clean(source: Path, output: Path, processes: int) -> float:
    """Run the command in a process of its own; returns the most memory, in MB of 10**6 bytes."""
    command = [sys.executable, "-m", "training", "data", "corpus", str(source), "--output", str(output)]
    peak = 0
    with subprocess.Popen(
        [*command, "--processes", str(processes)],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as child:
        while child.poll() is None:
            peak = max(peak, _held_kb(child.pid, processes))
            time.sleep(0.05)  # memory tells nobody when it grows: it is looked at
    if child.returncode:
        raise SystemExit(f"the command ended with status {child.returncode}")
    return peak * 1024 / _MB


def _held_kb(pid: int, processes: int) -> int:
    try:
        if processes == 1:
            return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0])
        everyone = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
        rolled = [Path(f"/proc/{each}/smaps_rollup").read_text() for each in everyone]
    except (OSError, IndexError):  # it ended meanwhile
        return 0
    return sum(int(each.partition("\nPss:")[2].split()[0]) for each in rolled)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_corpus")
    parser.add_argument("gigabytes", nargs="?", type=float, default=0.1)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    found = rows(int(options.gigabytes * 1000 * _MB), processes=options.processes)
    for row in found:
        print(f"{row['case']}: " + ", ".join(f"{name} {value}" for name, value in list(row.items())[2:]))
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(json.dumps({"bench": "training_corpus", "machine": machine, "rows": found}))


if __name__ == "__main__":
    main()
