from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from training.data.cleaning.lines import shapes
from training.data.cleaning.page import Page, line_keys
from training.data.cleaning.tally import EXAMPLES, Amount, Filter, Tally, shown

texts = st.lists(st.text("abñ€", min_size=1, max_size=5), min_size=1, max_size=6).map("\n".join)
takings = st.lists(st.tuples(st.sampled_from(list(Filter)), st.integers(1, 9), texts), max_size=12)


def tallied(found: list[tuple[Filter, int, str]]) -> Tally:
    tally = Tally()
    for name, row, text in found:
        tally.take(name, f"f:{row}", text)
        tally.languages["eu"] = tally.languages.get("eu", 0) + 1
    return tally


@given(takings, takings)
def test_tallies_of_parts_add_up_to_that_of_the_whole(
    one: list[tuple[Filter, int, str]], other: list[tuple[Filter, int, str]]
) -> None:
    merged = tallied(one)
    merged.merge(tallied(other))
    whole = tallied(one + other)
    for told in (merged, whole):
        for taken in told.taken.values():
            taken.examples = taken.examples[:1]
    assert merged.report() == whole.report()


@given(takings)
def test_a_tally_outlives_its_report(found: list[tuple[Filter, int, str]]) -> None:
    told = tallied(found).report()
    assert Tally.of_report(json.loads(json.dumps(told))).report() == told


def test_merging_leaves_the_other_alone() -> None:
    other = tallied([(Filter.NEAR, 1, "a")])
    merged = Tally()
    merged.merge(other)
    merged.merge(tallied([(Filter.NEAR, 2, "b")]))
    assert [each["place"] for each in other.taken[Filter.NEAR].examples] == ["f:1"]


def test_amounts_count_lines_with_their_breaks_and_bytes_of_utf_8() -> None:
    amount = Amount()
    amount.add("añ\n\nb")
    amount.add("")
    assert amount == Amount(documents=2, lines=2, characters=6, bytes=7)


def test_one_example_a_document_and_five_in_all() -> None:
    tally = Tally()
    for row in (1, 1, 1, *range(2, 20)):
        assert tally.wants_example(Filter.MENUS) == (row <= EXAMPLES)
        tally.take(Filter.MENUS, f"f:{row}", "Hasiera", documents=0)
    assert [each["place"] for each in tally.taken[Filter.MENUS].examples] == [
        f"f:{row}" for row in range(1, 6)
    ]
    assert tally.taken[Filter.MENUS].amount == Amount(0, 21, 21 * 8, 21 * 8)


def test_filters_are_told_in_the_order_in_which_they_work() -> None:
    tally = tallied([(Filter.NEAR, 1, "a"), (Filter.MENUS, 1, "a"), (Filter.SHORT, 1, "a")])
    assert list(tally.report()["filters"]) == ["menus", "short", "near"]


def test_examples_are_short_and_on_one_line() -> None:
    assert shown("bat\nbi  hiru") == "bat bi hiru"
    assert len(shown("hitza " * 100)) == 120


lines = st.lists(st.sampled_from(["", "", "bat", "bi hitz", "hiru hitz dira"]), min_size=1, max_size=10)


@given(lines, st.sets(st.integers(0, 9)))
def test_a_page_without_lines_accounts_for_every_character(parts: list[str], gone: set[int]) -> None:
    text = "\n".join(parts).strip("\n")
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    tally, before, after = Tally(), Amount(), Amount()
    before.add(text)
    page = Page((0, 1), "f:1", {}, text)
    page.shape = shapes(page.lines)
    page.take(Filter.MENUS, [at for at in gone if at < len(page.lines)], tally)
    page.take(Filter.NOTICES, [at for at in gone if at < len(page.lines)], tally)
    page.close(tally)
    after.add(page.text)
    taken = [each.amount for each in tally.taken.values()]
    assert before.characters == after.characters + sum(each.characters for each in taken)
    assert before.bytes == after.bytes + sum(each.bytes for each in taken)
    assert before.lines == after.lines + sum(each.lines for each in taken)
    assert "notices" not in tally.taken
    assert page.text == "\n".join(page.lines)
    assert "\n\n\n" not in page.text
    assert page.text == page.text.strip("\n")


def test_a_line_that_goes_does_not_part_its_neighbours() -> None:
    tally, page = Tally(), Page((0, 1), "f:1", {}, "bat\nbi\nhiru\n\nlau")
    page.take(Filter.MENUS, [1, 4], tally)
    page.close(tally)
    assert page.text == "bat\nhiru"


def test_keys_of_lines_are_those_long_enough() -> None:
    text = "lau hitz dira hemen\nhiru hitz dira\n\nlau hitz dira hemen"
    assert set(line_keys(text, 4).values()) == {"lau hitz dira hemen"}
    assert set(line_keys(text, 1).values()) == {"lau hitz dira hemen", "hiru hitz dira"}
