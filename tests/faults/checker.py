"""What the database must say afterwards."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from arena import transcript
from tests.faults.ledger import Ledger
from tests.faults.said import text_of
from tests.faults.stack import Stack

STUCK_S = 60
"""The one deadline that is an invariant: what nobody ends is given up by then."""


@dataclass(frozen=True)
class Found:
    acknowledged: int
    battles: int
    freed_s: float
    """After how many seconds nothing was open any more."""


def check(stack: Stack, ledger: Ledger, *, tally: bool = True) -> Found:
    """That nothing acknowledged is missing, doubled or other than it was told, and that nothing is stuck."""
    freed_s = _freed(stack)
    wrong = [*ledger.wrong, *_votes(stack, ledger), *_turns(stack, ledger), *_transcripts(stack, ledger)]
    assert not wrong, f"{len(wrong)} wrong: " + "\n".join(wrong[:20]) + f"\n{ledger.answers}"
    assert not _sums(stack)
    if tally:
        found = json.loads(stack.manage("manage.py", "rebuild_tally", "--check"))
        assert all(found["equal"].values()), found
    assert ledger.votes, ledger.answers
    return Found(len(ledger.votes), len(set(ledger.turns.values())), freed_s)


def _freed(stack: Stack) -> float:
    began = time.monotonic()
    while left := stack.rows(_OPEN):
        assert time.monotonic() - began < STUCK_S, f"stuck: {left}"
        time.sleep(0.2)  # the database is asked again; nobody tells
    return time.monotonic() - began


_OPEN = """
SELECT a.id, a.status, t.runner_id, t.lease_until - now() FROM arena_answer a JOIN arena_turn t ON a.turn_id = t.id
WHERE a.status IN ('pending', 'streaming') OR t.runner_id IS NOT NULL
"""


def _votes(stack: Stack, ledger: Ledger) -> list[str]:
    rows = stack.rows(
        """SELECT v.battle_id::text, count(*), count(DISTINCT v.id),
             max(j.outcome) FILTER (WHERE j.criterion = 'content'), max(j.outcome) FILTER (WHERE j.criterion = 'language'),
             max(b.status)
           FROM arena_vote v JOIN arena_judgement j ON j.vote_id = v.id JOIN arena_battle b ON b.id = v.battle_id
           WHERE v.battle_id = ANY(%s) GROUP BY v.battle_id""",
        [UUID(each.battle) for each in ledger.votes],
    )
    stored: dict[str, tuple[Any, ...]] = {row[0]: row[1:] for row in rows}
    wrong = []
    for each in ledger.votes:
        if each.battle not in stored:
            wrong.append(f"vote on {each.battle} is missing")
        elif (found := stored[each.battle]) != (2, 1, each.content, each.language, "voted"):
            wrong.append(f"vote on {each.battle} is {found}, not {each}")
    return wrong


def _turns(stack: Stack, ledger: Ledger) -> list[str]:
    rows = stack.rows(
        "SELECT key::text, battle_id::text FROM arena_turn WHERE key = ANY(%s)",
        [UUID(key) for key in ledger.turns],
    )
    stored = dict(rows)
    return [
        f"turn {key} of {battle} is missing"
        for key, battle in ledger.turns.items()
        if stored.get(key) != battle
    ]


def _transcripts(stack: Stack, ledger: Ledger) -> list[str]:
    said = {f"http://127.0.0.1:{port}/v1": text_of(port) for port in stack.ports.values()}
    rows = stack.rows(
        """SELECT t.battle_id::text, t.index, a.side, a.attempt, a.status, a.text, e.base_url
           FROM arena_answer a JOIN arena_turn t ON a.turn_id = t.id JOIN inference_modelendpoint e ON e.id = a.endpoint_id
           WHERE t.battle_id = ANY(%s)""",
        [UUID(each) for each in ledger.turns.values()],
    )
    wrong, stored = [], {}
    for battle, turn, side, attempt, status, text, address in rows:
        stored[battle, turn, side] = (attempt, status, text)
        whole = said[address]
        if not (text == whole if status == "complete" else whole.startswith(text)):
            wrong.append(
                f"{status} answer {side} of turn {turn} of {battle} is not what was said: {text[-80:]!r}"
            )
    for shown in ledger.shown:
        for side, pane in shown.panes.items():
            attempt, status, text = stored[shown.battle, shown.turn, side.value]
            html = "".join(pane.sealed) + pane.open
            if (pane.attempt, status) != (attempt, "complete") or html != transcript.render(text):
                wrong.append(
                    f"side {side} of turn {shown.turn} of {shown.battle} was shown as {html[-80:]!r}, attempt {pane.attempt};"
                    f" stored is attempt {attempt}, {status}, {text[-80:]!r}"
                )
    return wrong


def _sums(stack: Stack) -> list[tuple[Any, ...]]:
    """Criteria whose tally holds more or fewer votes than count."""
    return stack.rows(
        """SELECT criterion, sum(a_better + b_better + tie + both_bad) AS n FROM ranking_tallycell GROUP BY criterion
           HAVING sum(a_better + b_better + tie + both_bad) <> (SELECT count(*) FROM arena_vote WHERE counted)"""
    )
