"""Which statuses an endpoint may go to from which. Pure."""

from __future__ import annotations

from inference.types import EndpointStatus

SHADOW, CANARY, ACTIVE = EndpointStatus.SHADOW, EndpointStatus.CANARY, EndpointStatus.ACTIVE
DISABLED, RETIRED = EndpointStatus.DISABLED, EndpointStatus.RETIRED

TRANSITIONS: dict[EndpointStatus, frozenset[EndpointStatus]] = {
    SHADOW: frozenset({CANARY, ACTIVE, DISABLED, RETIRED}),
    CANARY: frozenset({SHADOW, ACTIVE, DISABLED, RETIRED}),
    ACTIVE: frozenset({CANARY, DISABLED, RETIRED}),
    DISABLED: frozenset({SHADOW, ACTIVE, RETIRED}),
    RETIRED: frozenset({SHADOW}),
}
"""What was retired comes back as a shadow, to be checked again; what serves is taken out by being disabled. A canary that was switched off starts over."""


def may_become(old: EndpointStatus, new: EndpointStatus) -> bool:
    """Whether the step is allowed; staying is."""
    return new is old or new in TRANSITIONS[old]
