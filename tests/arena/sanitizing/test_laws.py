"""What holds for every text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.sanitizing import Decided, Decision, Kind, find, sanitize, sanitized
from tests.arena.sanitizing.material import rows

DETAILS = sorted({row.text[slice(*span)] for row in rows("development") for span in row.planted})
GLUE = (
    *(
        " ",
        "",
        ", ",
        "-",
        ".",
        "@",
        "(",
        ")",
        "/",
        "\n",
        "`",
        "```",
        "+",
        "00",
        "7",
        "a",
        "ra",
        "an",
        "Ane",
        "Kale",
        "kalea",
    ),
    *(
        "c/",
        "rue",
        "Street",
        "https://",
        "arroba",
        "puntu",
        "(at)",
        "(dot)",
        "com",
        "dni ",
        "tel ",
        "instagram ",
        "bizi naiz ",
    ),
    *(
        "euro",
        "[EMAIL]",
        "_",
        "ES12",
        "9",
        "posta-kutxa",
        " 48001 Bilbo",
        "'",
        "=",
        " @ ",
        "\ufffc",
        "\u00a0",
        "99999999",
    ),
)
HOSTILE = st.lists(st.sampled_from(DETAILS) | st.sampled_from(GLUE), max_size=14).map("".join)
ANY = HOSTILE | st.text(max_size=200)


@given(ANY)
def test_what_was_sanitized_holds_nothing_more(text: str) -> None:
    once = sanitize(text)
    assert sanitize(once) == once
    assert not find(once)


@given(ANY)
def test_finds_are_in_order_within_the_text_and_never_overlap(text: str) -> None:
    found = find(text)
    assert all(0 <= each.start < each.end <= len(text) for each in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@given(ANY)
def test_what_is_allowed_stays_and_all_else_goes(text: str) -> None:
    found = find(text)
    allowed = {text[each.start : each.end] for each in found[:1]}
    tags = sum(text[each.start : each.end] not in allowed for each in found)
    assert sanitize(text, allowed=allowed).count("[") - text.count("[") <= tags
    assert all(each in sanitize(text, allowed=allowed) for each in allowed)


@given(ANY, st.sampled_from([Decision.OPEN, Decision.REDACT]))
def test_a_detail_goes_unless_it_was_decided_that_it_stays(text: str, said: Decision) -> None:
    found = find(text)
    assert sanitized(text, [Decided(each.kind, *each.span, said) for each in found]) == sanitize(text)
    assert sanitized(text, [Decided(each.kind, *each.span, Decision.KEEP) for each in found]) == text


@given(ANY, st.sampled_from(Kind), st.integers(0, 250), st.integers(1, 20))
def test_what_staff_redact_goes_though_no_rule_finds_it_and_beyond_the_end_there_is_nothing(
    text: str, kind: Kind, start: int, length: int
) -> None:
    by_hand = Decided(kind, start, start + length, Decision.REDACT)
    said = sanitized(text, [by_hand])
    if by_hand.end > len(text):
        assert said == sanitize(text)
    elif not find(text):
        assert said == text[:start] + kind.tag + text[by_hand.end :]


@pytest.mark.parametrize(
    "piece",
    [
        *("a", "1", "@", "`", "(", "-", ".", "\ufffc", "[EMAIL]"),
        *(
            "a.",
            "1 ",
            "600 ",
            "a@",
            "@a",
            "``` ",
            "ES12 ",
            "Kale ",
            "Kale Nagusia ",
            "c/ a ",
            "a arroba ",
            "a puntu ",
            "+34 ",
        ),
        *("600 123 456 ", "4111 ", "x@y.", "Aa Aa kalea 1 ", "https://", "12 rue A ", "dni 12345678 "),
    ],
)
def test_a_long_hostile_text_is_read_to_its_end(piece: str) -> None:
    """A pattern that backtracks would not come back within anybody's life."""
    text = piece * (200_000 // len(piece)) + " ane@example.com"
    assert sanitize(text).endswith("[EMAIL]")


def test_a_million_characters_are_read() -> None:
    text = "Kale Nagusia @ 600 ES12 a.b arroba " * 28_572 + "ane@example.com"
    assert len(text) > 1_000_000
    assert sanitize(text).endswith("[EMAIL]")
