"""The draw as a pure function: repeatable by anybody, one prize a person, chances as tickets."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena import raffle
from arena.raffle import ALGORITHM, Holder, commitment, draw, faults

SEED = "hazia"
SEEDS = st.text(min_size=1, max_size=20)
HOLDERS = st.lists(
    st.builds(Holder, st.text(min_size=1, max_size=8), st.integers(0, 6)),
    max_size=12,
    unique_by=lambda holder: holder.pseudonym,
)
PRIZES = st.integers(0, 8)


def published(seed: str, holders: list[Holder], prizes: int) -> dict[str, Any]:
    won = draw(seed=seed, holders=holders, prizes=prizes)
    return {
        "algorithm": ALGORITHM,
        "seed": seed,
        "commitment": commitment(seed),
        "prizes": prizes,
        "holders": [asdict(holder) for holder in holders],
        "winners": [asdict(win) for win in won],
    }


def places(seed: str, holders: list[Holder]) -> list[str]:
    return [win.pseudonym for win in draw(seed=seed, holders=holders, prizes=len(holders))]


@given(SEEDS, HOLDERS, PRIZES)
def test_it_can_be_repeated_in_the_words_of_its_documentation(
    seed: str, holders: list[Holder], prizes: int
) -> None:
    tickets = sorted(
        (hashlib.sha256(f"{seed}|{each.pseudonym}|{n}".encode()).hexdigest(), at, each.pseudonym)
        for at, each in enumerate(holders)
        for n in range(1, each.tickets + 1)
    )
    expected = list(dict.fromkeys(pseudonym for _, _, pseudonym in tickets))[:prizes]
    won = draw(seed=seed, holders=holders, prizes=prizes)
    assert [win.pseudonym for win in won] == expected
    assert [win.place for win in won] == list(range(1, len(expected) + 1))
    assert all(win.number == raffle.number(seed, win.pseudonym, win.ticket) for win in won)


@given(SEEDS, HOLDERS, PRIZES)
def test_nobody_wins_twice_and_no_prize_is_left_while_somebody_holds_a_ticket(
    seed: str, holders: list[Holder], prizes: int
) -> None:
    won = [win.pseudonym for win in draw(seed=seed, holders=holders, prizes=prizes)]
    assert len(set(won)) == len(won) == min(prizes, sum(each.tickets > 0 for each in holders))


@given(SEEDS, HOLDERS.filter(bool), st.integers(1, 9), st.data())
def test_more_tickets_never_harm_and_leave_the_others_in_their_order(
    seed: str, holders: list[Holder], more: int, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(holders) - 1))
    mine = holders[at]
    richer = [*holders[:at], Holder(mine.pseudonym, mine.tickets + more), *holders[at + 1 :]]
    before, after = places(seed, holders), places(seed, richer)
    assert mine.pseudonym not in before or after.index(mine.pseudonym) <= before.index(mine.pseudonym)
    assert [each for each in after if each != mine.pseudonym] == [
        each for each in before if each != mine.pseudonym
    ]


def test_chances_are_as_tickets() -> None:
    holders = [Holder("ane", 3), Holder("jon", 1), Holder("miren", 0)]
    first = Counter(places(str(n), holders)[0] for n in range(4000))
    assert abs(first["ane"] / 4000 - 0.75) < 0.03
    assert first["miren"] == 0


def test_of_equal_numbers_the_first_of_the_list_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raffle, "number", lambda *_: "0" * 64)
    assert places(SEED, [Holder("b", 1), Holder("a", 5)]) == ["b", "a"]
    assert draw(seed=SEED, holders=[Holder("a", 5)], prizes=1)[0].ticket == 1


def test_two_of_one_pseudonym_cannot_be_told_apart() -> None:
    with pytest.raises(ValueError, match="pseudonym"):
        draw(seed=SEED, holders=[Holder("a", 1), Holder("a", 2)], prizes=1)


@given(SEEDS, HOLDERS.map(lambda found: [each for each in found if each.tickets]), PRIZES)
def test_what_is_published_fits_together(seed: str, holders: list[Holder], prizes: int) -> None:
    assert faults(json.loads(json.dumps(published(seed, holders, prizes)))) == []


HONEST = published(SEED, [Holder("a", 2), Holder("b", 1), Holder("c", 4)], 2)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"seed": "beste hazi bat"}, "committed"),
        ({"winners": HONEST["winners"][::-1]}, "other winners"),
        ({"prizes": 1}, "other winners"),
        ({"holders": [*HONEST["holders"], {"pseudonym": "d", "tickets": 4000}]}, "other winners"),
        ({"holders": [*HONEST["holders"], {"pseudonym": "d", "tickets": 0}]}, "no ticket"),
        ({"algorithm": "lowest-md5"}, "not known"),
    ],
)
def test_what_was_tampered_with_is_found(change: dict[str, Any], fault: str) -> None:
    assert any(fault in each for each in faults(HONEST | change))


@pytest.mark.parametrize(
    ("text", "code"),
    [(json.dumps(HONEST), 0), (json.dumps(HONEST | {"prizes": 1}), 1), ("{}", 2), ("[1]", 2), ("?", 2)],
)
def test_anybody_can_check_a_file_without_the_site(tmp_path: Path, text: str, code: int) -> None:
    (tmp_path / "zozketa.json").write_text(text)
    command = [sys.executable, "-m", "arena.raffle", str(tmp_path / "zozketa.json")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == code, found.stderr
    assert code == 2 or json.loads(found.stdout)["ok"] == (code == 0)
