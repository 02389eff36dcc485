"""Each part of the site killed with -9 and hung, one at a time, while people play and twenty vote a second.

Invariants of each: every acknowledged vote is there once and as it was cast, the tally equals the votes, no turn is open a minute later, what pages
showed is what the model servers said, and no refusal is in another language than its reader's.
"""

from __future__ import annotations

import time
from uuid import uuid4

import pytest

from inference.processes import wait_until
from tests.faults.checker import Found, check
from tests.faults.conftest import Report
from tests.faults.drive import People, driving
from tests.faults.stack import MODELS, PATIENCE_S, Stack

pytestmark = pytest.mark.faults

ORDER = "import django; django.setup(); from arena.tasks import begin_export; from uuid import UUID; begin_export(UUID(int=0))"
"""A page that orders an export tells the worker so; it must come to an end."""
HUNG_S = 8.0
"""How long a part hangs: longer than the scaled lease."""


def figures(found: Found) -> dict[str, object]:
    return {"votes": found.acknowledged, "battles": found.battles, "freed_s": found.freed_s}


def test_a_web_process_that_is_killed_takes_nothing_with_it(
    stack: Stack, people: People, seed: int, report: Report
) -> None:
    """The other process goes on at once."""
    with driving(stack, people, seed) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        stack.kill("web1")
        killed = time.monotonic()
        other_s = ledger.first("vote", killed, "web2")
        stack.start("web1")
        started = time.monotonic()
        again_s = ledger.first("vote", started, "web1")
        ledger.first("ready", started, "web1")
    report(other_s=other_s, again_s=again_s, **figures(check(stack, ledger)))


def test_a_web_process_that_hangs_holds_nobody_up_for_long(
    stack: Stack, people: People, seed: int, report: Report
) -> None:
    """It hangs within a transaction, with rows locked: the database takes them from it."""
    with driving(stack, people, seed) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        _hang_within_a_transaction(stack, "web1")
        hung = time.monotonic()
        other_s = ledger.first("vote", hung + 0.5, "web2")
        time.sleep(max(0.0, hung + HUNG_S - time.monotonic()))
        stack.thaw("web1")
        thawed = time.monotonic()
        again_s = ledger.first("vote", thawed, "web1")
        ledger.first("ready", thawed, "web1")
    report(other_s=other_s, again_s=again_s, **figures(check(stack, ledger)))


def _hang_within_a_transaction(stack: Stack, web: str) -> None:
    """Hung again and again, until a transaction that has written stands open and nobody goes on with it."""
    within = """SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction' AND backend_xid IS NOT NULL
                AND state_change < now() - interval '200 ms'"""

    def caught() -> bool:
        stack.hang(web)
        time.sleep(0.3)
        if stack.rows(within):
            return True
        stack.thaw(web)
        time.sleep(0.05)
        return False

    assert wait_until(caught, within_s=PATIENCE_S)


def test_a_worker_that_is_killed_leaves_nothing_undone(
    stack: Stack, people: People, seed: int, report: Report
) -> None:
    """Votes and battles do without it; what it tends is tended once there is another."""
    with driving(stack, people, seed, votes_a_second=10) as drive:
        stack.kill("worker")
        killed = time.monotonic()
        drive.ledger.first("ready", killed)
        orphan = _orphan(stack, people)
        stack.start("worker")
        tended_s = _tended_s(stack, orphan)
    report(tended_s=tended_s, **figures(check(stack, drive.ledger)))


def test_a_worker_that_hangs_tends_everything_afterwards(
    stack: Stack, people: People, seed: int, report: Report
) -> None:
    with driving(stack, people, seed, votes_a_second=10) as drive:
        stack.hang("worker")
        hung = time.monotonic()
        drive.ledger.first("ready", hung)
        time.sleep(HUNG_S)
        orphan = _orphan(stack, people)
        stack.thaw("worker")
        tended_s = _tended_s(stack, orphan)
    report(tended_s=tended_s, **figures(check(stack, drive.ledger)))


def _orphan(stack: Stack, people: People) -> str:
    """A turn whose process died and that nobody follows."""
    _, battle = people.stock.pop()
    stack.rows(
        "UPDATE arena_turn SET runner_id = %s, lease_until = now() - interval '1 s' WHERE battle_id = %s RETURNING id",
        uuid4(),
        battle,
    )
    return battle


def _tended_s(stack: Stack, battle: str) -> float:
    began = time.monotonic()
    held = "SELECT 1 FROM arena_turn WHERE battle_id = %s AND runner_id IS NOT NULL"
    assert wait_until(lambda: not stack.rows(held, battle), within_s=PATIENCE_S, step_s=0.2), stack.log(
        "worker"
    )
    return time.monotonic() - began


def test_a_database_that_is_killed_keeps_every_acknowledged_vote(
    stack: Stack, people: People, seed: int, report: Report
) -> None:
    with driving(stack, people, seed) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        stack.kill("postgres")
        time.sleep(2)
        stack.start("postgres")
        started = time.monotonic()
        vote_s = ledger.first("vote", started)
        ready_s = ledger.first("ready", started)
    report(vote_s=vote_s, ready_s=ready_s, **figures(check(stack, ledger)))


def test_a_database_that_hangs_is_waited_for(stack: Stack, people: People, seed: int, report: Report) -> None:
    with driving(stack, people, seed) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        stack.hang("postgres")
        time.sleep(HUNG_S)
        stack.thaw("postgres")
        thawed = time.monotonic()
        vote_s = ledger.first("vote", thawed)
        ready_s = ledger.first("ready", thawed)
    report(vote_s=vote_s, ready_s=ready_s, **figures(check(stack, ledger)))


def test_a_database_out_of_connections_refuses_in_the_readers_language(
    stack: Stack, people: People, seed: int, report: Report
) -> None:
    with driving(stack, people, seed) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        stack.kill("web1")  # so that its connections are free to be taken
        taken = []
        try:
            while True:
                taken.append(stack.connect())
        except Exception as error:  # noqa: BLE001  # whatever it is, its words are looked at
            assert "too many clients" in str(error) or "reserved" in str(error)
        stack.start("web1")
        assert wait_until(lambda: ledger.answers["POST 500"] > 0, within_s=PATIENCE_S), ledger.answers
        for each in taken:
            each.close()
        freed = time.monotonic()
        vote_s = ledger.first("vote", freed, "web1")
    report(
        vote_s=vote_s, taken=len(taken), refused=ledger.answers["POST 500"], **figures(check(stack, ledger))
    )


@pytest.mark.parametrize("empty", [False, True], ids=["with its file", "empty"])
def test_without_valkey_votes_and_battles_go_on(
    stack: Stack, people: People, seed: int, report: Report, empty: bool
) -> None:
    """What it knew may be lost: each process begins its streams again, and the worker tends on."""
    with driving(stack, people, seed) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        stack.kill("valkey")
        killed = time.monotonic()
        vote_s, ready_s = ledger.first("vote", killed), ledger.first("ready", killed)
        if empty:
            stack.forget_valkey()
        stack.start("valkey")
        started = time.monotonic()
        ledger.first("ready", started)
        orphan = _orphan(stack, people)
        tended_s = _tended_s(stack, orphan)
    report(vote_s=vote_s, ready_s=ready_s, tended_s=tended_s, **figures(check(stack, ledger)))


def test_a_valkey_that_hangs_holds_nobody_up(stack: Stack, people: People, seed: int, report: Report) -> None:
    with driving(stack, people, seed) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        stack.hang("valkey")
        hung = time.monotonic()
        vote_s, ready_s = ledger.first("vote", hung + 0.5), ledger.first("ready", hung + 3)
        asked = time.monotonic()
        stack.manage("-c", ORDER)
        order_s = time.monotonic() - asked
        time.sleep(max(0.0, hung + HUNG_S - time.monotonic()))
        stack.thaw("valkey")
        ledger.first("ready", time.monotonic())
        tended_s = _tended_s(stack, _orphan(stack, people))
    report(
        vote_s=vote_s, ready_s=ready_s, order_s=order_s, tended_s=tended_s, **figures(check(stack, ledger))
    )


@pytest.mark.parametrize("how", ["kill", "hang"])
def test_a_model_server_that_is_lost_is_replaced(
    stack: Stack, people: People, seed: int, report: Report, how: str
) -> None:
    """One of three: its sides go to another candidate, or are asked again."""
    with driving(stack, people, seed, votes_a_second=10) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        stack.kill("models1") if how == "kill" else stack.hang("models1")
        lost = time.monotonic()
        ready_s = ledger.first("ready", lost + 1) + 1
        time.sleep(max(0.0, lost + HUNG_S - time.monotonic()))
        stack.up("models1")
    report(ready_s=ready_s, **figures(check(stack, ledger)))


@pytest.mark.parametrize("how", ["kill", "hang"])
def test_without_any_model_server_votes_go_on_and_battles_wait(
    stack: Stack, people: People, seed: int, report: Report, how: str
) -> None:
    with driving(stack, people, seed, votes_a_second=10) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        if how == "kill":
            stack.kill(*MODELS)
        else:
            for each in MODELS:
                stack.hang(each)
        time.sleep(HUNG_S)
        ledger.first("vote", time.monotonic())
        stack.up(*MODELS)
        back = time.monotonic()
        ready_s = ledger.first("ready", back)
    report(ready_s=ready_s, **figures(check(stack, ledger)))


def test_everything_killed_at_once_comes_back_with_every_acknowledged_vote(
    stack: Stack, people: People, seed: int, report: Report
) -> None:
    """What a power cut leaves where the disk keeps what it said it had written; that it does cannot be shown here."""
    with driving(stack, people, seed) as drive:
        ledger = drive.ledger
        ledger.first("ready", time.monotonic())
        assert stack.rows("SHOW fsync") == [("on",)]
        stack.kill(*stack.running)
        killed = time.monotonic()
        stack.up()
        up_s = time.monotonic() - killed
        vote_s, ready_s = ledger.first("vote", killed), ledger.first("ready", killed)
    report(up_s=up_s, vote_s=vote_s, ready_s=ready_s, **figures(check(stack, ledger)))
