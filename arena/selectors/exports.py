"""Battles as records of exports: a page at a time, in a fixed order, all of one snapshot of the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL

from arena.exports.filters import Filters
from arena.exports.layouts import Kind, Layout
from arena.exports.records import Asked, Judged, Mark, Model, Record, Reply
from arena.models import Answer, Battle, Exclusion, Judgement, Replacement, SpanFeedback, Turn
from arena.sanitizing import Decided
from arena.selectors.doubts import decisions
from arena.selectors.moderation import shown_to_others
from arena.types import BattleSource, BattleStatus, Side
from inference.models import Candidate, ModelEndpoint
from inference.types import OutputsLicence, SystemPromptMode
from ranking.types import Criterion, Outcome

PAGE = 500

_BATTLE = (
    *("pk", "participant_id", "campaign__slug", "candidate_a_id", "candidate_b_id"),
    "ended_at",
    *("system_prompt", "policy", "propensity", "display"),
)
_VOTE = (
    *("vote__pk", "vote__created_at", "vote__winner", "vote__language_level", "vote__education"),
    *("vote__check_right", "vote__check_asked"),
)
_AS_THEY_ARE = (
    *("status", "text", "attempt", "temperature", "top_p", "max_tokens", "seed", "finish_reason"),
    *("prompt_tokens", "completion_tokens", "queued_ms", "first_token_ms", "duration_ms"),
    *("language", "basque_share"),
)
_REPLY = ("pk", "turn_id", "side", "error_code", "endpoint_id", "stop", *_AS_THEY_ARE)


@dataclass(frozen=True, slots=True)
class Counts:
    """What an export would hold."""

    battles: int
    people: int
    other_licence: int
    """Battles that are left out, since the answers of one of their models may not be published under CC0."""


@contextmanager
def one_snapshot() -> Iterator[None]:
    """All that is read inside is of one moment, whatever is voted meanwhile. Inside a transaction, that one's own rules hold."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def earlier_transactions(filters: Filters) -> int:
    """How many other transactions began before the cut-off, have written and are open: what they wrote may carry an earlier time. One query.

    The server's own ones, such as those that clean up, write no votes.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
            " AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL AND xact_start <= %s",
            [filters.cutoff],
        )
        return int(cursor.fetchone()[0])


def counts(filters: Filters, layout: Layout) -> Counts:
    """Two queries."""
    everything = battles_of(filters, layout, any_licence=True)
    told = everything.aggregate(battles=Count("pk"))["battles"]
    found = battles_of(filters, layout).aggregate(
        battles=Count("pk"), people=Count("participant", distinct=True)
    )
    return Counts(found["battles"], found["people"], told - found["battles"])


def declared(filters: Filters, layout: Layout) -> dict[tuple[str, str], int]:
    """How many people declared each level and education in the votes of an export. One query."""
    if layout.kind is Kind.UNVOTED:
        return {}
    rows = battles_of(filters, layout).values_list("vote__language_level", "vote__education")
    found = rows.annotate(people=Count("participant", distinct=True)).order_by()
    return {(level, education): people for level, education, people in found}


def records(filters: Filters, layout: Layout) -> Iterator[Record]:
    """By time and id; for the length of a :func:`one_snapshot`. One query through a cursor of the database's, nine more for each :data:`PAGE` of its rows."""
    models = _models()
    endpoints = dict(ModelEndpoint.objects.values_list("pk", "provider"))
    at = "vote__created_at" if layout.kind is Kind.VOTED else "ended_at"
    columns = (*_BATTLE, *(_VOTE if layout.kind is Kind.VOTED else ()))
    battles = battles_of(filters, layout).order_by(at, "pk").values_list(*columns).iterator(chunk_size=PAGE)
    while rows := [dict(zip(columns, row, strict=True)) for row in islice(battles, PAGE)]:
        yield from _page(rows, models, endpoints, filters)


def standing_battles(filters: Filters, layout: Layout) -> Iterator[UUID]:
    """Of which battles an export's rows would be now, in no order. One query."""
    return battles_of(filters, layout).values_list("pk", flat=True).order_by().iterator(chunk_size=2000)


def standing_marks(filters: Filters, layout: Layout) -> Iterator[UUID]:
    """The marks in them. One query."""
    battles = battles_of(filters, layout).order_by().values("pk")
    marks = SpanFeedback.objects.filter(answer__turn__battle__in=battles, created_at__lte=filters.cutoff)
    return marks.values_list("pk", flat=True).order_by().iterator(chunk_size=2000)


def battles_of(filters: Filters, layout: Layout, *, any_licence: bool = False) -> QuerySet[Battle]:
    """Those that a layout is made of. Controls are copies, so that no live battle is one."""
    battles = shown_to_others(Battle.objects.filter(source=BattleSource.LIVE.value))
    if layout.kind is Kind.UNVOTED:
        battles = battles.filter(status=BattleStatus.ABANDONED.value, ended_at__lte=filters.cutoff)
        time = "ended_at"
    else:
        battles = battles.filter(status=BattleStatus.VOTED.value, vote__created_at__lte=filters.cutoff)
        time = "vote__created_at"
        if filters.level is not None:
            battles = battles.filter(vote__language_level=filters.level.value)
        keeps = layout.keeps_excluded if filters.excluded is None else filters.excluded
        if not keeps:
            standing = standing_against(filters).filter(vote__battle=OuterRef("pk"))
            battles = battles.filter(~Exists(standing))
    if filters.board:
        battles = battles.filter(campaign__board__slug=filters.board)
    if filters.campaign:
        battles = battles.filter(campaign__slug=filters.campaign)
    if filters.since is not None:
        battles = battles.filter(**{f"{time}__gte": filters.since})
    if filters.until is not None:
        battles = battles.filter(**{f"{time}__lt": filters.until})
    if layout.has_texts and not (filters.any_licence or any_licence):
        cc0 = OutputsLicence.CC0.value
        battles = battles.filter(candidate_a__outputs_licence=cc0, candidate_b__outputs_licence=cc0)
    return battles


def standing_against(filters: Filters) -> QuerySet[Exclusion]:
    """What spoke against votes at the cut-off."""
    return Exclusion.objects.filter(
        Q(lifted_at=None) | Q(lifted_at__gt=filters.cutoff), created_at__lte=filters.cutoff
    )


def _models() -> dict[UUID, Model]:
    return {
        each.pk: Model(
            code=each.code,
            revision=each.revision,
            prompt_mode=SystemPromptMode(each.system_prompt_mode),
            template=str(each.manifest.get("chat_template", "")),
            outputs_licence=each.outputs_licence,
        )
        for each in Candidate.objects.all()
    }


def _page(
    rows: list[dict[str, Any]], models: dict[UUID, Model], endpoints: dict[UUID, str], filters: Filters
) -> Iterator[Record]:
    ids = [row["pk"] for row in rows]
    turns = _turns(ids, endpoints, filters)
    replaced: dict[UUID, list[Side]] = defaultdict(list)
    for battle, side in Replacement.objects.filter(battle__in=_any(ids)).values_list("battle_id", "side"):
        replaced[battle].append(Side(side))
    judged = _judged(rows, filters)
    for row in rows:
        battle = row["pk"]
        yield Record(
            id=battle,
            person=row["participant_id"],
            campaign=row["campaign__slug"],
            models={Side.A: models[row["candidate_a_id"]], Side.B: models[row["candidate_b_id"]]},
            system_prompt=row["system_prompt"],
            policy=row["policy"],
            propensity=row["propensity"],
            display=row["display"],
            replaced=tuple(sorted(set(replaced[battle]))),
            turns=tuple(turns[battle]),
            vote=judged.get(battle),
            ended_at=row["ended_at"],
        )


def _any(ids: list[UUID]) -> RawSQL:
    """As one parameter: a thousand placeholders cost more than what they find."""
    return RawSQL("SELECT unnest(%s::uuid[])", [ids])  # nothing in it comes from outside


def _turns(battles: list[UUID], endpoints: dict[UUID, str], filters: Filters) -> dict[UUID, list[Asked]]:
    columns = ("pk", "battle_id", "index", "text", "created_at", "language", "basque_share")
    rows = list(
        Turn.objects.filter(battle__in=_any(battles)).order_by("battle", "index").values_list(*columns)
    )
    decided = decisions(battles, kept_by=filters.cutoff)
    replies = _replies([row[0] for row in rows], endpoints, filters, decided)
    found: dict[UUID, list[Asked]] = defaultdict(list)
    for pk, battle, index, text, at, language, share in rows:
        found[battle].append(Asked(pk, index, text, at, language, share, replies[pk], decided.get(pk, ())))
    return found


def _replies(
    turns: list[UUID],
    endpoints: dict[UUID, str],
    filters: Filters,
    decided: dict[UUID, tuple[Decided, ...]],
) -> dict[UUID, dict[Side, Reply]]:
    marks = _marks(turns, filters)
    found: dict[UUID, dict[Side, Reply]] = defaultdict(dict)
    for values in Answer.objects.filter(turn__in=_any(turns)).values_list(*_REPLY):
        row = dict(zip(_REPLY, values, strict=True))
        found[row["turn_id"]][Side(row["side"])] = _reply(row, endpoints, marks, decided)
    return found


def _reply(
    row: dict[str, Any],
    endpoints: dict[UUID, str],
    marks: dict[UUID, list[Mark]],
    decided: dict[UUID, tuple[Decided, ...]],
) -> Reply:
    same = {name: row[name] for name in _AS_THEY_ARE}
    return Reply(
        id=row["pk"],
        side=Side(row["side"]),
        error=row["error_code"],
        endpoint_kind=endpoints.get(row["endpoint_id"], ""),
        stop=tuple(row["stop"]),
        marks=tuple(marks[row["pk"]]),
        decided=decided.get(row["pk"], ()),
        **same,
    )


def _marks(turns: list[UUID], filters: Filters) -> dict[UUID, list[Mark]]:
    columns = ("answer_id", "pk", "start", "end", "kind", "comment", "rewrite", "created_at")
    said = SpanFeedback.objects.filter(answer__turn__in=_any(turns), created_at__lte=filters.cutoff)
    found: dict[UUID, list[Mark]] = defaultdict(list)
    for answer, *mark in said.order_by("created_at", "pk").values_list(*columns):
        found[answer].append(Mark(*mark))
    return found


def _judged(rows: list[dict[str, Any]], filters: Filters) -> dict[UUID, Judged]:
    votes = [row["vote__pk"] for row in rows if row.get("vote__pk")]
    outcomes: dict[UUID, dict[Criterion, Outcome]] = defaultdict(dict)
    for vote, criterion, outcome in Judgement.objects.filter(vote__in=_any(votes)).values_list(
        "vote_id", "criterion", "outcome"
    ):
        outcomes[vote][Criterion(criterion)] = Outcome(outcome)
    against: dict[UUID, set[str]] = defaultdict(set)
    for vote, reason in (
        standing_against(filters).filter(vote__in=_any(votes)).values_list("vote_id", "reason")
    ):
        against[vote].add(reason)
    return {row["pk"]: _vote(row, outcomes[row["vote__pk"]], against) for row in rows if row.get("vote__pk")}


def _vote(row: dict[str, Any], said: dict[Criterion, Outcome], against: dict[UUID, set[str]]) -> Judged:
    reasons = tuple(sorted(against[row["vote__pk"]]))
    return Judged(
        at=row["vote__created_at"],
        outcomes={
            Criterion.OVERALL: Outcome(row["vote__winner"]),
            Criterion.CONTENT: said[Criterion.CONTENT],
            Criterion.LANGUAGE: said[Criterion.LANGUAGE],
        },
        was_overall_asked=Criterion.OVERALL in said,
        level=row["vote__language_level"],
        education=row["vote__education"],
        check_right=row["vote__check_right"],
        check_asked=row["vote__check_asked"],
        counted=not reasons,
        excluded_for=reasons,
    )
