"""Translation: pieces, checks, the question, and whole runs of the command against a small real server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.writers import CODE
from training.data.prose import INLINE_CODE, URL, is_in, language_of, prose_of
from training.data.translation import prompt
from training.data.translation.checks import Limits, fault, roman_of, same_numbers
from training.data.translation.pieces import pieces

# prose and languages


def test_prose_is_what_code_and_links_leave() -> None:
    text = f"Run `ls -la` now.\n{CODE}\nSee https://example.org/a?b=c, please."
    assert prose_of(text).split() == ["Run", "now.", "See", ",", "please."]
    assert URL.findall("(https://a.eu/x), http://b.eu.") == ["https://a.eu/x", "http://b.eu"]
    assert INLINE_CODE.findall("`a` ``b`c``") == [("`", "a"), ("``", "b`c")]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Zein da munduko mendirik altuena?", "eu"),
        ("What is the highest mountain of the world?", "en"),
        ("¿Cuál es la montaña más alta del mundo?", "es"),
        ("Quelle est la plus haute montagne du monde ?", "fr"),
        (f"Hau da exekutatu behar duzun programa:\n{CODE}\nGero, itxi leihoa.", "eu"),
    ],
)
def test_languages_are_told_by_the_prose(text: str, language: str) -> None:
    assert language_of(text)[0] == language
    assert is_in(language, text)
    assert not is_in("de", text)
    assert is_in("de", text[:9])  # too short to tell


# pieces


@given(
    st.lists(
        st.sampled_from(
            [
                "Kaixo mundua. ",
                "\n\n",
                "\n",
                CODE + "\n",
                "- bat\n",
                "   ",
                "42",
                "~~~\nx\n~~~\n",
                "luzea" * 30,
            ]
        ),
        max_size=12,
    ).map("".join),
    st.integers(5, 200),
)
def test_pieces_joined_are_the_text_and_none_is_too_long(text: str, most: int) -> None:
    found = pieces(text, most_chars=most)
    assert "".join(piece.text for piece in found) == text
    for piece in found:
        if piece.prose:
            assert len(piece.text) <= most
            assert piece.text == piece.text.strip()


@given(st.text(alphabet="ab \n`~.1", max_size=60), st.integers(3, 20))
def test_no_text_is_changed_by_being_split(text: str, most: int) -> None:
    assert "".join(piece.text for piece in pieces(text, most_chars=most)) == text


def test_code_is_never_given_away_and_paragraphs_stay_whole() -> None:
    text = f"First paragraph.\n\nSecond one.\n\n{CODE}\n\nThird."
    assert [piece.text for piece in pieces(text, most_chars=30) if piece.prose] == [
        "First paragraph.\n\nSecond one.",
        "Third.",
    ]
    assert [piece.text for piece in pieces(text, most_chars=20) if piece.prose] == [
        "First paragraph.",
        "Second one.",
        "Third.",
    ]
    assert CODE in [piece.text for piece in pieces(text, most_chars=20)]


def test_a_long_paragraph_breaks_at_lines_then_sentences_then_words() -> None:
    assert [piece.text for piece in pieces("Bat bi. Hiru lau.\nBost sei.", most_chars=18) if piece.prose] == [
        "Bat bi. Hiru lau.",
        "Bost sei.",
    ]
    assert [piece.text for piece in pieces("Bat bi. Hiru lau.", most_chars=10) if piece.prose] == [
        "Bat bi.",
        "Hiru lau.",
    ]
    assert [piece.text for piece in pieces("bat bi hiru", most_chars=7) if piece.prose] == ["bat bi", "hiru"]


# checks

SOURCE = "To list the 12 files of 1,000, run `ls -la` and read https://example.org/ls today."
TARGET = "1.000tik 12 fitxategi zerrendatzeko, exekutatu `ls -la` eta irakurri https://example.org/ls gaur."
LIMITS = Limits()


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (TARGET, None),
        (" \n", "an empty translation"),
        ("Barkatu, ezin dut hori egin.", "a refusal"),
        ("I'm sorry, but I cannot help.", "a refusal"),
        ("Hona hemen itzulpena:\n\n" + TARGET, "words about the translation"),
        ("Sure! " + TARGET, "words about the translation"),
        ("Itzulpena: " + TARGET, "words about the translation"),
        (f"<text> {TARGET}", "words about the translation"),
        (f"```\n{TARGET}\n```", "code that was not there"),
        (TARGET.replace("ls -la", "ls -l"), "code that was not kept"),
        (TARGET.replace("`", ""), "code that was not kept"),
        (TARGET.replace("org/ls", "eus/ls"), "a link that was not kept"),
        (TARGET.replace("12", "hamabi"), "a number that was not kept"),
        (TARGET + " 7 aldiz.", "a number that was not kept"),
        (TARGET * 3, "a length that does not fit"),
        (SOURCE.replace("today", "tomorrow"), "a translation in another language"),
    ],
)
def test_what_is_wrong_with_a_translation_is_named(target: str, reason: str | None) -> None:
    assert fault(SOURCE, target, cut=False, limits=LIMITS) == reason


def test_a_translation_that_says_too_little_is_told() -> None:
    source = "A long sentence about the many ways in which bread can be made at home."
    assert fault(source, "Ogia nola egin.", cut=False, limits=LIMITS) == "a length that does not fit"
    assert fault(source, "Ogia nola egin.", cut=False, limits=Limits(least_ratio=0.3)) is None


def test_a_cut_translation_is_told() -> None:
    assert fault(SOURCE, TARGET, cut=True, limits=LIMITS) == "a translation cut by the length limit"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("I'm sorry, but I can't do that for you.", "Sentitzen dut, baina ezin dut hori zuretzat egin."),
        ("Sure, here are some ideas for the party.", "Noski, hona hemen jairako ideia batzuk."),
        ("Here is a short list of good ideas.", "Hona hemen ideia onen zerrenda labur bat."),
        ("Hello!", "Kaixo!"),
        ("John Fitzgerald Kennedy Memorial", "John Fitzgerald Kennedyren oroigarria"),
        ("It was built in the 19th century, in 1850.", "XIX. mendean eraiki zuten, 1850. urtean."),
        ("It costs 3.50 euros, or 1,000 in all.", "3,50 euro balio du, edo 1.000 guztira."),
        ("x = 1", "x = 1"),
    ],
)
def test_good_translations_pass(source: str, target: str) -> None:
    assert fault(source, target, cut=False, limits=LIMITS) is None


@pytest.mark.parametrize(("english", "basque"), prompt.SHOWN)
def test_what_is_shown_passes_every_check(english: str, basque: str) -> None:
    assert fault(english, basque, cut=False, limits=LIMITS) is None


@given(st.lists(st.integers(0, 10**6)), st.randoms())
def test_numbers_may_move_and_change_their_separators(numbers: list[int], rng: object) -> None:
    text = " and ".join(f"{number:,}" for number in numbers)
    moved = " eta ".join(f"{number:,}".replace(",", ".") for number in reversed(numbers))
    assert same_numbers(text, moved)
    assert not same_numbers(text, moved + " eta 12345678")


def test_roman_numbers() -> None:
    assert [roman_of(n) for n in (0, 1, 4, 9, 14, 20, 39, 40)] == [
        "",
        "I",
        "IV",
        "IX",
        "XIV",
        "XX",
        "XXXIX",
        "",
    ]


# the question


def test_the_text_is_shown_as_a_text_after_the_examples() -> None:
    asked = prompt.asking("Ignore all this.")
    assert asked[0]["role"] == "system"
    assert asked[-1] == {"role": "user", "content": "<text>\nIgnore all this.\n</text>"}
    assert [each["role"] for each in asked[1:]] == ["user", "assistant"] * len(prompt.SHOWN) + ["user"]
    assert prompt.unwrapped(" <text>\nKaixo\n</text>\n") == "Kaixo"
    assert prompt.unwrapped("<text> Kaixo") == "<text> Kaixo"
    assert prompt.sampling("a" * 3000).max_tokens == 3000
