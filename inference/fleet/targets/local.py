"""Local processes: a script a server, to start one by hand. ``fleet up`` starts the same commands and watches them."""

from __future__ import annotations

from inference.fleet.servers import Plan
from inference.fleet.targets.shell import command, sources_keys, with_environment


def render(plan: Plan) -> dict[str, str]:
    """``HOST/NAME.sh`` for every server and router; each runs in the foreground."""
    files = {}
    for each in (process for host in plan.fleet.hosts for process in plan.on(host.name)):
        keys = sources_keys(each.host.key_file)
        files[f"{each.host.name}/{each.name}.sh"] = (
            f"#!/bin/bash\n# {each.name} of fleet {plan.fleet.fleet}, on {each.host.name}.\nset -euo pipefail\n"
            f"{keys}exec {with_environment(command(plan, each))}\n"
        )
    return files
