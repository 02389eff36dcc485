"""Guests on their way to a vote, whatever happens to the page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_battle import check_access, consent, ready, send
from tests.browser.test_blocked import REFUSED
from tests.browser.test_keyboard import press

pytestmark = [pytest.mark.browser, pytest.mark.model_server]


def vote(page: Page) -> None:
    page.check("[name=content][value=b_better]")
    page.check("[name=language][value=b_better]")
    page.click("[data-vote] > .primary")
    expect(page.locator(".card.side-b.won")).to_be_visible()


def answers(page: Page) -> list[str]:
    return page.locator("[data-answer]").all_inner_texts()


def test_three_interactions_before_the_first_message_and_three_keys_to_the_vote_or_four_with_the_whole(
    volunteer: Page,
) -> None:
    check_access(volunteer)
    volunteer.fill("#message", "Zein da Frantziako hiriburua?")
    for interaction in ("[data-send]", "dialog[open] [name=adult]", "dialog[open] .primary"):
        volunteer.click(interaction)
    ready(volunteer)
    check_access(volunteer)
    press(volunteer, "a", "=", "Enter")
    expect(volunteer.locator(".card.side-a.won")).to_be_visible()
    check_access(volunteer)
    press(volunteer, "n")
    expect(volunteer.locator("[data-intro] h1")).to_be_visible()
    send(volunteer, "Eta Italiakoa?")
    ready(volunteer)
    press(volunteer, "a", "b", "b", "Enter")
    expect(volunteer.locator(".card.side-b.won")).to_be_visible()


def test_a_reload_while_answers_are_written_loses_nothing(volunteer: Page) -> None:
    send(volunteer, "Zein da Frantziako hiriburua?")
    consent(volunteer)
    expect(volunteer).to_have_url(re.compile("/battle/"))
    volunteer.reload()
    ready(volunteer)
    shown = answers(volunteer)
    assert all(shown)
    volunteer.reload()
    ready(volunteer)
    assert answers(volunteer) == shown
    vote(volunteer)


def test_a_closed_tab_is_found_again_among_ones_battles(volunteer: Page) -> None:
    send(volunteer, "Zergatik da zerua urdina?")
    consent(volunteer)
    expect(volunteer).to_have_url(re.compile("/battle/"))
    address = volunteer.url
    volunteer.close()
    again = volunteer.context.new_page()
    again.goto("/me/battles/")
    check_access(again)
    again.click(".history a")
    expect(again).to_have_url(address)
    ready(again)
    vote(again)
    again.goto("/me/battles/")
    expect(again.locator(".history p").first).to_contain_text("Txiki")
    again.click(".history a")
    expect(again.locator("[data-reveal]")).to_be_visible()


@pytest.mark.parametrize("block", ["", REFUSED], ids=["socket", "requests"])
def test_a_lost_network_is_told_keeps_the_message_and_heals_by_itself(volunteer: Page, block: str) -> None:
    send(volunteer, "Kaixo!")
    consent(volunteer)
    ready(volunteer)
    vote(volunteer)
    volunteer.add_init_script(block)
    volunteer.goto("/")
    volunteer.context.set_offline(True)
    send(volunteer, "Zein da Italiako hiriburua?")
    expect(volunteer.locator("[data-alert]")).to_be_visible()
    expect(volunteer.locator("#message")).to_have_value("Zein da Italiako hiriburua?")
    volunteer.context.set_offline(False)
    ready(volunteer)
    expect(volunteer.locator("[data-alert]")).to_be_hidden()
    expect(volunteer.locator("[data-turn]")).to_have_count(1)
    vote(volunteer)
