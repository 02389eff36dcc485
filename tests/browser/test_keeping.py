"""What the page keeps, copies and says, in Chromium."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_battle import consent, page, ready, send
from tests.browser.test_keyboard import battle_begun, battle_ready
from tests.browser.visits import Run

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
__all__ = ["page"]

IS_SHOWN = "from arena.models import Battle; assert Battle.objects.get(pk='{}').display == '{}'"

# Every change of what a live region says, in order.
LISTEN = """() => {
  window.said = [];
  for (const region of document.querySelectorAll('[role=status], [role=alert], [role=log], [aria-live]')) {
    new MutationObserver(() => { if (region.textContent) said.push(region.textContent); })
      .observe(region, { childList: true, subtree: true, characterData: true });
  }
}"""


def test_drafts_are_kept_for_each_battle_until_they_are_sent(page: Page) -> None:
    page.goto("/")
    page.fill("#message", "Erdizka idatzitakoa")
    page.reload()
    expect(page.locator("#message")).to_have_value("Erdizka idatzitakoa")
    line = battle_begun(page)
    expect(page.locator("#message")).to_have_value("")
    page.fill("#message", "Eta gero?")
    assert page.evaluate("Object.entries(localStorage).filter(([name]) => name.startsWith('draft'))") == [
        ["draft 00000000-0000-0000-0000-000000000005", "Eta gero?"]
    ]
    line.whole("<p>Bai.</p>")
    page.click("[data-send]")
    line.tell("refused", code="too_many_messages")
    expect(page.locator("[data-alert]")).to_be_visible()
    expect(page.locator("#message")).to_have_value("Eta gero?")
    page.goto("/")
    expect(page.locator("#message")).to_have_value("")


def test_an_answer_is_copied_whole(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    battle_ready(page, "<p>Bat.</p><ul><li>bi</li></ul>")
    page.click("[data-pane='B'] [data-copy]")
    expect(page.locator("[data-copied]")).to_have_text("Kopiatuta.")
    assert page.evaluate("navigator.clipboard.readText()") == "Bat.\n\nbi"


def test_the_end_of_a_side_is_said_once_and_nothing_on_its_way_there(page: Page) -> None:
    line = battle_begun(page)
    page.evaluate(LISTEN)
    for number in range(40):
        for side in "AB":
            line.tell("render", side=side, seq=number + 1, sealed=[f"<p>{number}</p>"], open="<p>eta")
    for side in "AB":
        line.tell("done", side=side, reason="stop")
    line.state("ready", side="complete")
    line.tell("done", side="A", reason="stop")  # as a resume tells it again
    expect(page.locator("[data-vote]")).to_be_visible()
    said = page.evaluate("said")
    assert sorted(said) == ["A erantzuna amaitu da.", "B erantzuna amaitu da."]
    assert all(len([text for text in said if text.startswith(side)]) <= 3 for side in "AB")


@pytest.mark.parametrize(
    ("motion", "first", "chosen"), [("reduce", "whole", "paced"), ("no-preference", "paced", "whole")]
)
def test_answers_stream_unless_less_motion_is_wished_until_one_chooses_where_battles_begin(
    chromium: Browser,
    site: str,
    run: Run,
    motion: Literal["reduce", "no-preference"],
    first: str,
    chosen: str,
) -> None:
    context = chromium.new_context(base_url=site, locale="eu-ES", reduced_motion=motion)
    page = context.new_page()
    page.goto("/")
    send(page, "Kaixo!")
    consent(page)
    ready(page)
    battles = {first: page.url}
    page.goto("/")
    expect(page.locator(f"[name=display][value={first}]")).to_be_hidden()
    page.click(f"[name=display][value={chosen}]")
    expect(page.locator(f"[name=display][value={chosen}]")).to_have_count(0)
    send(page, "Kaixo!")
    ready(page)
    battles[chosen] = page.url
    context.close()
    for display, address in battles.items():
        run(IS_SHOWN.format(address.rstrip("/").rpartition("/")[2], display))
