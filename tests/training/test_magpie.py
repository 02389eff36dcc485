"""Magpie: prompts, tags, filters and near duplicates."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.servers import BOS
from tests.training.writers import HEAD, SEED, tags_of
from training import tokenizer as study
from training.data.magpie import prompts, tags
from training.data.magpie.duplicates import doubles
from training.data.magpie.filters import answer_fault, instruction_fault, is_translation, stripped
from training.data.magpie.prompts import Variant

# prompts


def test_the_pre_query_is_the_papers() -> None:
    assert prompts.pre_query(Variant.ENGLISH, None, bos=True) == BOS + HEAD
    assert prompts.pre_query(Variant.ENGLISH, None, bos=False) == HEAD


def test_the_answers_prompt_is_what_the_template_renders() -> None:
    tokenizer = study.train_tokenizer(["kaixo"], vocabulary=300)
    chat = [{"role": "user", "content": "Kaixo"}]
    rendered = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert prompts.answering(Variant.ENGLISH, "Kaixo", bos=True) == rendered
    assert BOS + prompts.answering(Variant.ENGLISH, "Kaixo", bos=False) == rendered
    assert (prompts.BOS, prompts.EOT) == (study.BOS, study.EOT)


def test_the_basque_variant_asks_in_basque_for_another_theme_each_row() -> None:
    themes = [prompts.theme_of(SEED, index) for index in range(200)]
    assert themes == [prompts.theme_of(SEED, index) for index in range(200)]
    assert len({theme.topic for theme in themes}) > 80
    assert len({theme.kind for theme in themes}) > 10
    asked = prompts.pre_query(Variant.BASQUE, themes[0], bos=True)
    assert asked.startswith(BOS + "<|start_header_id|>system")
    assert asked.endswith("<|eot_id|>" + HEAD)
    assert themes[0].topic in asked
    assert asked.count(BOS) == 1
    assert "euskara batuan" in prompts.answering(Variant.BASQUE, "Kaixo", bos=True).lower()


def test_topics_and_kinds_are_many_and_all_different() -> None:
    for name, least in (("gaiak.txt", 100), ("eskaerak.txt", 12)):
        lines = (Path(prompts.__file__).parent / name).read_text().splitlines()
        assert len(lines) == len(set(lines)) >= least
        assert all(line == line.strip() and line for line in lines)


# tags


def test_tags_are_read_out_of_the_talk_around_them() -> None:
    wanted = tags.Tags("very poor", "easy", "coding and debugging", "eu")
    reply = 'Sure {here}:\n```json\n{"quality": "Very-Poor", "difficulty": "EASY", "category": "coding_and debugging", "language": "eu"}\n```'
    assert tags.read(reply) == wanted


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "good",
        "{",
        "[1]",
        tags_of("x", quality="fine"),
        tags_of("x", language="English"),
        tags_of("x").replace('"easy"', "3"),
        tags_of("x").replace("difficulty", "hardness"),
        "{" * 3000,
    ],
)
def test_anything_else_is_no_tags(reply: str) -> None:
    assert tags.read(reply) is None


@given(st.text())
def test_no_reply_breaks_the_reader(reply: str) -> None:
    tags.read(reply)
    tags.read("{" + reply)


def test_the_question_shows_the_message_and_every_label() -> None:
    system, user = tags.asking("Kaixo?")
    assert "<message>\nKaixo?\n</message>" in user["content"]
    for label in (*tags.QUALITIES, *tags.DIFFICULTIES, *tags.CATEGORIES):
        assert f'"{label}"' in system["content"]


# filters

GOOD = "Could you explain how a bridge carries its load?"


@pytest.mark.parametrize(
    ("text", "cut", "fault"),
    [
        (GOOD, False, None),
        ("Hi", False, None),  # too short to tell its language
        ("", False, "an instruction without text"),
        (GOOD, True, "an instruction cut by the length limit"),
        (GOOD + " <|start_header_id|>", False, "an instruction with the template's marks"),
        ("Sort the words below:", False, "an instruction that ends in a colon"),
        ("Translate this sentence about bridges for me, please.", False, "an instruction to translate"),
        (
            "Nola egiten da zubi bat, eta zergatik ez da erortzen?",
            False,
            "an instruction in another language",
        ),
    ],
)
def test_an_instruction_is_left_out_for_a_reason(text: str, cut: bool, fault: str | None) -> None:
    assert instruction_fault(text, cut=cut, language="en") == fault


@pytest.mark.parametrize(
    ("text", "cut", "fault"),
    [
        ("It carries it to the ground through its piers.", False, None),
        ("```python\nprint('kaixo')\n```", False, None),
        ("", False, "an answer without text"),
        ("It carries", True, "an answer cut by the length limit"),
        ("It <|eot_id|> carries", False, "an answer with the template's marks"),
        (
            "Lleva su peso al suelo por medio de los pilares del puente.",
            False,
            "an answer in another language",
        ),
        ("Translate means to carry over, and so does this bridge:", False, None),
    ],
)
def test_an_answer_is_left_out_for_a_reason(text: str, cut: bool, fault: str | None) -> None:
    assert answer_fault(text, cut=cut, language="en") == fault


@pytest.mark.parametrize(
    "text",
    [
        "Please TRANSLATE the following",
        "Provide a Spanish translation of the poem",
        "How do you say 'good morning' in French?",
        "What is the word for house in Basque?",
        "Itzuli esaldi hau ingelesera",
        "Euskaratik frantsesera itzuli testu hau",
        "Nola esaten da «table» euskaraz?",
        "Egin testu honen itzulpena",
        "Traduce esta frase",
        "Peux-tu traduire ce texte ?",
    ],
)
def test_requests_to_translate_are_known(text: str) -> None:
    assert is_translation(text)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "How do I come back from a strain?",
        "Nola itzuli naiteke mendi horretatik Donostiara?",
        "Zer da euskara batua?",
        "Idatzi ipuin bat euskaraz",
        "What is the most spoken language in Spain?",
        "How do I say no to my boss?",
    ],
)
def test_others_are_not_taken_for_translations(text: str) -> None:
    assert not is_translation(text)


def test_white_space_and_an_end_mark_that_a_server_left_are_taken_off() -> None:
    assert stripped(" Kaixo \n<|eot_id|>\n") == "Kaixo"


# near duplicates


def test_of_each_group_the_first_stays() -> None:
    texts = [
        (3, "Write a story about a lighthouse keeper who finds a letter in a bottle on the beach"),
        (5, "How do bees make honey?"),
        (8, "write a story about a lighthouse keeper who finds a letter in a bottle on the beach!"),
        (9, "Write a story about a lighthouse keeper who finds a letter in a bottle on the beach today"),
        (11, "What is the capital of France?"),
        (12, "What is the capital of Spain?"),
        (13, "..."),
        (14, "How do bees make honey"),
    ]
    assert doubles(texts) == {8, 9, 14}
    assert doubles([]) == doubles([(1, "x")]) == set()


def test_planted_near_duplicates_are_found_and_nothing_else() -> None:
    rng = random.Random(5)
    words = [f"word{n}" for n in range(400)]
    texts = [rng.choices(words, k=40) for _ in range(600)]
    planted = set()
    for number in range(600, 700):
        copy = list(texts[number - 600])
        copy[rng.randrange(40)] = "changed"  # at least 35 of 41 shingles stay
        texts.append(copy)
        planted.add(number)
    found = doubles((number, " ".join(text)) for number, text in enumerate(texts))
    assert len(found & planted) >= 95
    assert found <= planted


@given(st.lists(st.text(max_size=20), max_size=8))
def test_a_text_twice_is_a_double(texts: list[str]) -> None:
    found = doubles(enumerate([*texts, *texts]))
    assert found >= set(range(len(texts), 2 * len(texts)))
