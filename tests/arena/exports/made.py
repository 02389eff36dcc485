"""Records and votes to export."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from arena.exports.layouts import Context
from arena.exports.pseudonyms import Pseudonyms
from arena.exports.records import Asked, Judged, Mark, Model, Record, Reply
from arena.models import Battle, Campaign, Participant
from arena.selectors.judgements import Judgements
from arena.services.votes import cast_vote
from arena.types import Side
from inference.models import Candidate
from inference.types import OutputsLicence, SystemPromptMode
from ranking.types import Criterion, Outcome
from tests.arena.builders import begin, complete, finish

KEY = bytes(range(32))
AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
CONTEXT = Context(pseudonyms=Pseudonyms(KEY), suppressed=lambda level, education: (level, education))


def model(code: str, mode: SystemPromptMode = SystemPromptMode.SYSTEM) -> Model:
    return Model(code, "r1", mode, "lehia/1", OutputsLicence.CC0.value)


def reply(side: Side, text: str, *marks: Mark, turn: int = 1, tokens: int | None = 7) -> Reply:
    return Reply(
        id=UUID(int=100 * turn + ord(side.value)),
        side=side,
        status="complete",
        text=text,
        error="",
        attempt=1,
        endpoint_kind="vllm",
        temperature=0.9,
        top_p=0.95,
        max_tokens=2048,
        stop=("<|eot_id|>",),
        seed=11,
        finish_reason="stop",
        prompt_tokens=30,
        completion_tokens=tokens,
        queued_ms=None,
        first_token_ms=40,
        duration_ms=900,
        language="eu",
        basque_share=0.97,
        marks=marks,
    )


def asked(index: int, text: str, a: Reply, b: Reply) -> Asked:
    return Asked(UUID(int=index), index, text, AT, "eu", 1.0, {Side.A: a, Side.B: b})


def judged(
    content: Outcome = Outcome.A_BETTER, language: Outcome = Outcome.TIE, winner: Outcome = Outcome.A_BETTER
) -> Judged:
    outcomes: Mapping[Criterion, Outcome] = {
        Criterion.OVERALL: winner,
        Criterion.CONTENT: content,
        Criterion.LANGUAGE: language,
    }
    return Judged(AT, outcomes, False, "C1-C2", "Bachelor", None, None, True)


def record(*turns: Asked, vote: Judged | None = None, prompt: str = "Lagundu.", **models: Model) -> Record:
    return Record(
        id=UUID(int=5),
        person=UUID(int=9),
        campaign="lehia",
        models={Side.A: models.get("a", model("ona")), Side.B: models.get("b", model("txar"))},
        system_prompt=prompt,
        policy="balanced",
        propensity=0.25,
        display="paced",
        replaced=(),
        turns=turns or (asked(1, "Kaixo", reply(Side.A, "Bai"), reply(Side.B, "Ez")),),
        vote=vote or judged(),
    )


def publishable(campaign: Campaign) -> None:
    """All that the campaign's candidates answer may be published."""
    Candidate.objects.update(outputs_licence=OutputsLicence.CC0.value)
    campaign.refresh_from_db()


def voted(
    participant: Participant,
    *,
    text: str = "Kaixo",
    a: str = "Bai",
    b: str = "Ez",
    judgements: Judgements | None = None,
) -> Battle:
    """A battle of one message, and its vote."""
    battle = finish(begin(participant, text=text), complete(Side.A, a), complete(Side.B, b))
    cast_vote(
        battle_id=battle.pk,
        participant=participant,
        judgements=judgements or Judgements(Outcome.A_BETTER, Outcome.A_BETTER),
    )
    battle.refresh_from_db()
    return battle
