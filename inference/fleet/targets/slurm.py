"""Slurm: a job a host, on the node of its name, that runs all of its servers and ends if one of them does."""

from __future__ import annotations

from inference.fleet.commands import unit_name
from inference.fleet.config import Host
from inference.fleet.servers import Plan, Process
from inference.fleet.targets.shell import FUNCTIONS, command, sources_keys, wait_line, with_environment

_RESTARTS = 20
# Bash's own `wait -n` waits for the others where one has ended before it is called.
_ALL_RUN = """\
all_run() {
  local pid
  for pid in "${PIDS[@]}"; do
    kill -0 "$pid" 2>/dev/null || return 1
  done
}
"""


def render(plan: Plan) -> dict[str, str]:
    """``HOST.sbatch`` for every host with servers."""
    files = {}
    for host in plan.fleet.hosts:
        here = plan.on(host.name)
        if here:
            files[f"{host.name}.sbatch"] = _job(plan, host, here)
    return files


def _job(plan: Plan, host: Host, here: tuple[Process, ...]) -> str:
    head = "\n".join(f"#SBATCH {each}" for each in _directives(plan, host))
    body = "\n".join(_start(plan, index, each, here) for index, each in enumerate(here))
    return (
        f"#!/bin/bash\n{head}\n# Fleet {plan.fleet.fleet} on {host.name}: requeued when a server ends, or when its time is up.\n"
        f"set -euo pipefail\nPIDS=()\ntrap 'kill \"${{PIDS[@]}}\" 2>/dev/null || true; wait' EXIT\n"
        "trap 'scontrol requeue \"$SLURM_JOB_ID\"; exit 0' USR1\n"
        f"{sources_keys(host.key_file)}{FUNCTIONS}{_ALL_RUN}\n{body}\n"
        "while all_run; do sleep 2; done\n"
        "echo 'a server ended' >&2\n"
        f'[ "${{SLURM_RESTART_COUNT:-0}}" -ge {_RESTARTS} ] || scontrol requeue "$SLURM_JOB_ID"\nexit 1\n'
    )


def _directives(plan: Plan, host: Host) -> list[str]:
    slurm = plan.fleet.targets.slurm
    asked = {
        "job-name": unit_name(plan, host.name),
        "nodes": "1",
        "nodelist": host.name,
        "ntasks": "1",
        "partition": slurm.partition,
        "account": slurm.account,
        "time": slurm.time,
        "cpus-per-task": None if slurm.cpus is None else str(slurm.cpus),
        "gpus-per-node": str(host.gpus) if host.gpus else None,
        "signal": "B:USR1@120",
        "output": f"{unit_name(plan, host.name)}-%j.out",
    }
    lines = [f"--{name}={value}" for name, value in asked.items() if value is not None]
    return [*lines, "--requeue", "--open-mode=append", *slurm.options]


def _start(plan: Plan, index: int, each: Process, here: tuple[Process, ...]) -> str:
    """A process in the background, once those that it waits for are healthy."""
    numbers = {other.name: number for number, other in enumerate(here)}
    waits = [
        wait_line(here[number], f'"${{PIDS[{number}]}}"') + "\n"
        for number in (numbers[name] for name in each.after)
    ]
    return f"{''.join(waits)}{with_environment(command(plan, each))} &\nPIDS[{index}]=$!\n"
