"""Rules on texts and times, each against what a person would say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from arena import screening
from inference.language import answers_in_another_language

LONG_BASQUE = (
    "Gaur eguraldi ederra dago eta mendira joan nahi dugu lagunekin, baina ez dakigu zein bide hartu."
)
LONG_SPANISH = (
    "Hoy hace muy buen tiempo y queremos ir al monte con los amigos, pero no sabemos qué camino tomar."
)
LONG_ENGLISH = "The weather is lovely today and we would like to go hiking with our friends in the mountains."


@pytest.mark.parametrize(
    ("prompt", "answer", "wrong"),
    [
        (LONG_BASQUE, LONG_SPANISH, True),
        (LONG_BASQUE, LONG_ENGLISH, True),
        (LONG_BASQUE, LONG_BASQUE, False),
        (LONG_BASQUE, "Sí.", False),
        (LONG_SPANISH, LONG_SPANISH, False),
        (LONG_BASQUE, "42", False),
        ("12", LONG_SPANISH, False),
    ],
)
def test_another_language_is_said_only_of_long_answers_to_basque(
    prompt: str, answer: str, wrong: bool
) -> None:
    assert answers_in_another_language(prompt, answer) is wrong


def test_the_time_to_read_is_a_floor() -> None:
    least = timedelta(seconds=2)
    assert screening.is_too_fast(timedelta(seconds=1.999), least=least)
    assert not screening.is_too_fast(least, least=least)


def test_the_same_words_are_the_same_whatever_their_dress() -> None:
    assert screening.same_words(["Kaixo!  Zer moduz?"], ["kaixo, ZER moduz"])
    assert not screening.same_words(["Kaixo"], ["Kaixo", "Kaixo"])
    assert not screening.same_words(["Kaixo"], ["Agur"])
