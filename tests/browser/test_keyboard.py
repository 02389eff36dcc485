"""A battle without a pointer, what keeps to the edges of the page, and what fingers need: in Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.lines import PlayedLine
from tests.browser.test_battle import check_access, consent, page, ready, send

pytestmark = [pytest.mark.browser, pytest.mark.model_server]
__all__ = ["page"]
LONG = "<p>" + "Euskaraz ondo idazten du. " * 200 + "</p>"

# What has the focus, or holds it, lies at its own middle: nothing covers it.
UNCOVERED = """() => {
  if (document.activeElement === document.body) return true;
  const box = document.activeElement.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + Math.min(box.height, innerHeight) / 2];
  const over = document.elementFromPoint(x, y);
  return over !== null && (document.activeElement.contains(over) || over.contains(document.activeElement));
}"""
SMALL = """least => [...document.querySelectorAll('a, button, input, textarea, summary, [tabindex="0"]')]
  .map(each => each.closest('label') ?? each)
  .filter(each => each.checkVisibility({ visibilityProperty: true }) && !each.closest('p:not(.next):not(.actions), .skip, .quiet'))
  .map(each => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
  .filter(([, box]) => box.height < least || box.width < least).map(([html]) => html)"""


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def battle_ready(page: Page, html: str = "<p>Bai.</p>") -> PlayedLine:
    line = PlayedLine(page, lambda line: line.whole(html))
    page.goto("/")
    send(page, "Kaixo!")
    consent(page)
    ready(page)
    return line


def battle_begun(page: Page) -> PlayedLine:
    """Both sides wait for their first word."""
    line = PlayedLine(page, lambda line: line.state())
    page.goto("/")
    assert page.evaluate(SMALL, 24) == []
    send(page, "Kaixo!")
    consent(page)
    expect(page.locator("[data-pane='A']")).to_be_visible()
    return line


def test_the_whole_loop_by_keyboard(page: Page) -> None:
    page.goto("/#message")
    expect(page.locator("#message")).to_be_focused()
    page.keyboard.type("Zein da Frantziako hiriburua?")
    press(page, "Tab", "Enter", "Tab", "Space", "Enter")  # send; past the privacy page to the tick, and on
    ready(page)
    expect(page.locator("[data-vote]")).to_be_focused()
    press(page, "a", "b", "=", "Enter")
    expect(page.locator("[data-reveal]")).to_be_focused()
    assert page.locator(".verdict").all_inner_texts() == ["Berdinketa"] * 2
    press(page, "n")
    expect(page.locator("#message")).to_be_focused()
    page.keyboard.type("Eta Italiakoa?")
    press(page, "Tab", "Enter")
    ready(page)
    expect(page.locator("[data-vote]")).to_be_focused()
    press(page, "0", "B", "Enter")
    expect(page.locator(".card.side-b.won")).to_be_visible()


def test_whoever_writes_goes_on_writing_and_arrows_choose_too(page: Page) -> None:
    line = battle_begun(page)
    page.focus("#message")
    page.keyboard.type("ba")
    line.whole("<p>Bai.</p>")
    ready(page)
    page.keyboard.type("b 0")
    expect(page.locator("#message")).to_have_value("bab 0")
    assert page.locator("[data-vote] :checked").count() == 0
    page.focus("[data-vote] [name=content] >> nth=0")
    press(page, "ArrowDown", "Tab", "ArrowUp")
    expect(page.locator("[name=content][value=tie]")).to_be_checked()
    expect(page.locator("[name=language][value=both_bad]")).to_be_checked()
    press(page, "Control+b", "b")
    expect(page.locator("[name=language][value=b_better]")).to_be_checked()
    expect(page.locator("[data-vote] > .primary")).to_be_focused()


def test_shortcuts_that_are_switched_off_do_nothing_and_are_not_told(page: Page) -> None:
    page.goto("/me/")
    page.uncheck("[name=shortcuts]")
    page.click("form[action='/me/appearance/'] .primary")
    battle_ready(page)
    page.focus("[data-vote] [name=content] >> nth=0")
    press(page, "a", "b")
    assert page.locator("[data-vote] :checked").count() == 0
    expect(page.locator("[data-vote] kbd").first).to_be_hidden()
    expect(page.locator(".keys")).to_be_hidden()


def test_nothing_lies_over_what_has_the_focus_and_fingers_find_everything(page: Page) -> None:
    line = battle_begun(page)
    for side in "AB":
        line.tell("render", side=side, seq=1, sealed=[LONG], open="<p>eta")
    expect(page.locator("[data-pane='B'] [data-answer]")).to_contain_text("eta")
    check_focus(page)
    line.tell("done", side="A", reason="stop")
    line.tell("done", side="B", reason="stop")
    line.state("ready", side="complete")
    ready(page)
    check_focus(page)
    check_access(page)
    assert page.evaluate(SMALL, 24) == []
    for choice in page.locator("[data-vote] .choice:visible").all():
        box = choice.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44


def check_focus(page: Page) -> None:
    """Once through the page and back."""
    page.evaluate("document.activeElement.blur()")
    for key in ("Tab", "Shift+Tab"):
        for _ in range(30):
            page.keyboard.press(key)
            assert page.evaluate(UNCOVERED), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")


def test_tabs_of_a_phone_show_one_answer_or_both_and_mark_what_is_new(page: Page) -> None:
    line = battle_ready(page)
    tabs = page.locator("[role=tab]")
    if page.viewport_size is None or page.viewport_size["width"] > 736:
        expect(tabs.first).to_be_hidden()
        assert page.locator("[role=tabpanel]").count() == 0
        return
    expect(page.locator("[role=tabpanel]")).to_have_attribute("aria-labelledby", "tab-both")
    tabs.nth(2).focus()
    press(page, "ArrowRight")
    expect(tabs.nth(0)).to_be_focused()
    expect(tabs.nth(0)).to_have_attribute("aria-selected", "true")
    expect(page.locator("[data-pane='B']")).to_be_hidden()
    expect(page.locator("[role=tabpanel]")).to_have_attribute("aria-labelledby", "tab-A")
    check_access(page)
    line.tell("render", side="B", seq=2, sealed=["<p>Eta gehiago.</p>"], open="")
    expect(page.locator("[data-unread='B']")).to_be_visible()
    press(page, "ArrowRight")
    expect(page.locator("[data-pane='B']")).to_be_visible()
    expect(page.locator("[data-pane='A']")).to_be_hidden()
    expect(page.locator("[data-unread='B']")).to_be_hidden()
    press(page, "End")
    expect(page.locator("[data-pane='A']")).to_be_visible()
