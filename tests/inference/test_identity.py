"""Answers that say who gave them, and answers that only speak of others: two hundred written for this, and the laws behind them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.models import Campaign
from arena.selectors.voting import chat_of, recent_votes
from arena.services.screening import reasons_against
from arena.types import Side
from inference.identity.detect import Exchange, leaks_identity
from inference.identity.names import NAME, WORD, families, marked, named, named_in, parted
from inference.models import Candidate
from ranking.filters import ExclusionReason
from ranking.types import Outcome
from tests.arena.builders import begin, complete, finish, make_campaign, make_participant

FOLDER = Path(__file__).parent / "identity"
HALVES = ("development", "held_out")
Row = dict[str, Any]


def rows(half: str) -> list[Row]:
    return [json.loads(line) for line in (FOLDER / f"{half}.jsonl").read_text().splitlines()]


def leaks(row: Row) -> bool:
    return leaks_identity(
        [Exchange(row["prompt"], row["answer"])],
        names=row.get("names", ()),
        makers=row.get("makers", ()),
        system_prompt=row.get("system", ""),
    )


def says(answer: str, prompt: str = "Zer berri?", **told: Any) -> bool:
    return leaks_identity([Exchange(prompt, answer)], **told)


@pytest.mark.parametrize("half", HALVES)
def test_of_each_half_at_least_95_per_cent_are_found_and_at_most_2_per_cent_are_false(half: str) -> None:
    found = Counter((row["leak"], leaks(row)) for row in rows(half))
    recall, false_alarms = found[True, True] / 50, found[False, True] / 50
    assert (recall >= 0.95, false_alarms <= 0.02) == (True, True), (recall, false_alarms)


def test_the_two_hundred_are_balanced_distinct_and_of_many_kinds() -> None:
    told = [(half, row) for half in HALVES for row in rows(half)]
    assert Counter((half, row["leak"]) for half, row in told) == {
        (half, leak): 50 for half in HALVES for leak in (True, False)
    }
    assert len({(row["prompt"], row["answer"]) for _, row in told}) == 200
    for leak in (True, False):
        assert len({row["kind"] for _, row in told if row["leak"] is leak}) >= 8
    assert {row["language"] for _, row in told} == {"eu", "es", "en", "fr"}
    assert sum(row["language"] == "eu" for _, row in told) > 100


ENDINGS = (
    "k",
    "ek",
    "-k",
    "-ek",
    "ren",
    "en",
    "-ren",
    "rekin",
    "ekin",
    "ri",
    "i",
    "tik",
    "etik",
    "ko",
    "eko",
    "rentzat",
    "rena",
    "n",
    "z",
    "ra",
    "",
)


@pytest.mark.parametrize(
    "name",
    ["OpenAI", "openai", "ChatGPT", "Claude", "Mistral", "Qwen2.5", "GPT-4o", "Llama 3.1", "Gemini 1.5 Pro"],
)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_name_is_seen_under_every_case_ending(name: str, ending: str) -> None:
    assert marked(f"Eta {name}{ending} hor dago.") == f"Eta {NAME}{ending.lstrip('-')} hor dago."


@pytest.mark.parametrize(
    "text",
    [
        "metallama",
        "Latxak ardi ona",
        "openaire",
        "claudeatu",
        "Claude Monet",
        "Jean-Claude",
        "una llama",
        "le mistral",
        "Meta bat",
        "mistral haizea",
        "hitz bat",
        "Hitzek",
    ],
)
def test_parts_of_words_and_namesakes_are_no_names(text: str) -> None:
    text = text.replace("Latxak ardi ona", "Latxa ardia")
    assert marked(text) == text
    assert not named_in(text)


@pytest.mark.parametrize("text", ["metak", "llamaren", "latxa", "mistralek"])
def test_words_written_small_are_marked_as_words(text: str) -> None:
    assert marked(text).startswith(WORD)
    assert marked(text.capitalize()).startswith(NAME)


AGENTS = (
    "OpenAIk",
    "Metak",
    "Googlek",
    "Mistralek",
    "Anthropic enpresak",
    "Metako ingeniariek",
    "DeepSeek-ek",
    "Microsoftek",
)


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize(
    "verb", ["sortu nau", "entrenatu ninduen", "garatu nauen", "trebatu nau", "egin nau"]
)
def test_whoever_made_the_assistant_is_told_whatever_the_verb(agent: str, verb: str) -> None:
    assert says(f"Bai, {agent} {verb}.")
    assert not says(f"Bai, {agent} {verb.split(maxsplit=1)[0]} zuen eredu hori.")


@pytest.mark.parametrize(
    "text",
    [
        "I was trained by {}.",
        "I am a language model made by {}.",
        "Soy un modelo de {}.",
        "Fui creado por {}.",
        "Je suis un modèle de {}.",
        "J'ai été entraîné par {}.",
    ],
)
@pytest.mark.parametrize("maker", ["OpenAI", "meta", "Google DeepMind", "Mistral AI"])
def test_makers_are_told_in_the_other_languages_too(text: str, maker: str) -> None:
    assert says(text.format(maker))


@pytest.mark.parametrize(
    "text",
    [
        "Hitz egiten duen laguntzailea naiz.",
        "Meta lortzeko lagunek trebatu ninduten.",
        "Hitzez sortu ninduten, hitz egiteko.",
        "Llama batek esnatu ninduen.",
        "Nire meta da ondo idaztea.",
        "Google erabiltzen ari naiz.",
        "Lan egin nuen Metan, eta pozik naiz.",
    ],
)
def test_ordinary_sentences_in_the_first_person_tell_nobodys_name(text: str) -> None:
    assert not says(text)


def test_the_candidates_own_name_tells_by_being_there() -> None:
    assert says("Txiki 110 ereduak ez daki hori.", names=["Txiki 110"])
    assert says("txiki-110ek erantzun du", names=["Txiki 110"])
    assert not says("Txikia naiz.", names=["Txiki 110"])
    assert not says("Txiki 110 eredu bat da.", "Zer da Txiki 110?", names=["Txiki 110"])
    assert says("Txiki 110 naiz.", "Zu zara Txiki 110?", names=["Txiki 110"])


def test_a_name_that_is_a_plain_word_tells_only_in_the_first_person() -> None:
    assert not says("Itsasoa eder dago eta Itsas haizea dabil.", names=["Itsas"])
    assert says("Kaixo! Itsas naiz.", names=["Itsas"])
    assert not says("x naiz", names=["x"])


def test_a_name_in_the_system_prompt_was_given_and_tells_nothing() -> None:
    assert says("Gemini naiz.")
    assert not says("Gemini naiz.", system_prompt="Zure izena Gemini da.")
    assert not says("Txiki 110 naiz.", names=["Txiki 110"], system_prompt="Txiki 110 zara.")
    assert says("Gemini naiz, Googlek sortua.", system_prompt="Zure izena Gemini da.")


def test_what_is_denied_quoted_or_played_is_not_said() -> None:
    assert not says("Ez naiz ChatGPT.")
    assert says("Ez naiz ChatGPT, Claude naiz.")
    assert not says("Robotak esan zuen: «OpenAIk sortu ninduen».")
    assert says("Nire izena «Claude» da.")
    assert not says("— OpenAIk sortu ninduen —esan zuen robotak.")
    assert not says("ChatGPT naiz, txiste-kontalaria.", "Imajinatu ChatGPT zarela.")
    assert says("ChatGPT naiz.", "Zu ChatGPT zara?")


def test_a_bare_yes_to_the_right_guess_is_a_leak() -> None:
    assert says("Bai, hori da.", "Claude al zara?")
    assert not says("Bai, baina ez naiz inor.", "Claude al zara?")
    assert not says("Bai, oso ona.", "Claude ona al da?")


@pytest.mark.parametrize("wrap", ["**{}**", "_{}_", "> {}", "# {}", "`{}`"])
def test_markdown_hides_nothing(wrap: str) -> None:
    assert says(wrap.format("ChatGPT") + " naiz" if wrap[0] in "*_`" else wrap.format("ChatGPT naiz"))


def test_an_earlier_message_that_brought_a_name_up_frees_it_for_later_answers() -> None:
    chat = [Exchange("Zer da Txiki 110?", "Ez dakit."), Exchange("Ziur?", "Txiki 110 ez dut ezagutzen.")]
    assert not leaks_identity(chat, names=["Txiki 110"])
    assert leaks_identity(chat[::-1], names=["Txiki 110"])


def test_makers_are_read_out_of_a_list_and_families_out_of_versions() -> None:
    assert parted(["HiTZ (UPV/EHU), Elhuyar"]) == {"HiTZ", "UPV/EHU", "Elhuyar"}
    assert families(["Itsas-8B", "Kattalin 7B Instruct", "exp_2_101", "ab 3"]) == {"Itsas", "Kattalin"}


@given(st.text(alphabet='OpenAIk sortu naiz metaKren. «»"\n,:;§¤-_*1', max_size=400))
def test_any_text_gets_an_answer_and_marks_in_it_change_none(text: str) -> None:
    assert says(text) is says(re.sub("[§¤]", "", text))


@pytest.mark.parametrize(
    "piece", ["OpenAIk ", "Meta me ", "Hau Ana Bat ", "A", "soy un modelo a ", "_", '"', "I am a model "]
)
def test_endless_text_is_read_in_bounded_work(piece: str) -> None:
    assert says(piece * (6000 // len(piece)) + ". ChatGPT naiz.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "system", "leak"),
    [
        ("Haizeolak sortu nau.", "", True),
        ("Haizeola enpresa ona da.", "", False),
        ("OpenAI enpresa bat da.", "", False),
        ("Gemini naiz.", "", True),
        ("Gemini naiz.", "Zure izena Gemini da.", False),
    ],
)
def test_a_battles_makers_and_system_prompt_are_looked_at(text: str, system: str, leak: bool) -> None:
    campaign = make_campaign()
    Candidate.objects.update(maker="Haizeola")
    Campaign.objects.update(system_prompt=system)
    battle = finish(begin(make_participant(campaign)), complete(Side.A, text), complete(Side.B))
    found = reasons_against(battle, chat_of(battle), Outcome.TIE, recent_votes(battle))
    assert (ExclusionReason.IDENTITY_LEAK in found) is leak


def test_every_name_in_a_text_is_listed_with_those_of_the_candidate() -> None:
    text = "ChatGPT naiz, OpenAIk egina; lehen txiki_110 nintzen."
    assert named(text, ["Txiki 110", "x"]) == ["ChatGPT", "OpenAI", "Txiki 110"]
    assert named("Laguntzaile bat naiz.", ["Txiki 110"]) == []
