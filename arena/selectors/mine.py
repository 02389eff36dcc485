"""What a volunteer's own page shows: their battles, their ranking, and how they agree with the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import TruncWeek
from django.utils import timezone

from arena import states
from arena.days import midnight
from arena.models import Battle, Campaign, Credit, Exclusion, Participant, Turn, Vote
from arena.selectors import raffles
from arena.services.battles import Identities, reveal
from arena.types import BattleSource, BattleStatus
from inference.models import Candidate
from ranking.board import build_board
from ranking.filters import ExclusionReason
from ranking.personal import PersonalRating, personal_ranking
from ranking.selectors import load_tally
from ranking.tally import Tally
from ranking.types import Criterion, Outcome

PER_PAGE = 20
_Judged = tuple[str, str, Outcome]


@dataclass(frozen=True, slots=True)
class MyBattle:
    """A battle in a list. *models* is there once it holds its vote."""

    id: UUID
    status: str
    asked: str
    begun: datetime
    is_unfinished: bool
    outcome: str
    models: Identities | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of the votes that preferred one of two models rated by the others: how many there are, and in how many the others prefer the same one."""

    votes: int
    same: int


@dataclass(frozen=True, slots=True)
class MyStanding:
    """The volunteer's votes, those credited until today, and what follows from them. *ranking* is empty while the others rate nothing."""

    votes: int
    credited: int
    tickets: int
    ranking: list[PersonalRating]
    names: dict[str, str]
    agreement: Agreement


def settled(participant: Participant, campaign: Campaign) -> int:
    """How many of the volunteer's votes of days that are over the campaign credits: what anybody is shown, since a number that moved with each vote would
    tell which ones were not. One query."""
    rows = Credit.objects.filter(
        participant=participant, campaign=campaign, vote__created_at__lt=midnight()
    ).aggregate(credited=Sum("amount"))
    return rows["credited"] or 0


def tickets(participant: Participant, campaign: Campaign, credited: int) -> int:
    """A ticket for every ten of what is *credited*; once the raffle is drawn, those that were in it, whatever became of votes since. Two queries at most."""
    draw = raffles.draw_of(campaign)
    if draw is None or draw.drawn_at is None:
        return raffles.tickets_of(credited)
    held = raffles.frozen(participant, campaign)
    return held.tickets if held else 0


def was_hasty_last_week(participant: Participant) -> bool:
    """Whether votes of the last whole week, Monday to Sunday, came too quickly to be counted. One query."""
    return this_monday() - timedelta(days=7) in hasty_weeks(participant)


def hasty_weeks(participant: Participant) -> set[datetime]:
    """When the weeks that are over began of which votes came too quickly to be counted. Neither which nor how many: who learns that at once or one by one
    learns how to hurry unnoticed. One query."""
    hasty = Exclusion.objects.filter(
        vote__participant=participant,
        vote__created_at__lt=this_monday(),
        reason__in=[ExclusionReason.TOO_FAST.value, ExclusionReason.RATE.value],
        lifted_at=None,
    )
    return set(hasty.values_list(TruncWeek("vote__created_at"), flat=True))


def this_monday() -> datetime:
    return midnight() - timedelta(days=timezone.localtime().weekday())


def my_battles(participant: Participant, page: int) -> Page[Battle]:
    """Newest first, those left before a first message aside. Raises :class:`django.core.paginator.InvalidPage`. Two queries."""
    return Paginator(_battles(participant), PER_PAGE).page(page)


def listed(battles: Page[Battle]) -> list[MyBattle]:
    unfinished = {status.value for status in states.UNFINISHED}
    return [_listed(battle, unfinished) for battle in battles]


def my_standing(participant: Participant, campaign: Campaign) -> MyStanding:
    """On the campaign's board, against the votes of all others that count. Seven queries at most, and a fit.

    Pairs that were given to judge are votes, but in no ranking: one that moved with them would tell which were controls.
    """
    rows = list(
        Vote.objects.filter(participant=participant, battle__campaign=campaign).values_list(
            "battle__candidate_a__code",
            "battle__candidate_b__code",
            "winner",
            "counted",
            "battle__source",
        )
    )
    own = [row for row in rows if row[-1] == BattleSource.LIVE.value]
    judged = [(a, b, Outcome(winner)) for a, b, winner, *_ in own]
    counted = Tally.from_votes((a, b, Outcome(winner)) for a, b, winner, counts, _ in own if counts)
    crowd = _crowd(campaign, counted)
    credited = settled(participant, campaign)
    return MyStanding(
        votes=len(rows),
        credited=credited,
        tickets=tickets(participant, campaign, credited),
        ranking=personal_ranking(Tally.from_votes(judged), crowd),
        names=dict(Candidate.objects.filter(code__in=crowd).values_list("code", "name")),
        agreement=_agreement(judged, crowd),
    )


def _battles(participant: Participant) -> QuerySet[Battle]:
    first = Turn.objects.filter(battle=OuterRef("pk"), index=1).values("text")
    return (
        Battle.objects.filter(participant=participant, source=BattleSource.LIVE.value, turns__index=1)
        .select_related("candidate_a", "candidate_b", "vote")
        .annotate(asked=Subquery(first))
        .order_by("-created_at", "pk")
    )


def _listed(battle: Battle, unfinished: set[str]) -> MyBattle:
    voted = BattleStatus(battle.status) is BattleStatus.VOTED
    return MyBattle(
        id=battle.pk,
        status=battle.status,
        asked=getattr(battle, "asked", ""),
        begun=battle.created_at,
        is_unfinished=battle.status in unfinished,
        outcome=battle.vote.winner if voted else "",
        models=reveal(battle) if voted else None,
    )


def _crowd(campaign: Campaign, counted: Tally) -> dict[str, float]:
    """The ratings that the board would have without this volunteer."""
    whole = load_tally(board_id=campaign.board_id, criterion=Criterion.OVERALL)
    aligned = Tally.empty(whole.models).merged(counted)
    others = Tally(whole.models, whole.counts - aligned.counts)
    board = build_board(others, criterion=Criterion.OVERALL)
    return {row.model: row.rating for row in board.ratings if row.rating is not None}


def _agreement(judged: list[_Judged], crowd: dict[str, float]) -> Agreement:
    decisive = [
        (crowd[a] - crowd[b], outcome)
        for a, b, outcome in judged
        if outcome in {Outcome.A_BETTER, Outcome.B_BETTER} and a in crowd and b in crowd
    ]
    same = sum((gap > 0) == (outcome is Outcome.A_BETTER) for gap, outcome in decisive)
    return Agreement(len(decisive), same)
