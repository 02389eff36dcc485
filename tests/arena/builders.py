"""Plain typed builders: each makes what a test needs and nothing more."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from uuid import UUID, uuid4

from django.db.models import F

from arena.duel import SideResult
from arena.models import Battle, Campaign, Participant, PromptSet, SetAnswer, Turn, Vote
from arena.prompt_files import PromptRow
from arena.services import battles, turns
from arena.services.campaigns import ensure_default_campaign
from arena.services.people import give_consent
from arena.services.prompt_sets import create_set
from arena.types import AnswerStatus, Side
from inference.models import Candidate, ModelEndpoint
from inference.types import EndpointStatus

_numbers = count(1)
RUNNER = UUID(int=7)


def make_candidate(code: str = "", *, base_url: str = "http://127.0.0.1:9/v1", **fields: str) -> Candidate:
    code = code or f"eredua-{next(_numbers)}"
    candidate = Candidate.objects.create(code=code, name=f"Izena {code}", **fields)
    ModelEndpoint.objects.create(
        candidate=candidate, base_url=base_url, model=f"/ereduak/{code}", status=EndpointStatus.ACTIVE.value
    )
    return candidate


def make_campaign(*, candidates: int = 2) -> Campaign:
    """The default campaign, where votes may come as fast as tests cast them and no pair is a control."""
    for _ in range(candidates):
        make_candidate()
    campaign = ensure_default_campaign()
    campaign.too_fast_ms = 0
    campaign.control_rate = 0.0
    campaign.save()
    return campaign


def make_participant(campaign: Campaign | None = None) -> Participant:
    return give_consent(
        participant_id=None,
        campaign=campaign or ensure_default_campaign(),
        language="eu",
        is_14_or_older=True,
    )


def begin(
    participant: Participant, battle: Battle | None = None, text: str = "Kaixo", *, still: bool = False
) -> Turn:
    begun = battles.begin_turn(
        participant_id=participant.pk,
        battle_id=battle.pk if battle else None,
        text=text,
        key=uuid4(),
        runner_id=RUNNER,
        still=still,
    )
    assert begun.plan is not None
    return Turn.objects.select_related("battle").get(pk=begun.plan.turn_id)


def complete(side: Side, text: str = "Erantzuna") -> SideResult:
    return SideResult(
        side=side,
        status=AnswerStatus.COMPLETE,
        text=text,
        reason="stop",
        prompt_tokens=3,
        completion_tokens=2,
        first_token_ms=5,
        duration_ms=9,
    )


def failed(side: Side, code: str = "server") -> SideResult:
    return SideResult(side=side, status=AnswerStatus.FAILED, code=code)


def finish(turn: Turn, *results: SideResult) -> Battle:
    turns.finish_turn(
        turn_id=turn.pk,
        runner_id=RUNNER,
        results=results or (complete(Side.A), complete(Side.B)),
    )
    return Battle.objects.get(pk=turn.battle_id)


def ready_battle(participant: Participant) -> Battle:
    return finish(begin(participant))


def answered_set(campaign: Campaign, *texts: str) -> PromptSet:
    """A prompt set that all candidates have answered."""
    rows = [PromptRow(text) for text in texts]
    made = create_set(
        slug=f"zerrenda-{next(_numbers)}", name="Zerrenda", campaign=campaign, rows=rows, staff=None
    )
    SetAnswer.objects.bulk_create(
        SetAnswer(
            prompt=prompt,
            candidate=candidate,
            status=AnswerStatus.COMPLETE.value,
            text=f"{place}. erantzuna",
            finish_reason="stop",
            temperature=1.0,
            top_p=1.0,
            max_tokens=9,
            seed=1,
        )
        for prompt in made.prompts.all()
        for place, candidate in enumerate(Candidate.objects.all(), start=1)
    )
    return made


def a_day_passes() -> None:
    """All votes so far were cast yesterday."""
    Vote.objects.update(created_at=F("created_at") - timedelta(days=1))
