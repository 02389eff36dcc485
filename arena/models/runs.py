"""What staff may do with training runs, which are folders and no rows."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class TrainingRun(models.Model):
    """Has no table: it gives the admin a place for the pages of runs, and their permissions a name."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions: ClassVar = [("register_trainingrun", "Can register a run's export as a candidate")]
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
