"""The order of the fair queue."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.queue.fair import FairQueue


def queue_of(*tickets: str) -> FairQueue:
    """Tickets are named for their user and a number."""
    queue = FairQueue()
    for ticket in tickets:
        queue.join(ticket, ticket[0])
    return queue


def drained(queue: FairQueue) -> list[str]:
    return [queue.pop() for _ in range(len(queue))]


def test_users_with_one_ticket_each_are_served_as_they_came() -> None:
    assert drained(queue_of("a1", "b1", "c1")) == ["a1", "b1", "c1"]


def test_a_user_with_many_tickets_takes_turns_with_the_others() -> None:
    assert drained(queue_of("a1", "a2", "a3", "b1", "b2", "c1")) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_a_newcomer_goes_before_the_second_ticket_of_whoever_waits() -> None:
    queue = queue_of("a1", "a2", "a3")
    assert queue.pop() == "a1"
    assert queue.join("b1", "b") == 1
    assert drained(queue) == ["b1", "a2", "a3"]


def test_whoever_asks_again_and_again_starves_nobody() -> None:
    queue = queue_of("a1", "b1", "b2")
    served = []
    for number in range(2, 6):
        served.append(queue.pop())
        queue.join(f"a{number}", "a")
    assert served.index("b2") <= 3


def test_a_place_that_is_given_up_gives_its_round_back() -> None:
    queue = queue_of("a1", "b1", "c1")
    assert queue.leave("a1")
    queue.join("a2", "a")
    assert queue.order() == ["b1", "c1", "a2"]  # behind those of its round, not a round later
    queue.join("b2", "b")
    assert queue.order() == ["b1", "c1", "a2", "b2"]


def test_leaving_twice_or_without_a_place_changes_nothing() -> None:
    queue = queue_of("a1", "b1")
    assert queue.leave("a1")
    assert not queue.leave("a1")
    assert not queue.leave("c1")
    assert queue.order() == ["b1"]


def test_nobody_to_let_in_is_an_error() -> None:
    with pytest.raises(IndexError):
        FairQueue().pop()


def test_an_empty_queue_remembers_nobody() -> None:
    queue = queue_of("a1", "a2")
    drained(queue)
    queue.join("b1", "b")
    assert queue.join("a3", "a") == 2
    queue.join("b2", "b")
    assert queue.order() == ["b1", "a3", "b2"]


arrivals = st.lists(st.sampled_from("abcd"), max_size=40)


@given(arrivals)
def test_everybody_is_served_once_and_each_user_s_tickets_in_order(users: list[str]) -> None:
    tickets = [f"{user}{number:02}" for number, user in enumerate(users)]
    served = drained(queue_of(*tickets))
    assert sorted(served) == sorted(tickets)
    for user in set(users):
        own = [ticket for ticket in served if ticket[0] == user]
        assert own == sorted(own)


@given(arrivals)
def test_among_those_who_wait_all_along_nobody_is_served_twice_before_another_once(users: list[str]) -> None:
    queue = queue_of(*(f"{user}{number}" for number, user in enumerate(users)))
    left = {user: users.count(user) for user in set(users)}
    turns = dict.fromkeys(left, 0)
    for ticket in drained(queue):
        user = ticket[0]
        turns[user] += 1
        left[user] -= 1
        for other in turns:
            assert left[other] == 0 or turns[user] <= turns[other] + 1


@given(st.lists(st.tuples(st.sampled_from(["join", "pop", "leave"]), st.sampled_from("abc")), max_size=60))
def test_a_user_who_waits_is_passed_at_most_once_by_each_other(steps: list[tuple[str, str]]) -> None:
    """However others come and go, from the time a user's first ticket is in, nobody else is served more than twice before it."""
    queue, number = FairQueue(), 0
    waiting: dict[str, list[str]] = {user: [] for user in "abc"}
    passed: dict[str, dict[str, int]] = {user: {} for user in "abc"}
    for step, user in steps:
        if step == "join":
            number += 1
            if not waiting[user]:
                passed[user] = {}
            waiting[user].append(f"{user}{number}")
            queue.join(f"{user}{number}", user)
        elif step == "leave" and waiting[user]:
            assert queue.leave(waiting[user].pop())
        elif step == "pop" and len(queue):
            ticket = queue.pop()
            waiting[ticket[0]].remove(ticket)
            passed[ticket[0]] = {}
            for other in "abc":
                if other != ticket[0] and waiting[other]:
                    passed[other][ticket[0]] = passed[other].get(ticket[0], 0) + 1
                    assert passed[other][ticket[0]] <= 2
