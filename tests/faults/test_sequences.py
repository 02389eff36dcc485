"""Random sequences of kills and hangs under twenty votes a second.

A sequence is its seed: ``make test-faults ARGS="-k sequences --seed 17 --sequences 1"`` repeats the one of 17.
"""

from __future__ import annotations

import random
import time
from statistics import median

import pytest

from tests.faults.checker import Found, check
from tests.faults.conftest import Report
from tests.faults.drive import People, driving
from tests.faults.stack import PARTS, Stack

pytestmark = pytest.mark.faults

EVERYTHING = "everything"


def test_random_sequences_lose_double_and_leave_nothing(
    stack: Stack, people: People, seed: int, report: Report, request: pytest.FixtureRequest
) -> None:
    count: int = request.config.getoption("--sequences", 50)
    began = time.monotonic()
    found: list[tuple[Found, float]] = []
    for number in range(count):
        stack.up()
        found.append(sequence(stack, people, seed + number))
        one, back_s = found[-1]
        print(
            f"sequence {seed + number}: {one.acknowledged} votes, back after {back_s:.1f} s, free after {one.freed_s:.1f} s",
            flush=True,
        )
    backs = sorted(back_s for _, back_s in found)
    report(
        sequences=count,
        votes=sum(one.acknowledged for one, _ in found),
        battles=sum(one.battles for one, _ in found),
        back_median_s=median(backs),
        back_most_s=backs[-1],
        freed_most_s=max(one.freed_s for one, _ in found),
        minutes=(time.monotonic() - began) / 60,
    )


def sequence(stack: Stack, people: People, seed: int) -> tuple[Found, float]:
    """Two to four faults; what was found, and how long after everything was up again the first vote came."""
    chance = random.Random(seed)
    with driving(stack, people, seed) as drive:
        drive.ledger.first("vote", time.monotonic())
        for _ in range(chance.randint(2, 4)):
            time.sleep(chance.uniform(0.3, 2.0))
            _break(stack, chance)
        stack.up()
        up = time.monotonic()
        back_s = drive.ledger.first("vote", up)
        drive.ledger.first("ready", up)
    try:
        return check(stack, drive.ledger), back_s
    except AssertionError as error:
        raise AssertionError(f"sequence {seed}: {error}") from None


def _break(stack: Stack, chance: random.Random) -> None:
    """Kill or hang a part, or everything; some parts come back at once, others only at the end."""
    name = chance.choice([*PARTS, EVERYTHING])
    if name == EVERYTHING:
        stack.kill(*[each for each in PARTS if stack.runs(each)])
        print("  everything is killed", flush=True)
        for each in PARTS:
            stack.start(each)
    elif not stack.runs(name):
        stack.start(name)
    elif chance.random() < 0.3:
        pause_s = chance.uniform(1, 5)
        print(f"  {name} hangs for {pause_s:.1f} s", flush=True)
        stack.hang(name)
        time.sleep(pause_s)
        stack.thaw(name)
    else:
        print(f"  {name} is killed", flush=True)
        stack.kill(name)
        if name == "postgres" or chance.random() < 0.5:
            time.sleep(chance.uniform(0, 2))
            stack.start(name)
