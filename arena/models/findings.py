"""What statistics say against a volunteer, for staff to look at. A finding excludes nothing by itself."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.people import Participant, User
from arena.types import FindingState
from ranking.models import Board
from ranking.raters import RaterTest
from ranking.types import MODEL_NAME_MAX_CHARS

_TESTS = [each.value for each in RaterTest]
_STATES = [each.value for each in FindingState]


class Finding(models.Model):
    """One test that one volunteer's votes on one board fail. *p* is the test's own, *q* corrected over all tests and volunteers.

    What controls say stands beside it, as evidence that no test uses.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="+", verbose_name=_("board"))
    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, related_name="findings", verbose_name=_("participant")
    )
    test = models.CharField(_("test"), max_length=12, choices=[(each, each) for each in _TESTS])
    model = models.CharField(_("model"), max_length=MODEL_NAME_MAX_CHARS, blank=True)
    statistic = models.FloatField(_("standard deviations"))
    p = models.FloatField("p")
    q = models.FloatField("q")
    n_votes = models.PositiveIntegerField(_("votes"))
    n_controls = models.PositiveIntegerField(_("controls judged"), default=0)
    n_controls_failed = models.PositiveIntegerField(_("controls failed"), default=0)
    found_at = models.DateTimeField(_("found"), default=timezone.now, editable=False)
    state = models.CharField(
        _("state"),
        max_length=10,
        default=FindingState.OPEN.value,
        choices=[(each, each) for each in _STATES],
    )
    staff = models.ForeignKey(
        User,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("member of staff"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering: ClassVar = ["q", "-n_votes"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["board", "participant", "test"],
                condition=models.Q(state=FindingState.OPEN.value),
                name="finding_open_once",
            ),
            models.CheckConstraint(name="finding_test_known", condition=models.Q(test__in=_TESTS)),
            models.CheckConstraint(name="finding_state_known", condition=models.Q(state__in=_STATES)),
            models.CheckConstraint(
                name="finding_p_and_q_are_probabilities",
                condition=models.Q(p__gte=0, p__lte=1, q__gte=0, q__lte=1),
            ),
            models.CheckConstraint(
                name="finding_fails_controls_it_judged",
                condition=models.Q(n_controls_failed__lte=models.F("n_controls")),
            ),
            models.CheckConstraint(
                name="finding_decided_says_when",
                condition=models.Q(state=FindingState.OPEN.value, decided_at__isnull=True)
                | (~models.Q(state=FindingState.OPEN.value) & models.Q(decided_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participant_id} {self.test}"
