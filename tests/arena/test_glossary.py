"""What the glossary says a term is called is what the site calls it."""

from __future__ import annotations

import re
from datetime import date

import pytest
from django.utils import translation

from arena import catalogues
from arena.dates import basque_date

TEXT = (catalogues.ROOT / "docs" / "glossary.md").read_text()
TARGETS = ("eu", "es", "fr")


def rows() -> dict[str, dict[str, list[str]]]:
    """From an English term to its forms in each language."""
    found = {}
    for table in re.findall(r"^\| en \| eu \| es \| fr \|\n\|-.*\n((?:\|.*\n)+)", TEXT, re.MULTILINE):
        for line in table.splitlines():
            english, *others = (each.strip() for each in line.strip("|").split("|"))
            found[english] = {
                code: [form.casefold() for form in re.split(r",\s*", told)]
                for code, told in zip(TARGETS, others, strict=True)
            }
    return found


TERMS = rows()


def test_the_glossary_has_its_terms_in_all_languages() -> None:
    assert len(TERMS) >= 50
    assert all(all(forms) for each in TERMS.values() for forms in each.values())


@pytest.mark.parametrize("language", TARGETS)
def test_terms_are_translated_as_the_glossary_says(language: str) -> None:
    texts = {
        message.id.casefold(): str(message.string).casefold()
        for message in catalogues.read(language)
        if isinstance(message.id, str) and message.id
    }
    held = {term: forms[language] for term, forms in TERMS.items() if term.casefold() in texts}
    assert len(held) >= 45
    assert {
        term: texts[term.casefold()] for term, forms in held.items() if texts[term.casefold()] not in forms
    } == {}


def test_the_glossarys_examples_of_dates_and_titles_are_right() -> None:
    assert basque_date(date(2026, 3, 19)) in TEXT
    with translation.override("fr"):
        assert translation.gettext("Leaderboard").casefold() in TERMS["Leaderboard"]["fr"]


@pytest.mark.parametrize("term", ["prompt", "leaderboard", "battle", "bozka", "modelo", "borroka"])
def test_words_that_the_glossary_rules_out_are_in_no_basque_text(term: str) -> None:
    texts = [re.sub(r"\{\w*\}", "", str(message.string)) for message in catalogues.read("eu") if message.id]
    ruled_out = re.compile(rf"\b{term}(?!t)", re.IGNORECASE)  # bozka, but bozkatu
    assert [text for text in texts if ruled_out.search(text)] == []
