"""The ways to start a fleet: each module renders a plan as files, by name under the output folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from inference.fleet.servers import Plan
from inference.fleet.targets import compose, kubernetes, local, slurm, systemd


class Target(StrEnum):
    LOCAL = "local"
    SYSTEMD = "systemd"
    COMPOSE = "compose"
    SLURM = "slurm"
    KUBERNETES = "kubernetes"


_RENDERERS: Mapping[Target, Callable[[Plan], dict[str, str]]] = {
    Target.LOCAL: local.render,
    Target.SYSTEMD: systemd.render,
    Target.COMPOSE: compose.render,
    Target.SLURM: slurm.render,
    Target.KUBERNETES: kubernetes.render,
}


def render(plan: Plan, target: Target) -> dict[str, str]:
    """A plan as files: their texts by their paths under the output folder.

    Raises
    ------
    BadFleet
        Where the fleet asks for what the target cannot do.
    """
    return _RENDERERS[target](plan)
