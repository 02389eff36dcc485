"""``launch``: a recipe's run on this machine or on a Slurm cluster, from tokens to export."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from training import config, paths
from training.commands.types import Commands
from training.errors import BadSite
from training.paths import Roots

if TYPE_CHECKING:
    from training.config import Recipe


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "launch", help="start a run: here by torchrun, or as jobs of a Slurm cluster"
    )
    parser.add_argument("recipe", metavar="RECIPE", help="a code or a YAML file")
    parser.add_argument("--on", choices=("local", "slurm"), required=True)
    parser.add_argument("--name", help="of the run's folder; the recipe's code if left out")
    parser.add_argument("--runs", type=Path, help="folder of runs; the cluster's, or var/runs, if left out")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", dest="changes")
    parser.add_argument("--resume", action="store_true", help="go on with a run that is there")
    _of_slurm(parser.add_argument_group("on Slurm"))
    _of_local(parser.add_argument_group("on this machine"))
    parser.set_defaults(run=run)


def _of_slurm(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--site", type=Path, metavar="FILE", help="the cluster's YAML file: docs/launch.md")
    group.add_argument("--submit", action="store_true", help="hand the jobs to sbatch, not only write them")
    group.add_argument("--no-export", action="store_true", help="no job for the export")


def _of_local(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--limit", type=float, metavar="SECONDS", help="without a heartbeat: then it hangs")
    group.add_argument("--hangs", type=int, default=3, help="how often a run that hung is started again")
    group.add_argument("--report-to", nargs="+", default=[], metavar="WHERE", help="as for train")
    paths.add_options(group)


def run(options: argparse.Namespace) -> object:
    recipe = config.resolved(options.recipe, options.changes)
    return _on_slurm(recipe, options) if options.on == "slurm" else _on_local(recipe, options)


def _on_slurm(recipe: Recipe, options: argparse.Namespace) -> object:
    from training.launch import site, slurm
    from training.launch.plan import plan

    if options.site is None:
        raise BadSite("--on slurm takes --site FILE, which describes the cluster")
    cluster = site.read(options.site)
    runs = options.runs or cluster.folders.runs
    planned = plan(recipe, runs, options.name, resume=options.resume)
    jobs = slurm.write(planned, cluster, export=not options.no_export)
    found: dict[str, object] = {"recipe": recipe.code, "run": str(planned.run)}
    found["files"] = {name: str(path) for name, path in jobs.items()}
    return found | ({"jobs": slurm.submit(planned, jobs)} if options.submit else {})


def _on_local(recipe: Recipe, options: argparse.Namespace) -> object:
    from training.launch.local import Local, launch
    from training.launch.plan import plan

    planned = plan(recipe, options.runs or Path("var/runs"), options.name, resume=options.resume)
    reports = ("--report-to", *options.report_to) if options.report_to else ()
    how = Local(Roots.of(options), options.limit, options.hangs, reports)
    entry = launch(planned, how)
    return {"recipe": recipe.code, "run": str(planned.run)} | (
        {"step": entry.run.step, "loss": entry.run.loss} if entry.run else {}
    )
