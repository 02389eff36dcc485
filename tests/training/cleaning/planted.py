"""Rows of which it is known what is wrong with them."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from training.data.corpus import PROSE
from training.data.rows import BadRows, Fields, line, open_to_write, read_rows

FOREIGN = (
    "The council met again on Thursday evening to discuss the budget for the coming year.",
    "Nobody was able to tell the visitors when the museum would open its doors again.",
    "She had been waiting for the train for more than two hours before it arrived.",
    "El ayuntamiento ha anunciado que las obras de la plaza comenzarán en primavera.",
    "Los vecinos se reunieron ayer por la tarde para hablar de la nueva biblioteca.",
    "Nadie sabe todavía cuándo volverán a abrir la carretera que lleva a la costa.",
    "Les habitants du village se sont réunis hier soir pour parler de leur école.",
    "Personne ne savait encore quand le musée allait rouvrir ses portes au public.",
    "Le train est arrivé avec plus de deux heures de retard à cause de la neige.",
)


def sentences() -> list[str]:
    """Those of the project's Basque prose."""
    text = " ".join(PROSE.read_text().split())
    return [each.strip() + "." for each in text.split(". ") if len(each.split()) >= 5]


def composed(rng: random.Random, pool: list[str], paragraphs: int = 3) -> str:
    """A clean Basque document of about 60 words, a line a paragraph; never two alike."""
    chosen = rng.sample(pool, 3 * paragraphs)
    return "\n".join(" ".join(chosen[at : at + 3]) for at in range(0, len(chosen), 3))


@dataclass
class Planted:
    """Rows, and the numbers of those of each kind, counted from 1."""

    rows: list[Fields] = field(default_factory=list)
    kinds: dict[str, list[int]] = field(default_factory=dict)
    evaluation: list[Fields] = field(default_factory=list)

    def add(self, kind: str, text: str) -> None:
        self.rows.append({"text": text})
        self.kinds.setdefault(kind, []).append(len(self.rows))

    def write(self, path: Path) -> Path:
        with open_to_write(path) as file:
            file.writelines(map(line, self.rows))
        return path


def changed(rng: random.Random, text: str, share: float) -> str:
    """The text with that share of its words replaced."""
    lines = [each.split(" ") for each in text.split("\n")]
    places = [(at, word) for at, each in enumerate(lines) for word in range(len(each))]
    for at, word in rng.sample(places, max(1, round(share * len(places)))):
        lines[at][word] = rng.choice(("berriz", "agian", "orduan", "batzuetan", "noizbait", "bestela"))
    return "\n".join(map(" ".join, lines))


def planted(n: int = 40, seed: int = 1) -> Planted:
    """*n* rows of each kind of fault, twice as many clean ones, in a random order but for copies, which come after."""
    rng = random.Random(seed)
    pool = sentences()
    rng.shuffle(pool)
    held, pool = pool[:30], pool[30:]
    found = Planted(
        evaluation=[{"question": " ".join(held[at : at + 3]), "id": at} for at in range(0, 30, 3)]
    )

    def contaminated() -> str:
        words = rng.choice(found.evaluation)["question"].split(" ")
        start = rng.randrange(max(1, len(words) - 16))
        run = " ".join(words[start : start + 16])
        return f"{composed(rng, pool, 2)}\n{rng.choice(pool)} {run}"

    def with_foreign_line() -> str:
        lines = composed(rng, pool).split("\n")
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(FOREIGN))
        return "\n".join(lines)

    made: dict[str, Callable[[], str]] = {
        "clean": lambda: composed(rng, pool),
        "contaminated": contaminated,
        "foreign line": with_foreign_line,
        "foreign": lambda: "\n".join(rng.sample(FOREIGN, 4)),
    }
    for kind in rng.sample([*sorted(made), "clean"], len(made) + 1, counts=None) * n:
        found.add(kind, made[kind]())
    originals = [found.rows[row - 1]["text"] for row in found.kinds["clean"]]
    for text in rng.sample(originals, n):
        found.add("copy", unicodedata.normalize("NFD", text).replace(" ", "  ", 3) + "\n\n")
    for text in rng.sample(originals, n):
        found.add("near copy", changed(rng, text, 0.05))
    return found


def kept(folder: Path) -> dict[int, str]:
    """The rows that a cleaning of one file left, with their texts."""
    rows = [fields for each in sorted(folder.glob("corpus-*")) for _, fields in read_rows(each, BadRows())]
    return {fields["row"]: fields["text"] for fields in rows}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a finished cleaning that the same inputs must give again."""
    assert {path.name for path in folder.iterdir()} >= {"report.json", "request.json"}
    names = [path for path in sorted(folder.iterdir()) if path.name not in {".lock", "request.json"}]
    return {path.name: path.read_bytes() for path in names}


def report(folder: Path) -> Fields:
    return dict(json.loads((folder / "report.json").read_text()))
