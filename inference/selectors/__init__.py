"""Reads of candidates, endpoints and their traffic."""

from inference.selectors.candidates import (
    canary_shares,
    candidates_served_outside,
    servable_candidates,
    target_for,
    target_of,
    targets_for,
)
from inference.selectors.pool import AtWork, at_work
from inference.selectors.traffic import EndpointTraffic, recent_traffic, standings_of, tokens_used_today

__all__ = [
    "AtWork",
    "EndpointTraffic",
    "at_work",
    "canary_shares",
    "candidates_served_outside",
    "recent_traffic",
    "servable_candidates",
    "standings_of",
    "target_for",
    "target_of",
    "targets_for",
    "tokens_used_today",
]
