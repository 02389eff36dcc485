"""What staff may see of how the site runs."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Operations(models.Model):
    """Has no table: it gives the operators' page its place in the admin, and its permission a name."""

    class Meta:
        managed = False
        default_permissions = ("view",)
        verbose_name = _("how the site runs")
        verbose_name_plural = _("how the site runs")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)
