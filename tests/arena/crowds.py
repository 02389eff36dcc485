"""Votes by the hundred, stored at once: what tests of statistics look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
from django.db import connection

from arena.models import Answer, Battle, Campaign, Exclusion, Judgement, Participant, Turn, User, Vote
from arena.reports.base import Source
from arena.services import boards
from arena.services.credits import book
from arena.types import AnswerStatus, BattleStatus, Education, LanguageLevel
from inference.models import Candidate
from ranking.ballots import Ballots
from ranking.board import build_board
from ranking.filters import ExclusionReason
from ranking.models import Board
from ranking.selectors import board_tally
from ranking.types import Criterion, Outcome
from tests.arena.builders import make_campaign

START = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday


@dataclass(frozen=True, slots=True)
class Told:
    """What was asked and answered in a battle: its messages, A's and B's text and time to each of them, and the day."""

    prompts: Sequence[str] = ("Kaixo",)
    a: str = "Erantzuna"
    b: str = "Erantzuna"
    ms_a: int | None = 5
    ms_b: int | None = 5
    day: int = 0


def store(
    ballots: Ballots,
    *,
    campaign: Campaign | None = None,
    told: Callable[[int], Told] = lambda _: Told(),
    level: Callable[[int], LanguageLevel | None] = lambda _: None,
    education: Callable[[int], Education | None] = lambda _: None,
    reasons: Sequence[ExclusionReason] = (),
) -> tuple[Campaign, list[Participant]]:
    """The ballots as votes of new participants, content and language judged alike; every one has *reasons* against it. The tally follows."""
    campaign = campaign or make_campaign(candidates=0)
    people = [
        Participant(language_level=level(user) or "", education=education(user) or "")
        for user in range(int(ballots.user.max()) + 1)
    ]
    Participant.objects.bulk_create(people)
    candidates = [
        Candidate.objects.get_or_create(code=code, defaults={"name": code})[0] for code in ballots.models
    ]
    rows = [_rows(ballots, at, campaign, people, candidates, told(at)) for at in range(ballots.n_votes)]
    Battle.objects.bulk_create(row.battle for row in rows)
    Turn.objects.bulk_create(turn for row in rows for turn in row.turns)
    Answer.objects.bulk_create(answer for row in rows for answer in row.answers)
    for row in rows:
        row.vote.counted = not reasons
    Vote.objects.bulk_create(row.vote for row in rows)
    Judgement.objects.bulk_create(
        Judgement(vote=row.vote, criterion=criterion.value, outcome=row.vote.winner)
        for row in rows
        for criterion in (Criterion.CONTENT, Criterion.LANGUAGE)
    )
    Exclusion.objects.bulk_create(
        Exclusion(vote=row.vote, reason=reason.value, source="rule") for row in rows for reason in reasons
    )
    boards.rebuild(board=campaign.board, check=False)
    with (
        connection.cursor() as cursor
    ):  # after thousands of rows within one transaction the planner takes the tables to be empty
        cursor.execute("ANALYZE arena_battle, arena_turn, arena_answer, arena_vote, arena_judgement")
    return campaign, people


def earn(campaign: Campaign, *credited: int) -> list[Participant]:
    """An account each with so many credited votes; they vote in turn, so that whoever has fewer is done sooner."""
    user = np.array([who for n in range(max(credited)) for who, most in enumerate(credited) if n < most])
    ones = np.ones(len(user), dtype=int)
    ballots = Ballots(("ona", "txar"), ones * 0, ones, ones * 0, user)
    _, people = store(ballots, campaign=campaign)
    book(Vote.objects.filter(battle__campaign=campaign).select_related("battle"))
    for at, each in enumerate(people):
        each.user = User.objects.create_user(f"{campaign.slug}-{at}", f"{campaign.slug}-{at}@adibidea.eus")
        each.save()
    return people


def source_of(board: Board, criterion: Criterion = Criterion.OVERALL, **query: str) -> Source:
    tally = board_tally(board=board, criterion=criterion)
    return Source(board, criterion, tally, build_board(tally, criterion=criterion), query)


@dataclass(frozen=True, slots=True)
class _Rows:
    battle: Battle
    turns: list[Turn]
    answers: list[Answer]
    vote: Vote


def _rows(
    ballots: Ballots,
    at: int,
    campaign: Campaign,
    people: Sequence[Participant],
    candidates: Sequence[Candidate],
    told: Told,
) -> _Rows:
    person = people[int(ballots.user[at])]
    moment = START + timedelta(days=told.day, seconds=at)
    battle = Battle(
        campaign=campaign,
        participant=person,
        candidate_a=candidates[int(ballots.a[at])],
        candidate_b=candidates[int(ballots.b[at])],
        status=BattleStatus.VOTED.value,
        policy="balanced",
        propensity=0.5,
        draw_seed=1,
        created_at=moment,
    )
    turns = [
        Turn(battle=battle, index=index, text=text, key=uuid4()) for index, text in enumerate(told.prompts, 1)
    ]
    sides = (("A", told.a, told.ms_a), ("B", told.b, told.ms_b))
    answers = [
        Answer(
            turn=turn,
            side=side,
            status=AnswerStatus.COMPLETE.value,
            text=text,
            finish_reason="stop",
            temperature=1.0,
            top_p=1.0,
            max_tokens=9,
            seed=1,
            first_token_ms=ms,
            finished_at=moment,
        )
        for turn in turns
        for side, text, ms in sides
    ]
    vote = Vote(
        battle=battle,
        participant=person,
        winner=list(Outcome)[int(ballots.outcome[at])].value,
        language_level=person.language_level,
        education=person.education,
        created_at=moment,
    )
    return _Rows(battle, turns, answers, vote)
