"""Battles that wait for a vote, written beside the service: what is measured is the vote."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, permutations
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.utils import timezone

if TYPE_CHECKING:
    from benchmarks.load.people import Person


def ready_battles(people: Sequence[Person], number: int) -> list[tuple[Person, str]]:
    """*number* battles, shared out in turns among *people*, each with the one who may vote on it."""
    from django.db import connection

    from arena.models import Answer, Battle, Campaign, Turn
    from arena.types import AnswerStatus, BattleStatus, Side
    from inference.models import Candidate

    owners = [_participant(person) for person in people]
    campaign, now = Campaign.objects.get(), timezone.now()
    pairs = cycle(permutations(Candidate.objects.order_by("code"), 2))
    battles = [
        Battle(
            campaign=campaign,
            participant_id=owners[place % len(owners)],
            candidate_a=a,
            candidate_b=b,
            status=BattleStatus.READY.value,
            policy="uniform",
            propensity=0.01,
            draw_seed=place,
        )
        for place, (a, b) in zip(range(number), pairs, strict=False)
    ]
    Battle.objects.bulk_create(battles, batch_size=1000)
    turns = [
        Turn(battle=battle, index=1, text=f"Galdera {battle.draw_seed}", key=uuid4()) for battle in battles
    ]
    Turn.objects.bulk_create(turns, batch_size=1000)
    Answer.objects.bulk_create(
        (
            Answer(
                turn=turn,
                side=side.value,
                status=AnswerStatus.COMPLETE.value,
                text="Erantzun bat euskaraz.",
                finish_reason="stop",
                temperature=1,
                top_p=1,
                max_tokens=512,
                seed=1,
                first_token_ms=100,
                started_at=now,
            )
            for turn in turns
            for side in Side
        ),
        batch_size=1000,
    )
    connection.close()
    return [(people[place % len(people)], str(battle.pk)) for place, battle in enumerate(battles)]


def _participant(person: Person) -> UUID:
    from arena.models import Session

    found = Session.objects.get(session_key=person.session).participant_id
    assert found is not None
    return found
