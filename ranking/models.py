"""Boards, their tallies and their published snapshots."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ranking.types import BENCHMARK_NAME_MAX_CHARS, MODEL_NAME_MAX_CHARS, BoardKind, Criterion, TieRule

_CRITERIA = [each.value for each in Criterion]
_TIE_RULES = [each.value for each in TieRule]


class Board(models.Model):
    """What a tally belongs to. Live boards move with votes; imported ones are replaced as a whole."""

    slug = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(
        _("kind"), max_length=10, choices=[(each.value, each.value) for each in BoardKind]
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("board")
        verbose_name_plural = _("boards")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="board_kind_known", condition=models.Q(kind__in=[each.value for each in BoardKind])
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TallyCell(models.Model):
    """How often *model_a*, shown as A, met *model_b*, by outcome."""

    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="cells")
    criterion = models.CharField(max_length=10, choices=[(each, each) for each in _CRITERIA])
    model_a = models.CharField(max_length=MODEL_NAME_MAX_CHARS)
    model_b = models.CharField(max_length=MODEL_NAME_MAX_CHARS)
    a_better = models.PositiveBigIntegerField(default=0)
    b_better = models.PositiveBigIntegerField(default=0)
    tie = models.PositiveBigIntegerField(default=0)
    both_bad = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["board", "criterion", "model_a", "model_b"], name="tally_cell_once"
            ),
            models.CheckConstraint(name="tally_two_models", condition=~models.Q(model_a=models.F("model_b"))),
            models.CheckConstraint(name="tally_criterion_known", condition=models.Q(criterion__in=_CRITERIA)),
        ]

    def __str__(self) -> str:
        return f"{self.board_id} {self.criterion} {self.model_a} {self.model_b}"


class Snapshot(models.Model):
    """A board as it was published, with all that is needed to compute it again. The database refuses to change or delete one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="snapshots")
    criterion = models.CharField(max_length=10, choices=[(each, each) for each in _CRITERIA])
    slice = models.CharField(max_length=80, blank=True)
    ties = models.CharField(max_length=12, choices=[(each, each) for each in _TIE_RULES])
    filters = models.CharField(max_length=200)
    cluster = models.CharField(max_length=40)
    cap = models.PositiveSmallIntegerField(null=True)
    cut_at = models.DateTimeField()
    code_version = models.CharField(max_length=60)
    tally_checksum = models.CharField(max_length=64)
    n_votes = models.PositiveBigIntegerField()
    n_excluded = models.PositiveBigIntegerField()
    payload = models.JSONField()
    covariance = models.JSONField()
    checksum = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("published board")
        verbose_name_plural = _("published boards")
        get_latest_by = "created_at"
        indexes: ClassVar = [
            models.Index(fields=["board", "criterion", "-created_at"], name="snapshot_latest")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="snapshot_criterion_known", condition=models.Q(criterion__in=_CRITERIA)
            ),
            models.CheckConstraint(name="snapshot_ties_known", condition=models.Q(ties__in=_TIE_RULES)),
        ]

    def __str__(self) -> str:
        return f"{self.board_id} {self.criterion} {self.created_at:%Y-%m-%dT%H:%MZ}"


class SnapshotReport(models.Model):
    """The numbers of one report, or of a part of one, on a published board; as final as the board itself.

    Without a payload they could not be computed, and *failure* says what was raised.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="reports")
    report = models.CharField(max_length=20)
    part = models.CharField(max_length=20, blank=True)
    payload = models.JSONField(null=True)
    failure = models.CharField(max_length=60, blank=True)
    code_version = models.CharField(max_length=60)
    checksum = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("published report")
        verbose_name_plural = _("published reports")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["snapshot", "report", "part"], name="snapshot_report_once"),
            models.CheckConstraint(
                name="snapshot_report_is_there_or_says_why_not",
                condition=models.Q(payload__isnull=False, failure="")
                | (models.Q(payload__isnull=True) & ~models.Q(failure="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.snapshot_id} {self.report} {self.part}"


class BenchmarkScore(models.Model):
    """What a model reached on a static benchmark, in per cent. Models are named as boards name them."""

    language = models.CharField(max_length=8)
    benchmark = models.CharField(max_length=BENCHMARK_NAME_MAX_CHARS)
    model = models.CharField(max_length=MODEL_NAME_MAX_CHARS)
    score = models.FloatField()

    class Meta:
        verbose_name = _("benchmark score")
        verbose_name_plural = _("benchmark scores")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["language", "benchmark", "model"], name="benchmark_score_once"),
            models.CheckConstraint(
                name="benchmark_score_in_per_cent", condition=models.Q(score__gte=0, score__lte=100)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.language} {self.benchmark} {self.model}"
