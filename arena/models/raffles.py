"""Raffles: a seed that is committed to, and, once drawn, who held how many tickets and who won. Nothing of a draw changes afterwards."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.campaigns import Campaign
from arena.models.people import Participant
from arena.raffle import ALGORITHM


class Draw(models.Model):
    """The raffle of a campaign. *commitment* is public from the start, *seed* once it is drawn; triggers hold that neither changes."""

    campaign = models.OneToOneField(
        Campaign, on_delete=models.PROTECT, related_name="draw", verbose_name=_("campaign")
    )
    prizes = models.PositiveSmallIntegerField(_("number of prizes"), validators=[MinValueValidator(1)])
    algorithm = models.CharField(max_length=32, default=ALGORITHM, editable=False)
    seed = models.CharField(max_length=64, editable=False)
    commitment = models.CharField(_("SHA-256 of the seed"), max_length=64, editable=False)
    committed_at = models.DateTimeField(_("committed"), default=timezone.now, editable=False)
    drawn_at = models.DateTimeField(_("drawn"), null=True, editable=False)

    class Meta:
        verbose_name = _("draw")
        verbose_name_plural = _("draws")
        constraints: ClassVar = [
            models.CheckConstraint(name="draw_has_prizes", condition=models.Q(prizes__gte=1))
        ]

    def __str__(self) -> str:
        return self.campaign.name


class TicketHolder(models.Model):
    """Somebody's tickets in a draw, as they were then. *position* counts those before them who had theirs first, from 1; *place* is there for who won."""

    draw = models.ForeignKey(Draw, on_delete=models.PROTECT, related_name="holders", verbose_name=_("draw"))
    participant = models.ForeignKey(
        Participant, on_delete=models.PROTECT, related_name="held_tickets", verbose_name=_("participant")
    )
    position = models.PositiveIntegerField(_("order"))
    pseudonym = models.CharField(_("pseudonym"), max_length=16)
    credited = models.PositiveIntegerField(_("credited votes"))
    tickets = models.PositiveIntegerField(_("tickets"))
    place = models.PositiveSmallIntegerField(_("place"), null=True)
    ticket = models.PositiveIntegerField(_("winning ticket"), null=True)

    class Meta:
        verbose_name = _("holder of tickets")
        verbose_name_plural = _("holders of tickets")
        ordering: ClassVar = ["draw", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["draw", "participant"], name="tickets_once_a_participant"),
            models.UniqueConstraint(fields=["draw", "pseudonym"], name="tickets_once_a_pseudonym"),
            models.UniqueConstraint(fields=["draw", "position"], name="tickets_once_a_position"),
            models.UniqueConstraint(fields=["draw", "place"], name="tickets_one_a_place"),
            models.CheckConstraint(
                name="tickets_are_tens_of_credits",
                condition=models.Q(tickets__gte=1)
                & models.Q(credited__gte=models.F("tickets") * 10)
                & models.Q(credited__lt=models.F("tickets") * 10 + 10),
            ),
            models.CheckConstraint(
                name="tickets_winner_has_a_ticket",
                condition=models.Q(place__isnull=True, ticket__isnull=True)
                | models.Q(place__gte=1, ticket__gte=1, ticket__lte=models.F("tickets")),
            ),
        ]

    def __str__(self) -> str:
        return self.pseudonym
