"""The arithmetic of budgets."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from inference.budgets import Budget, Prices, Spent, Use, estimated_tokens, settled

counts = st.integers(0, 10**9)
money = st.decimals(0, 10**4, places=4)


def test_a_price_is_of_a_million_tokens() -> None:
    prices = Prices(prompt=Decimal("0.25"), completion=Decimal(2))
    assert prices.of(Use(1_000_000, 500_000)) == Decimal("1.25")
    assert prices.of(Use(1, 0)) == Decimal("0.00000025")
    assert Prices().of(Use(10**9, 10**9)) == 0


@given(prompt=counts, completion=counts, prices=st.tuples(money, money))
def test_costs_add_up(prompt: int, completion: int, prices: tuple[Decimal, Decimal]) -> None:
    of = Prices(*prices).of
    assert of(Use(prompt, completion)) == of(Use(prompt, 0)) + of(Use(0, completion)) >= 0


def test_a_budget_is_spent_at_its_bound_and_not_before() -> None:
    assert not Spent(tokens=99).exhausts(Budget(tokens=100))
    assert Spent(tokens=100).exhausts(Budget(tokens=100))
    assert not Spent(money=Decimal("0.99")).exhausts(Budget(money=Decimal(1)))
    assert Spent(money=Decimal(1)).exhausts(Budget(money=Decimal(1)))
    assert Spent(tokens=5, money=Decimal(1)).exhausts(Budget(tokens=100, money=Decimal(1)))


def test_a_budget_of_nothing_lets_nothing_through() -> None:
    assert Spent().exhausts(Budget(tokens=0))
    assert Spent().exhausts(Budget(money=Decimal(0)))


@given(tokens=counts, paid=money)
def test_without_a_budget_nothing_is_ever_spent(tokens: int, paid: Decimal) -> None:
    assert not Spent(tokens, paid).exhausts(Budget())


@given(uses=st.lists(st.builds(Use, counts, counts), max_size=20), prices=st.builds(Prices, money, money))
def test_a_day_is_the_sum_of_its_requests(uses: list[Use], prices: Prices) -> None:
    spent = Spent()
    for use in uses:
        spent = spent.plus(use, prices)
    assert spent.tokens == sum(use.tokens for use in uses)
    assert spent.money == sum((prices.of(use) for use in uses), Decimal(0))


@given(tokens=st.integers(0, 10**6), uses=st.lists(st.builds(Use, st.integers(0, 100), st.integers(0, 100))))
def test_more_spent_never_opens_a_budget_again(tokens: int, uses: list[Use]) -> None:
    spent, budget, was_spent = Spent(), Budget(tokens=tokens), False
    for use in uses:
        spent = spent.plus(use, Prices())
        assert spent.exhausts(budget) >= was_spent
        was_spent = spent.exhausts(budget)


def test_the_server_s_counts_are_believed() -> None:
    assert settled(prompt_tokens=7, completion_tokens=0, prompt_characters=900, characters=900) == Use(7, 0)


def test_what_the_server_did_not_tell_is_estimated_from_the_text() -> None:
    assert settled(prompt_tokens=None, completion_tokens=None, prompt_characters=30, characters=10) == Use(
        10, 4
    )
    assert settled(prompt_tokens=7, completion_tokens=None, prompt_characters=30, characters=1) == Use(7, 1)


@given(characters=st.integers(0, 10**9))
def test_an_estimate_is_never_nothing_for_something(characters: int) -> None:
    assert (estimated_tokens(characters) > 0) == (characters > 0)
    assert estimated_tokens(characters) <= characters
