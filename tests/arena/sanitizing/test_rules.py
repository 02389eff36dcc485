"""No rule is kept from a text in which it would find anything."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.sanitizing import find, handles
from arena.sanitizing.edges import FILLER, masked
from arena.sanitizing.redact import IN_TURN
from arena.sanitizing.rules import Rule, Seen
from arena.sanitizing.types import Found
from tests.arena.sanitizing.material import HALVES, rows
from tests.arena.sanitizing.test_laws import ANY, HOSTILE

LOOKALIKES = dict(zip("iksIKS", "\u0130\u212a\u017f\u0131\u212a\u017f", strict=True))
SENTENCES = [row.text for half in HALVES for row in rows(half)]
CASES = (
    str,
    str.upper,
    str.lower,
    str.swapcase,
    lambda text: "".join(LOOKALIKES.get(each, each) for each in text),
)
TEXTS = st.builds(
    lambda text, written: written(text),
    ANY | st.lists(st.sampled_from(SENTENCES) | HOSTILE, max_size=3).map(" ".join),
    st.sampled_from(CASES),
)


def found_by_all(text: str) -> tuple[Found, ...]:
    """What :func:`arena.sanitizing.find` finds of a text without tags and odd spaces, every rule asked."""
    found: list[Found] = []
    for rule in IN_TURN:
        new = list(rule.detector(text))
        text = masked(text, new)
        found += new
    return tuple(sorted(found, key=lambda each: each.start))


@given(TEXTS)
def test_a_rule_that_is_not_asked_would_have_found_nothing(text: str) -> None:
    seen = Seen(text)
    assert [rule for rule in IN_TURN if not rule.may_find(seen) and list(rule.detector(text))] == []


@given(TEXTS.map(lambda text: re.sub(rf"[\[\t\u00a0\u2000-\u202f{FILLER}]", "", text)))
def test_asking_all_rules_finds_the_same(text: str) -> None:
    assert find(text) == found_by_all(text)


@pytest.mark.parametrize("written", CASES)
def test_all_that_was_planted_is_found_however_it_is_written(written: Callable[[str], str]) -> None:
    for text in map(written, SENTENCES):
        assert all(rule.may_find(Seen(text)) for rule in IN_TURN if list(rule.detector(text)))


def test_all_that_patterns_take_for_a_letter_is_one() -> None:
    """In a text that holds a single one of them, and all letters that stay what they are."""
    letters = re.compile("[a-z]", re.IGNORECASE)
    alike = [each for each in map(chr, range(sys.maxunicode + 1)) if letters.fullmatch(each)]
    assert len(alike) > 2 * len(ascii_lowercase)
    for each in alike:
        lower = Seen(each).lower
        assert lower in set(ascii_lowercase)
        assert re.fullmatch(lower, each, re.IGNORECASE)


BY_WORDS_ALONE = [
    *("Kale Nagusia s/n", "Kale Nagusia z/g", "Kale Nagusia, Z.G."),
    *("ane@example.com", "ane arroba example puntu com", "ane arobase example point fr"),
    *("ane a bildua adibidea puntu eus", "ane a-bildua adibidea puntu eus", "ane at example dot com"),
    *(f"ane {opened}at{closed} example.com" for opened in ("(", "[ ", "{", "< ") for closed in (")", " ]")),
    *(
        "@ane_bat",
        "instagram.com/ane",
        "behance.me/ane, t.me/ane",
        "youtube.com/c/ane",
        "linkedin.net/in/ane",
    ),
    *(f"{word} ane_bat" for word in handles.BEFORE_A_NAME),
    *(
        "Bizi naiz hemen: Kale Nagusia",
        "Nire etxea Kale Nagusia",
        "Vivo en Calle Mayor",
        "Vive en Calle Mayor",
    ),
    *(
        "Domiciliada: Calle Mayor",
        "Reside: Calle Mayor",
        "She lives in Plaza Mayor",
        "J'habite rue Mouffetard",
    ),
    "Helbidea: Kale Nagusia",
]


@pytest.mark.parametrize("text", BY_WORDS_ALONE)
def test_what_is_found_without_digits_is_found_by_a_word_alone(text: str) -> None:
    assert find(text) == found_by_all(text) != ()


def test_a_text_without_anything_is_given_to_no_rule() -> None:
    seen = Seen("Gaur eguraldi ederra dago eta mendira joan nahi dugu.")
    assert not [rule for rule in IN_TURN if rule.may_find(seen)]


def test_digits_or_a_word_are_enough() -> None:
    rule = Rule(lambda _: iter(()), digits=2, words=("kale",))
    assert [rule.may_find(Seen(text)) for text in ("1", "1 2", "Kalea", "", "12kale")] == [
        False,
        True,
        True,
        False,
        True,
    ]
