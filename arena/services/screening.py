"""The site's own rules, asked when a vote is cast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from arena import screening
from arena.controls import ControlKind, is_failed
from arena.models import Battle, Control, Turn, Vote
from arena.types import BattleSource, Side
from inference.identity.detect import Exchange, leaks_identity
from inference.language import answers_in_another_language
from ranking.filters import ExclusionReason
from ranking.types import Outcome


@dataclass(frozen=True, slots=True)
class Screened:
    """A battle whose vote is being cast, its turns and answers read once."""

    battle: Battle
    turns: list[Turn]
    winner: Outcome
    now: datetime

    @property
    def prompts(self) -> list[str]:
        return [turn.text for turn in self.turns]


def reasons_against(battle: Battle, winner: Outcome) -> list[ExclusionReason]:
    """Every rule that speaks against the vote that is being cast in this battle. Six queries at most."""
    seen = Screened(battle, list(battle.turns.prefetch_related("answers")), winner, timezone.now())
    return [reason for reason, speaks in _RULES.items() if speaks(seen)]


def _guest(seen: Screened) -> bool:
    return seen.battle.participant.is_guest and not seen.battle.campaign.counts_guests


def _too_fast(seen: Screened) -> bool:
    finished = [answer.finished_at for answer in seen.turns[-1].answers.all() if answer.finished_at]
    least = timedelta(milliseconds=seen.battle.campaign.too_fast_ms)
    return bool(finished) and screening.is_too_fast(seen.now - max(finished), least=least)


def _leak(seen: Screened) -> bool:
    pair = (seen.battle.candidate_a, seen.battle.candidate_b)
    return leaks_identity(
        [Exchange(turn.text, answer.text) for turn in seen.turns for answer in turn.answers.all()],
        names=[name for candidate in pair for name in (candidate.name, candidate.code)],
        makers=[candidate.maker for candidate in pair],
        system_prompt=seen.battle.system_prompt,
    )


def _wrong_language(seen: Screened) -> bool:
    return any(
        answers_in_another_language(turn.text, answer.text)
        for turn in seen.turns
        for answer in turn.answers.all()
    )


def _duplicate(seen: Screened) -> bool:
    """The volunteer asked these two candidates the same before, and voted on it."""
    if seen.battle.source != BattleSource.LIVE.value:
        return False  # somebody else asked
    a, b = seen.battle.candidate_a_id, seen.battle.candidate_b_id
    earlier = Battle.objects.filter(
        participant=seen.battle.participant,
        campaign=seen.battle.campaign,
        source=BattleSource.LIVE.value,
        vote__isnull=False,
        candidate_a__in=[a, b],
        candidate_b__in=[a, b],
    ).prefetch_related("turns")
    return any(
        screening.same_words(seen.prompts, [turn.text for turn in battle.turns.all()]) for battle in earlier
    )


def _rate(seen: Screened) -> bool:
    most = seen.battle.campaign.votes_per_hour
    recent = Vote.objects.filter(
        participant=seen.battle.participant, created_at__gte=seen.now - timedelta(hours=1)
    )
    return recent.count() >= most


def _rejudged(seen: Screened) -> bool:
    return seen.battle.source == BattleSource.REJUDGED.value


def _prompt_set(seen: Screened) -> bool:
    return seen.battle.source == BattleSource.PROMPT_SET.value


def _failed_control(seen: Screened) -> bool:
    control = Control.objects.filter(battle=seen.battle).first() if _rejudged(seen) else None
    if control is None:
        return False
    return is_failed(ControlKind(control.kind), Side(control.worse) if control.worse else None, seen.winner)


def _flagged(seen: Screened) -> bool:
    return seen.battle.participant.flagged_at is not None


def _held(seen: Screened) -> bool:
    return seen.battle.participant.held_at is not None


_RULES: dict[ExclusionReason, Callable[[Screened], bool]] = {
    ExclusionReason.GUEST: _guest,
    ExclusionReason.TOO_FAST: _too_fast,
    ExclusionReason.IDENTITY_LEAK: _leak,
    ExclusionReason.WRONG_LANGUAGE: _wrong_language,
    ExclusionReason.DUPLICATE_PROMPT: _duplicate,
    ExclusionReason.RATE: _rate,
    ExclusionReason.FLAGGED_USER: _flagged,
    ExclusionReason.HELD: _held,
    ExclusionReason.REJUDGED: _rejudged,
    ExclusionReason.PROMPT_SET: _prompt_set,
    ExclusionReason.FAILED_CONTROL: _failed_control,
}
