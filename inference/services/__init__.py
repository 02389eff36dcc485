"""Writes of candidates and endpoints."""

from inference.services.checks import (
    adopt_draft,
    last_checks,
    look_again,
    missing_checks,
    open_endpoint,
    prune_drafts,
    run_check,
    start_draft,
)
from inference.services.endpoints import add_endpoint, register_candidate, set_endpoint_status
from inference.services.keys import rotate_field_keys, rotate_key
from inference.services.probes import probe_endpoint, probe_endpoints

__all__ = [
    "add_endpoint",
    "adopt_draft",
    "last_checks",
    "look_again",
    "missing_checks",
    "open_endpoint",
    "probe_endpoint",
    "probe_endpoints",
    "prune_drafts",
    "register_candidate",
    "rotate_field_keys",
    "rotate_key",
    "run_check",
    "set_endpoint_status",
    "start_draft",
]
