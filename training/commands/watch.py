"""``watch``: kills a run that hangs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from training.commands.types import Commands


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "watch", help="look at a run's heartbeat; status 124 where it stopped, after killing what was named"
    )
    parser.add_argument("folder", type=Path, metavar="RUN", help="a run's folder; it need not be there yet")
    parser.add_argument("--limit", type=float, required=True, metavar="SECONDS", help="without a heartbeat")
    killed = parser.add_mutually_exclusive_group()
    killed.add_argument("--kill", type=int, metavar="PID", help="kill this process and all below it")
    killed.add_argument("--scancel", metavar="JOB", help="kill the steps of this Slurm job")
    parser.add_argument(
        "--while",
        type=int,
        metavar="PID",
        dest="pid",
        help="as long as this process goes on; that of --kill, or else the run itself, if left out",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> object:
    from training.launch.watch import watch

    watch(options.folder, limit_s=options.limit, goes_on=_goes_on(options), act=_act(options))
    return None


def _goes_on(options: argparse.Namespace) -> Callable[[], bool]:
    from training.launch import processes
    from training.launch.watch import is_unfinished

    pid = options.pid or options.kill
    if pid:
        return lambda: processes.goes_on(pid)
    return lambda: is_unfinished(options.folder)


def _act(options: argparse.Namespace) -> Callable[[], None]:
    if options.kill:
        from training.launch.processes import kill_tree

        return lambda: kill_tree(options.kill)
    if options.scancel:
        from training.launch.slurm import kill_steps

        return lambda: kill_steps(options.scancel)
    return lambda: None
