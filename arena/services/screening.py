"""The site's own rules, asked when a vote is cast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from arena import screening
from arena.controls import ControlKind, is_failed
from arena.models import Battle, Control
from arena.selectors.judging import judged_before
from arena.selectors.voting import Asked, RecentVotes, earlier_prompts
from arena.types import BattleSource, Side
from inference.identity.detect import Exchange, leaks_identity
from inference.language import answers_in_another_language
from ranking.filters import ExclusionReason
from ranking.types import Outcome


@dataclass(frozen=True, slots=True)
class Texts:
    """A battle and what was said in it, read once."""

    battle: Battle
    chat: list[Asked]


@dataclass(frozen=True, slots=True)
class Screened(Texts):
    """A battle whose vote is being cast, and what else was read once for all rules."""

    winner: Outcome
    recent: RecentVotes
    now: datetime


def reasons_against(
    battle: Battle, chat: list[Asked], winner: Outcome, recent: RecentVotes
) -> list[ExclusionReason]:
    """Every rule that speaks against the vote that is being cast in this battle. One query, and one more of a pair that was given to judge."""
    seen = Screened(battle, chat, winner, recent, timezone.now())
    found = [reason for reason, speaks in _RULES.items() if speaks(seen)]
    return [*found, *reasons_in_texts(battle, chat)]


def reasons_in_texts(battle: Battle, chat: list[Asked]) -> list[ExclusionReason]:
    """What the rules that read texts alone say of a battle, when its vote is cast and at any time later. No query."""
    texts = Texts(battle, chat)
    return [reason for reason, speaks in TEXT_RULES.items() if speaks(texts)]


def _guest(seen: Screened) -> bool:
    return seen.battle.participant.is_guest and not seen.battle.campaign.counts_guests


def _too_fast(seen: Screened) -> bool:
    finished = [answer.finished_at for answer in seen.chat[-1].answers if answer.finished_at]
    least = timedelta(milliseconds=seen.battle.campaign.too_fast_ms)
    return bool(finished) and screening.is_too_fast(seen.now - max(finished), least=least)


def _leak(seen: Texts) -> bool:
    pair = (seen.battle.candidate_a, seen.battle.candidate_b)
    return leaks_identity(
        [Exchange(turn.text, answer.text) for turn in seen.chat for answer in turn.answers],
        names=[name for candidate in pair for name in (candidate.name, candidate.code)],
        makers=[candidate.maker for candidate in pair],
        system_prompt=seen.battle.system_prompt,
    )


def _wrong_language(seen: Texts) -> bool:
    return any(
        answers_in_another_language(turn.text, answer.text) for turn in seen.chat for answer in turn.answers
    )


def _duplicate(seen: Screened) -> bool:
    """The volunteer asked these two candidates the same before, and voted on it; or judged these two answers before."""
    if seen.battle.source != BattleSource.LIVE.value:
        return judged_before(seen.battle)
    prompts = [turn.text for turn in seen.chat]
    return any(screening.same_words(prompts, earlier) for earlier in earlier_prompts(seen.battle))


def _rate(seen: Screened) -> bool:
    return seen.recent.in_an_hour >= seen.battle.campaign.votes_per_hour


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


TEXT_RULES: dict[ExclusionReason, Callable[[Texts], bool]] = {
    ExclusionReason.IDENTITY_LEAK: _leak,
    ExclusionReason.WRONG_LANGUAGE: _wrong_language,
}
_RULES: dict[ExclusionReason, Callable[[Screened], bool]] = {
    ExclusionReason.GUEST: _guest,
    ExclusionReason.TOO_FAST: _too_fast,
    ExclusionReason.DUPLICATE_PROMPT: _duplicate,
    ExclusionReason.RATE: _rate,
    ExclusionReason.FLAGGED_USER: _flagged,
    ExclusionReason.HELD: _held,
    ExclusionReason.REJUDGED: _rejudged,
    ExclusionReason.PROMPT_SET: _prompt_set,
    ExclusionReason.FAILED_CONTROL: _failed_control,
}
