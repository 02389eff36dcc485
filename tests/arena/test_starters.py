"""Prompts to start from: enough of them, all Basque, none twice, and shown a few at a time."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from html import unescape

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from arena import starters
from arena.starters import PROMPTS_SHOWN, THEMES_SHOWN, TITLES, Selection, select
from arena.types import LanguageLevel
from inference.identity.names import named_in
from inference.language import measure
from tests.arena.builders import make_campaign

PROMPTS = [each.prompt for each in starters.starters()]
seeds, levels = st.integers(0, 10**9), st.sampled_from([None, *LanguageLevel])


def shown(selection: Selection) -> list[str]:
    return [prompt for theme in selection.themes for prompt in theme.prompts]


def test_there_are_at_least_120_with_as_many_of_each_level_in_every_theme() -> None:
    assert len(PROMPTS) >= 120
    counts = Counter((each.theme, each.level) for each in starters.starters())
    assert counts.keys() == {(theme, level) for theme in TITLES for level in LanguageLevel}
    assert set(counts.values()) == {3}


def test_no_prompt_is_there_twice_whatever_its_dress() -> None:
    bare = [
        " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", prompt).casefold())) for prompt in PROMPTS
    ]
    assert [words for words, n in Counter(bare).items() if n > 1] == []


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_prompt_is_basque_one_sentence_or_three_and_named_for_nobody(prompt: str) -> None:
    measured = measure(prompt)
    assert measured.language == "eu"
    assert 10 <= len(prompt) <= 160
    assert prompt == prompt.strip() and prompt[0].isupper() and prompt[-1] in ".?!"
    assert not re.search(r"\s\s|\s[,.;:?!]|[“”\"']", prompt)
    assert not named_in(prompt)


@pytest.mark.parametrize("level", [None, *LanguageLevel])
@settings(max_examples=10)
@given(seed=seeds)
def test_all_pages_together_show_each_prompt_once(level: LanguageLevel | None, seed: int) -> None:
    first = select(seed=seed, level=level)
    seen = [
        prompt for page in range(first.pages) for prompt in shown(select(seed=seed, page=page, level=level))
    ]
    wanted = [each.prompt for each in starters.starters() if level in {None, each.level}]
    assert sorted(seen) == sorted(wanted)


@given(seed=seeds, page=st.integers(0, 10**6), level=levels)
def test_a_page_is_small_varied_and_the_same_again(seed: int, page: int, level: LanguageLevel | None) -> None:
    selection = select(seed=seed, page=page, level=level)
    assert selection == select(seed=seed, page=page, level=level)
    assert len(selection.themes) == THEMES_SHOWN == len({theme.title for theme in selection.themes})
    assert {len(theme.prompts) for theme in selection.themes} == {PROMPTS_SHOWN}
    assert selection.more == (selection.page + 1) % selection.pages
    told = {each.prompt: each.level for each in starters.starters()}
    for theme in selection.themes:
        wanted = {level} if level else set(LanguageLevel)
        assert {told[prompt] for prompt in theme.prompts} == wanted


def test_other_seeds_show_other_themes_first() -> None:
    assert len({tuple(shown(select(seed=seed))) for seed in range(20)}) == 20


@pytest.fixture
def page(client: Client, db: None) -> Client:
    make_campaign()
    return client


def asked(client: Client, address: str) -> tuple[list[str], str]:
    text = client.get(address).content.decode()
    return [unescape(each) for each in re.findall(r"data-starter>([^<]+)<", text)], text


def more(text: str) -> str:
    found = re.search(r'href="([^"#]*more=\d+)#starters-title"', text)
    assert found
    return unescape(found[1])


def test_plain_links_lead_from_page_to_page(page: Client) -> None:
    prompts, text = asked(page, "/")
    assert len(prompts) == THEMES_SHOWN * PROMPTS_SHOWN
    others, text = asked(page, more(text))
    assert not {*prompts} & {*others}
    assert not {*prompts, *others} & {*asked(page, more(text))[0]}


def test_a_starters_own_link_brings_it_into_the_composer(page: Client) -> None:
    prompts, text = asked(page, "/")
    link = re.search(r'class="starter" lang="eu" href="([^"#]+)#message"', text)
    assert link
    assert composed(page, unescape(link[1])) == prompts[0]
    assert composed(page, "/?prompt=" + "a" * 9999) == "a" * 4000
    assert composed(page, "/?prompt=%3Cb%3E") == "<b>"


def composed(client: Client, address: str) -> str:
    """What the composer holds when its page comes."""
    filled = re.search(r"<textarea[^>]*>([^<]*)</textarea>", client.get(address).content.decode())
    assert filled
    return unescape(filled[1])


def test_a_level_stays_chosen_from_page_to_page(page: Client) -> None:
    told = {each.prompt: each.level for each in starters.starters()}
    prompts, text = asked(page, "/?level=C1-C2")
    assert re.search(r'level=C1-C2#starters-title" aria-current="page"', text)
    assert {told[prompt] for prompt in (*prompts, *asked(page, more(text))[0])} == {LanguageLevel.C}


@pytest.mark.parametrize(
    "query", ["?level=Z9&more=-1&seed=x", "?more=99999999999999999999", "?seed=%00&more=²", "?level=&more="]
)
def test_what_is_not_understood_shows_the_days_first_page(page: Client, query: str) -> None:
    assert asked(page, f"/{query}")[0] == asked(page, "/")[0]
