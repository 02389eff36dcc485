"""What each filter took: documents, lines, characters, bytes, and the first examples, one a document."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

EXAMPLES = 5
_SHOWN = 120


class Filter(StrEnum):
    """The filters in the order in which they work."""

    DAMAGED_LINES = "damaged_lines"
    SYMBOL_LINES = "symbol_lines"
    NOTICES = "notices"
    MENUS = "menus"
    FOREIGN_DOCUMENTS = "foreign_documents"
    FOREIGN_LINES = "foreign_lines"
    SHORT = "short"
    SYMBOLS = "symbols"
    REPETITIVE = "repetitive"
    CONTAMINATED = "contaminated"
    EQUAL = "equal"
    REPEATED_LINES = "repeated_lines"
    NEAR = "near"
    SPACES = "spaces"


@dataclass(slots=True)
class Amount:
    """Documents, lines that are not empty, characters and bytes of UTF-8; a line counts with its line break."""

    documents: int = 0
    lines: int = 0
    characters: int = 0
    bytes: int = 0

    def add(self, text: str, *, documents: int = 1) -> None:
        """Count a text of one or more lines."""
        self.documents += documents
        if text:
            self.lines += len(list(filter(None, text.split("\n"))))
            self.characters += len(text) + 1
            self.bytes += len(text.encode("utf-8", "surrogatepass")) + 1

    def merge(self, other: Amount) -> None:
        self.documents += other.documents
        self.lines += other.lines
        self.characters += other.characters
        self.bytes += other.bytes


@dataclass(slots=True)
class Taken:
    """What one filter took."""

    amount: Amount = field(default_factory=Amount)
    examples: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """What came in, what each filter took, what goes out. Tallies of parts in order add up to that of the whole."""

    read: Amount = field(default_factory=Amount)
    normalised: Amount = field(default_factory=Amount)
    kept: Amount = field(default_factory=Amount)
    mended: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)
    taken: dict[str, Taken] = field(default_factory=dict)

    def take(self, name: Filter, place: str, text: str, *, documents: int = 1, of: str = "") -> None:
        """A filter takes a document, or with ``documents=0`` lines of one; *of* says what it is like, where it is like another."""
        taken = self.taken.setdefault(name, Taken())
        taken.amount.add(text, documents=documents)
        if len(taken.examples) < EXAMPLES and (not taken.examples or taken.examples[-1]["place"] != place):
            example = {"place": place, "text": shown(text)}
            taken.examples.append(example | {"of": of} if of else example)

    def take_spaces(self, breaks: int) -> None:
        """Line breaks go with the lines around them."""
        if breaks:
            amount = self.taken.setdefault(Filter.SPACES, Taken()).amount
            amount.characters += breaks
            amount.bytes += breaks

    def wants_example(self, name: Filter) -> bool:
        """Whether the next to be taken will be shown."""
        taken = self.taken.get(name)
        return taken is None or len(taken.examples) < EXAMPLES

    def merge(self, other: Tally) -> None:
        """Add the tally of the part that comes next."""
        self.read.merge(other.read)
        self.normalised.merge(other.normalised)
        self.kept.merge(other.kept)
        for mine, more in ((self.mended, other.mended), (self.languages, other.languages)):
            for name, count in more.items():
                mine[name] = mine.get(name, 0) + count
        for name, theirs in other.taken.items():
            taken = self.taken.setdefault(name, Taken())
            taken.amount.merge(theirs.amount)
            taken.examples.extend(theirs.examples[: EXAMPLES - len(taken.examples)])

    def report(self) -> dict[str, Any]:
        """Plain data, filters in their order."""
        return {
            "read": asdict(self.read),
            "mended_documents": dict(sorted(self.mended.items())),
            "normalised": asdict(self.normalised),
            "languages": dict(sorted(self.languages.items())),
            "filters": {
                name.value: asdict(self.taken[name].amount) | {"examples": self.taken[name].examples}
                for name in Filter
                if name in self.taken
            },
            "kept": asdict(self.kept),
        }

    @classmethod
    def of_report(cls, report: dict[str, Any]) -> Tally:
        """What :meth:`report` gave, to go on counting."""
        taken = {
            name: Taken(
                Amount(**{key: value for key, value in each.items() if key != "examples"}), each["examples"]
            )
            for name, each in report["filters"].items()
        }
        return cls(
            Amount(**report["read"]),
            Amount(**report["normalised"]),
            Amount(**report["kept"]),
            dict(report["mended_documents"]),
            dict(report["languages"]),
            taken,
        )


def shown(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text[: 2 * _SHOWN].split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
