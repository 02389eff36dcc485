"""Cool-down under attack: while more new guests or messages come than is usual, a new guest waits half a minute, and few of a network are let in a minute.

Works without scripts and without anybody else's service, and costs no telephone its battery. Accounts, and guests who are here already, are let through.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.utils import timezone

from arena.addresses import neighbourhood
from arena.models import Cooldown
from arena.services import limits
from arena.types import CooldownMode

logger = logging.getLogger(__name__)

WINDOW = timedelta(minutes=10)
WAIT_S = 30
TICKET_LIVES_S = 600
_signer = signing.Signer(salt="arena.cooldown")


@dataclass(frozen=True, slots=True)
class Wait:
    """For so long; who comes back with the ticket then is let in."""

    seconds: int
    ticket: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What comes in ten minutes, and how much of it is usual: of everybody and of the network asked about."""

    is_on: bool
    guests: int
    messages: int
    guests_of_network: int
    messages_of_network: int


def note_message(address: str) -> None:
    limits.count("messages", f"messages {neighbourhood(address)}", window=WINDOW)


def let_in(*, address: str, ticket: str) -> Wait | None:
    """Count a new guest; ``None`` where they may begin. Four queries at most."""
    limits.count("guests", f"guests {neighbourhood(address)}", window=WINDOW)
    if not figures(address).is_on:
        return None
    network = neighbourhood(address)
    age_s = _age_of(ticket, network)
    if age_s is None:
        logger.warning("cool-down: a new guest waits")
        return Wait(WAIT_S, _ticket(network))
    if age_s < WAIT_S:
        return Wait(WAIT_S - age_s, ticket)
    crowded_s = limits.seconds_to_wait(f"let in {network}", most=settings.LEHIA_COOLDOWN_GUESTS)
    if crowded_s is not None:
        return Wait(crowded_s, ticket)
    if limits.count(f"ticket {ticket}", window=limits.HOUR) != [1]:
        return Wait(WAIT_S, _ticket(network))
    return None


def figures(address: str = "") -> Figures:
    """Two queries."""
    network = neighbourhood(address)
    whos = ("guests", "messages", f"guests {network}", f"messages {network}")
    counts = limits.counted(*whos, window=WINDOW)
    usual = (
        *(settings.LEHIA_USUAL_GUESTS, settings.LEHIA_USUAL_MESSAGES),
        *(settings.LEHIA_USUAL_GUESTS_OF_NETWORK, settings.LEHIA_USUAL_MESSAGES_OF_NETWORK),
    )
    mode = CooldownMode(Cooldown.objects.values_list("mode", flat=True).first() or CooldownMode.AUTO)
    unusual = any(n > most for n, most in zip(counts, usual, strict=True))
    return Figures(mode is CooldownMode.ON or (mode is CooldownMode.AUTO and unusual), *counts)


def _age_of(ticket: str, network: str) -> int | None:
    """Of a good ticket of this network, in seconds."""
    try:
        _, made, whose = _signer.unsign(ticket).split(" ")
    except signing.BadSignature:
        return None
    age_s = _now_s() - int(made)
    return age_s if whose == network and age_s <= TICKET_LIVES_S else None


def _ticket(network: str) -> str:
    return _signer.sign(f"{secrets.token_urlsafe(12)} {_now_s()} {network}")


def _now_s() -> int:
    return int(timezone.now().timestamp())
