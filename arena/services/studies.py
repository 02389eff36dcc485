"""Analyses of parts of the votes: asked for by a page, computed by a worker, kept for a while."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from django.db import transaction
from django.utils import timezone

from arena.errors import TooManyStudies
from arena.exports.filters import Filters
from arena.models import Study
from arena.selectors.exports import earlier_transactions
from arena.selectors.studies import judgements_of_board, waiting_studies
from ranking.analysis import Asked, analyse
from ranking.errors import RankingError
from ranking.judgements import Judgements
from ranking.models import Snapshot
from ranking.numbers import Numbers
from ranking.selection import Selection
from ranking.slices import FEWEST_USERS
from ranking.types import Criterion

logger = logging.getLogger(__name__)

MOST_WAITING = 20
KEPT = timedelta(days=7)
_NOT_COMPUTED = (RankingError, ArithmeticError, ValueError, LookupError)


def ask(*, snapshot: Snapshot, analysis: str, by: str, selection: Selection) -> tuple[Study, bool]:
    """The study of that selection, and whether it was asked for by this call.

    Raises :class:`TooManyStudies` where it would be new and :data:`MOST_WAITING` are waiting.
    """
    key: dict[str, Any] = {
        "snapshot_id": snapshot.pk,
        "analysis": analysis,
        "by": by,
        "asked": str(selection),
    }
    found = Study.objects.filter(**key).first()
    if found is not None:
        return found, False
    if waiting_studies().count() >= MOST_WAITING:
        raise TooManyStudies
    return Study.objects.get_or_create(**key)


def compute_waiting() -> int:
    """Compute what waits, one after the other, and forget what is old. Returns how many were computed.

    Each is a transaction that locks its row, so that two workers never compute the same one. A study of a moment of which votes are still being written waits.
    """
    Study.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    done = 0
    for key in waiting_studies().values_list("pk", flat=True):
        with transaction.atomic():
            locked = waiting_studies().select_for_update(skip_locked=True, of=("self",))
            study = locked.select_related("snapshot__board").filter(pk=key).first()
            done += study is not None and _compute(study)
    return done


def filters_of(snapshot: Snapshot) -> Filters:
    """The export whose file holds what a study of this snapshot is about."""
    return Filters(cutoff=snapshot.cut_at, board=snapshot.board.slug)


def _compute(study: Study) -> bool:
    filters = filters_of(study.snapshot)
    if earlier_transactions(filters):
        return False
    criterion = Criterion(study.snapshot.criterion)
    try:
        found = _numbers(judgements_of_board(filters, criterion), study, criterion)
    except _NOT_COMPUTED as error:
        logger.exception("study %s could not be computed", study.pk)
        study.failure = type(error).__name__
    else:
        study.payload = found.as_json()
    study.finished_at = timezone.now()
    study.save(update_fields=["payload", "failure", "finished_at"])
    return True


def _numbers(whole: Judgements, study: Study, criterion: Criterion) -> Numbers:
    selection = Selection.of(dict(parse_qsl(study.asked)))
    chosen = selection.matching(whole)
    if _tells_of_few(whole, selection):
        return Numbers(facts={"suppressed": True})
    return analyse(study.analysis, whole.taken(chosen), Asked(criterion, study.by))


def _tells_of_few(whole: Judgements, selection: Selection) -> bool:
    """Whether the selection holds fewer than five people, or what they declared sets it apart from fewer than five others."""
    chosen = selection.matching(whole)
    left = replace(selection, level="", education="").matching(whole) & ~chosen
    user = whole.ballots.user
    return len(np.unique(user[chosen])) < FEWEST_USERS or 0 < len(np.unique(user[left])) < FEWEST_USERS
