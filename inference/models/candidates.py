"""Candidates: named model revisions being compared."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inference.types import OutputsLicence, SystemPromptMode


class Candidate(models.Model):
    """A named model revision being compared."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(_("code"), unique=True, max_length=80)
    name = models.CharField(_("name"), max_length=120)
    revision = models.CharField(_("revision"), max_length=80, blank=True)
    description = models.TextField(_("description"), blank=True)
    backbone = models.CharField(_("backbone"), max_length=200, blank=True)
    training_data = models.TextField(_("training data"), blank=True)
    licence = models.CharField(_("licence"), max_length=120, blank=True)
    outputs_licence = models.CharField(
        _("licence of the answers"),
        max_length=12,
        default=OutputsLicence.UNKNOWN.value,
        choices=[
            (OutputsLicence.CC0.value, "CC0 1.0"),
            (OutputsLicence.CC_BY.value, "CC BY 4.0"),
            (OutputsLicence.LLAMA.value, "Llama 3.1 Community License"),
            (OutputsLicence.OPENAI.value, _("terms of OpenAI")),
            (OutputsLicence.OTHER.value, _("other terms")),
            (OutputsLicence.UNKNOWN.value, _("not known")),
        ],
        help_text=_("Only answers under CC0 are published under CC0; the terms of use say which are."),
    )
    maker = models.CharField(_("made by"), max_length=120, blank=True)
    system_prompt_mode = models.CharField(
        _("system prompt"),
        max_length=12,
        default=SystemPromptMode.SYSTEM.value,
        choices=[
            (SystemPromptMode.SYSTEM.value, _("as the system message")),
            (SystemPromptMode.USER_TURN.value, _("as a first user turn")),
            (SystemPromptMode.NONE.value, _("not at all")),
        ],
    )
    temperature = models.FloatField(
        _("temperature"), default=0.9, validators=[MinValueValidator(0), MaxValueValidator(2)]
    )
    top_p = models.FloatField(
        _("top p"), default=0.95, validators=[MinValueValidator(0.01), MaxValueValidator(1)]
    )
    max_tokens = models.PositiveIntegerField(
        _("most tokens"), default=2048, validators=[MinValueValidator(1)]
    )
    stop = models.JSONField(_("stop strings"), default=list, blank=True)
    manifest = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("candidate")
        verbose_name_plural = _("candidates")
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="candidate_prompt_mode_known",
                condition=models.Q(system_prompt_mode__in=[each.value for each in SystemPromptMode]),
            ),
            models.CheckConstraint(
                name="candidate_outputs_licence_known",
                condition=models.Q(outputs_licence__in=[each.value for each in OutputsLicence]),
            ),
            models.CheckConstraint(
                name="candidate_sampling_in_range",
                condition=models.Q(
                    temperature__gte=0, temperature__lte=2, top_p__gt=0, top_p__lte=1, max_tokens__gte=1
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_published_under_cc0(self) -> bool:
        return self.outputs_licence == OutputsLicence.CC0.value
