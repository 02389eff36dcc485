"""The first pass, batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.cleaning.planted import FOREIGN, sentences
from training.data.cleaning import clean as module
from training.data.cleaning import contamination
from training.data.cleaning.clean import Batch, Cleaner
from training.data.cleaning.grams import WordHashes, words
from training.data.cleaning.groups import decode_keys
from training.data.cleaning.near import MINIMA, Sketcher
from training.data.cleaning.options import options
from training.data.cleaning.work import Document, Work
from training.data.rows import line

Clean = Callable[..., tuple[list[str], dict[str, Any]]]
BASQUE = sentences()[:12]


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path, ("a.jsonl",))


@pytest.fixture
def clean(work: Work) -> Clean:
    """Clean texts as one batch; returns what is left and the tally's filters."""

    def run(*texts: str, **values: object) -> tuple[list[str], dict[str, Any]]:
        documents: list[Document] = [((0, row), text, {}) for row, text in enumerate(texts, start=1)]
        record = Cleaner(work, options(**values))(Batch(0, documents, {"rows": 0, "reasons": {}}, (0, 0)))
        assert work.done("clean", 0) == record
        left = [text for _, text, _ in work.documents("clean", 0)]
        assert record["documents"] == len(left)
        return left, record["tally"]["filters"]

    return run


def taken(filters: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {name: (each["documents"], each["lines"]) for name, each in filters.items()}


def test_a_clean_document_passes_unchanged(clean: Clean) -> None:
    text = "\n".join(BASQUE[:3]) + "\n\n" + BASQUE[3]
    assert clean(text) == ([text], {})


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_foreign_line_goes_wherever_it_stands(clean: Clean, foreign: str, at: int) -> None:
    lines = BASQUE[:3]
    left, filters = clean("\n".join([*lines[:at], foreign, *lines[at:]]))
    assert left == ["\n".join(lines)]
    assert taken(filters) == {"foreign_lines": (0, 1)}
    assert filters["foreign_lines"]["examples"] == [{"place": "a.jsonl:1", "text": foreign}]


def test_the_larger_part_of_the_letters_decides_for_a_document(clean: Clean) -> None:
    left, filters = clean("\n".join([*BASQUE[:2], *FOREIGN[:6]]), "\n".join([*BASQUE[:8], *FOREIGN[:3]]))
    assert left == ["\n".join(BASQUE[:8])]
    assert taken(filters) == {"foreign_documents": (1, 8), "foreign_lines": (0, 3)}


def test_other_languages_can_be_kept(clean: Clean) -> None:
    english, spanish = "\n".join(FOREIGN[:3]), "\n".join(FOREIGN[3:6])
    left, filters = clean(english, spanish, "\n".join(BASQUE), languages=("en", "es"))
    assert left == [english, spanish]
    assert taken(filters) == {"foreign_documents": (1, len(BASQUE))}


def test_lines_too_short_to_tell_are_looked_at_together(clean: Clean) -> None:
    basque = "Gaur euria da\nBihar ez\nEtzi ere ez\nAgian larunbatean\nEdo igandean\nNork daki hori"
    english = (
        "It rains today\nNot tomorrow\nNor after that\nMaybe Saturday\nOr on Sunday then\nWho knows that"
    )
    left, filters = clean(basque, english, menu_lines=20)
    assert left == [basque]
    assert taken(filters) == {"foreign_documents": (1, 6)}


def test_a_doubtful_line_stays(clean: Clean) -> None:
    text = "\n".join([*BASQUE[:3], "Jose Antonio Agirre, Manuel Irujo, Telesforo Monzon"])
    assert clean(text, language_confidence=0.9999)[0] == [text]


def test_of_a_document_of_boilerplate_nothing_is_left(clean: Clean) -> None:
    text = "Hasiera | Albisteak | Kirola | Kontaktua\n© 2024 Udala\n12 34 56"
    left, filters = clean(text)
    assert left == []
    assert taken(filters) == {"symbol_lines": (0, 1), "notices": (0, 1), "menus": (0, 1), "short": (1, 0)}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hau laburra da.", "short"),
        ("\n".join(f"bai ({n} + {n}) = {2 * n} €; ez [[{n}]] --- ondo da" for n in range(9)), "symbols"),
        ("\n".join([BASQUE[0]] * 4), "repetitive"),
    ],
)
def test_poor_documents_go(clean: Clean, text: str, name: str) -> None:
    left, filters = clean(text, line_letters_share=0.0, language_confidence=1.0)
    assert left == []
    assert filters[name]["documents"] == 1


def test_of_equal_documents_in_a_batch_the_first_stays(clean: Clean) -> None:
    one, other = "\n".join(BASQUE[:3]), "\n".join(BASQUE[3:6])
    left, filters = clean(one, other, f"  {one}\n\n\n", one)
    assert left == [one, other]
    assert [(each["place"], each["of"]) for each in filters["equal"]["examples"]] == [
        ("a.jsonl:3", "a.jsonl:1"),
        ("a.jsonl:4", "a.jsonl:1"),
    ]


def test_documents_are_equal_once_their_boilerplate_is_gone(clean: Clean) -> None:
    one = "\n".join(BASQUE[:3])
    left, filters = clean(one, f"{one}\nWebgune honek cookieak erabiltzen ditu. Onartu")
    assert left == [one]
    assert taken(filters) == {"notices": (0, 1), "equal": (1, 3)}


def test_a_contaminated_document_names_the_row(clean: Clean, work: Work, tmp_path: Path) -> None:
    task = tmp_path / "task.jsonl"
    task.write_bytes(line({"question": "?"}) + line({"question": " ".join(BASQUE[:3])}))
    contamination.build([task], 13, work.file("against"))
    left, filters = clean("\n".join(BASQUE[3:6]), "\n".join(BASQUE[:6]), "\n".join(BASQUE[6:9]))
    assert left == ["\n".join(BASQUE[3:6]), "\n".join(BASQUE[6:9])]
    assert [(each["place"], each["of"]) for each in filters["contaminated"]["examples"]] == [
        ("a.jsonl:2", f"{task}:2")
    ]


def test_documents_are_sketched_and_their_lines_counted(clean: Clean, work: Work) -> None:
    texts = ["\n".join(BASQUE[:3]), "\n".join(BASQUE[1:5]), "\n".join(BASQUE[5:8])]
    assert clean(*texts)[0] == texts
    stored = np.fromfile(work.path("clean", 0, "signatures"), dtype=np.uint32).reshape(-1, MINIMA)
    for signature, text in zip(stored, texts, strict=True):
        assert np.array_equal(signature, Sketcher(3)(WordHashes().of(words(text))))
    assert len(decode_keys(work.path("clean", 0, "lines"))) == 8
    raw = work.path("clean", 0, "lines").read_bytes()
    counts = np.frombuffer(raw[12 * 8 :], dtype=np.uint32)
    assert sorted(counts.tolist()) == [1, 1, 1, 1, 1, 1, 2, 2]


def test_no_sketches_where_near_duplicates_stay(clean: Clean, work: Work) -> None:
    clean("\n".join(BASQUE[:3]), near=False)
    assert not work.path("clean", 0, "signatures").exists()


def test_documents_looked_at_in_pieces_give_the_same(clean: Clean, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["\n".join([*BASQUE[n : n + 4], FOREIGN[n]]) for n in range(6)]
    whole = clean(*texts)
    monkeypatch.setattr(module, "_TOGETHER", 1)
    assert clean(*texts) == whole
    assert len(whole[0]) == 6


def test_an_empty_batch_leaves_empty_files(clean: Clean) -> None:
    assert clean() == ([], {})
