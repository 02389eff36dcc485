from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.policies import DEFAULT_POLICY, NAME_MAX_CHARS, PRESETS, SamplingPolicy, named_policy

hundredths = st.integers(0, 100).map(lambda whole: whole / 100)
policies_strategy = st.builds(
    SamplingPolicy,
    floor=st.integers(1, 100).map(lambda whole: whole / 100),
    newcomer=st.integers(0, 50).map(lambda whole: whole / 100),
    duel=hundredths,
)


@given(policies_strategy)
def test_a_name_tells_all_parameters_and_fits_its_column(policy: SamplingPolicy) -> None:
    assert named_policy(policy.name) == policy
    assert len(policy.name) <= NAME_MAX_CHARS


def test_presets_go_by_their_own_name() -> None:
    assert {name: policy.name for name, policy in PRESETS.items()} == {name: name for name in PRESETS}
    assert named_policy("mixed-1(f=0.1,n=0.5,d=0)").name == "balanced-2"


def test_parameters_are_written_out_in_a_fixed_form() -> None:
    assert SamplingPolicy(floor=0.1, newcomer=0.5, duel=0.1).name == "mixed-1(f=0.1,n=0.5,d=0.1)"
    assert SamplingPolicy(floor=1, newcomer=0.25, duel=0.07).name == "mixed-1(f=1,n=0.25,d=0.07)"


def test_the_default_lets_newcomers_have_half_and_nobody_duel() -> None:
    policy = named_policy(DEFAULT_POLICY)
    assert (policy.floor, policy.newcomer, policy.duel) == (0.1, 0.5, 0.0)
    assert policy == SamplingPolicy()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "swiss",
        "Balanced",
        "balanced-3",
        "mixed-1",
        "mixed-2(f=0.1,n=0.5,d=0)",
        "mixed-1(f=0.1,n=0.5)",
        "mixed-1(f=0.1,n=0.5,d=0) ",
        "mixed-1(f=.,n=0,d=0)",
        "mixed-1(f=1.2,n=0,d=0)",
        "mixed-1(f=0.123,n=0,d=0)",
    ],
)
def test_an_unknown_policy_is_refused_and_the_known_ones_named(name: str) -> None:
    with pytest.raises(ValueError, match="there are uniform, balanced, balanced-2 and mixed-1"):
        named_policy(name)


def test_a_name_with_impossible_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="not more"):
        named_policy("mixed-1(f=0.1,n=0.6,d=0)")


@pytest.mark.parametrize("share", [-0.1, 1.01, 0.123, float("nan"), float("inf")])
@pytest.mark.parametrize("which", ["floor", "newcomer", "duel"])
def test_a_share_is_a_probability_of_two_decimals(which: str, share: float) -> None:
    with pytest.raises(ValueError, match="two decimals"):
        SamplingPolicy(**{which: share})


def test_newcomers_never_get_more_than_half() -> None:
    with pytest.raises(ValueError, match="half of the battles"):
        SamplingPolicy(newcomer=0.51)


@pytest.mark.parametrize(("newcomer", "duel"), [(0.5, 0.0), (0.0, 0.1)])
def test_who_prefers_pairs_needs_a_floor(newcomer: float, duel: float) -> None:
    with pytest.raises(ValueError, match="needs a floor"):
        SamplingPolicy(floor=0.0, newcomer=newcomer, duel=duel)
