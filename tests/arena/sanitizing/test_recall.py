"""How much of what was planted is found, and how much of what is found was planted."""

from __future__ import annotations

from collections import Counter

import pytest
from stdnum import iban, luhn
from stdnum.es import ccc, dni, nie

from arena.sanitizing import Kind, find, sanitize
from tests.arena.sanitizing.material import HALVES, Row, figures, main, rows


@pytest.mark.parametrize("halves", [("development",), ("held_out",), HALVES])
def test_of_what_was_planted_98_per_cent_are_found_and_95_of_each_kind(halves: tuple[str, ...]) -> None:
    said = figures(*halves)
    assert said.recall >= 0.98, said.found
    of_kinds = {kind: said.found[kind] / said.planted[kind] for kind in Kind}
    assert min(of_kinds.values()) >= (0.95 if halves == HALVES else 0.9), of_kinds


def test_of_what_is_found_99_per_cent_were_planted_and_of_what_is_certain_all() -> None:
    said = figures(*HALVES)
    assert said.precision >= 0.99
    assert said.certain_precision >= 0.999
    assert said.certain_right >= 0.98 * said.planted.total(), "few are left for people to decide"


def test_three_hundred_are_planted_among_two_hundred_clean_ones_and_no_kind_is_rare() -> None:
    told = [(half, row) for half in HALVES for row in rows(half)]
    planted = Counter[str]()
    for _, row in told:
        planted[row.kind] += len(row.planted)
    assert sum(planted.values()) >= 300
    assert min(planted[kind] for kind in Kind) >= 40
    held_out = sum(len(row.planted) for half, row in told if half == "held_out")
    assert held_out >= sum(planted.values()) / 3
    assert sum(row.is_clean for _, row in told) >= 200
    assert all(bool(row.planted) is not row.is_clean for _, row in told)
    assert len({row.text for _, row in told}) == len(told)
    assert {row.language for _, row in told} == {"eu", "es", "en", "fr"}


def details(*kinds: Kind) -> list[str]:
    return [
        row.text[slice(*span)]
        for half in HALVES
        for row in rows(half)
        if row.kind in kinds
        for span in row.planted
    ]


def test_planted_numbers_have_their_check_digits_and_are_nobodys() -> None:
    for written in details(Kind.IBAN):
        number = "".join(filter(str.isalnum, written))
        assert ccc.is_valid(number) or iban.is_valid(number, check_country=False), written
        assert {"9999", "TEST"} & {number[4:8], number[:4]}, "no bank has this code"
    for written in details(Kind.CARD):
        assert luhn.is_valid("".join(filter(str.isdecimal, written))), written
    for written in details(Kind.ID):
        number = "".join(filter(str.isalnum, written)).upper()
        assert number.isdecimal() or dni.is_valid(number) or nie.is_valid(number), written
        assert number.startswith("99") or number[1:3] == "99" or number[1:6] == "00000", "never given out"


def test_planted_mails_are_of_domains_that_nobody_can_have() -> None:
    for written in details(Kind.EMAIL):
        assert "example" in written.lower() or written.endswith(".invalid"), written


@pytest.mark.parametrize("row", [row for half in HALVES for row in rows(half)], ids=lambda row: row.kind)
def test_what_is_found_is_gone_and_the_rest_of_the_sentence_stays(row: Row) -> None:
    said, at = "", 0
    for each in find(row.text):
        said += row.text[at : each.start] + each.kind.tag
        at = each.end
    assert sanitize(row.text) == said + row.text[at:]
    assert sanitize(sanitize(row.text)) == sanitize(row.text)


def test_the_command_prints_recall_and_precision_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    said = capsys.readouterr().out
    assert said.count("recall") == said.count("precision") == 3
    assert all(said.count(f"{kind.value} ") == 3 for kind in Kind)
