"""Whether new guests wait before they begin."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from arena.types import CooldownMode

_MODES = [
    (CooldownMode.AUTO.value, _("when more come than is usual")),
    (CooldownMode.ON.value, _("now")),
    (CooldownMode.OFF.value, _("never")),
]


class Cooldown(models.Model):
    """One row, which a migration makes: what staff decided."""

    mode = models.CharField(
        _("new guests wait"), max_length=4, choices=_MODES, default=CooldownMode.AUTO.value
    )

    class Meta:
        verbose_name = _("cool-down of new guests")
        verbose_name_plural = _("cool-down of new guests")
        constraints: ClassVar = [
            models.CheckConstraint(name="cooldown_once", condition=models.Q(pk=1)),
            models.CheckConstraint(
                name="cooldown_mode_known", condition=models.Q(mode__in=[each.value for each in CooldownMode])
            ),
        ]

    def __str__(self) -> str:
        return self.get_mode_display()
