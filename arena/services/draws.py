"""Who meets whom: the draw that opens a battle, and the draw of who takes the place of a side that died."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from arena.errors import Refused
from arena.models import Battle, Campaign, Participant
from arena.selectors.pools import pool_now
from arena.types import BattleSource, RefusalCode, Side
from inference.models import Candidate
from ranking.canaries import draw_opponent, draw_with_canaries
from ranking.policies import named_policy
from ranking.sampler import Situation, situation_of
from ranking.selectors import load_tally
from ranking.types import Criterion


@dataclass(frozen=True, slots=True)
class Draw:
    """Two candidates with the probability of their draw and the seed that repeats it."""

    candidate_a: Candidate
    candidate_b: Candidate
    policy: str
    propensity: float
    seed: int


def draw_pair(*, participant: Participant, campaign: Campaign) -> Draw:
    """Who meets in the participant's next battle. Raises ``Refused`` where fewer than two candidates are at work."""
    pool = pool_now(campaign)
    seed = secrets.randbits(63)
    try:
        drawn = draw_with_canaries(
            _situation(pool.candidates, participant, campaign),
            named_policy(campaign.sampling_policy),
            pool.shares,
            random.Random(seed),  # noqa: S311  # a seeded, replayable draw; the seed itself is secret-grade
        )
    except ValueError:
        raise Refused(RefusalCode.NO_MODELS) from None
    a, b = pool.candidates[drawn.model_a], pool.candidates[drawn.model_b]
    return Draw(a, b, drawn.policy, drawn.propensity, seed)


def draw_replacement(*, battle: Battle, side: Side) -> Draw | None:
    """Who takes *side* of the battle, the other side standing; ``None`` where nobody else is at work.

    Neither who stood there nor anybody replaced in this battle before is drawn.
    """
    stands = battle.candidate_b if side is Side.A else battle.candidate_a
    gone = {battle.candidate_a_id, battle.candidate_b_id} - {stands.pk}
    gone |= set(battle.replacements.values_list("candidate_id", flat=True))
    pool = pool_now(battle.campaign)
    able = {code: each for code, each in pool.candidates.items() if each.pk not in gone}
    able[stands.code] = stands  # it need not be fit for a new battle to end this one
    seed = secrets.randbits(63)
    try:
        drawn = draw_opponent(
            _situation(able, battle.participant, battle.campaign),
            named_policy(battle.campaign.sampling_policy),
            pool.shares,
            random.Random(seed),  # noqa: S311  # as above
            beside=stands.code,
            beside_is_a=side is Side.B,
        )
    except ValueError:
        return None
    return Draw(able[drawn.model_a], able[drawn.model_b], drawn.policy, drawn.propensity, seed)


def _situation(candidates: Collection[str], participant: Participant, campaign: Campaign) -> Situation:
    tally = load_tally(board_id=campaign.board_id, criterion=Criterion.OVERALL)
    return situation_of(tally, candidates, seen=_seen(participant, campaign, candidates))


def _seen(participant: Participant, campaign: Campaign, codes: Iterable[str]) -> Counter[frozenset[str]]:
    """How often the participant met each pair of these codes in this campaign. One query."""
    known = set(codes)
    met = Battle.objects.filter(
        participant=participant, campaign=campaign, source=BattleSource.LIVE.value
    ).values_list("candidate_a__code", "candidate_b__code")
    return Counter(frozenset(pair) for pair in met if known.issuperset(pair))
