"""Pairs that are controls. A battle without a row here is none."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from arena.controls import ControlKind
from arena.models.battles import Battle
from arena.types import Side

_KINDS = [each.value for each in ControlKind]


class Control(models.Model):
    """What a pair was made into, and which side no careful reader prefers; empty where both are equal."""

    battle = models.OneToOneField(
        Battle, primary_key=True, on_delete=models.PROTECT, related_name="control", verbose_name=_("battle")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=[(each, each) for each in _KINDS])
    worse = models.CharField(
        _("worse side"), max_length=1, blank=True, choices=[(each.value, each.value) for each in Side]
    )

    class Meta:
        verbose_name = _("control pair")
        verbose_name_plural = _("control pairs")
        constraints: ClassVar = [
            models.CheckConstraint(
                name="control_names_the_worse_side",
                condition=models.Q(kind=ControlKind.IDENTICAL.value, worse="")
                | models.Q(
                    kind__in=[ControlKind.CORRUPTED.value, ControlKind.KNOWN_BAD.value],
                    worse__in=[each.value for each in Side],
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.battle_id} {self.kind}"
