"""Slurm: a run's jobs as files, submitted so that each waits for the one before it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from training import paths
from training.errors import BadRecipe, BadSite, RunFailed
from training.launch.plan import Plan
from training.launch.site import GpuPartition, Partition, Site
from training.signals import HUNG

PREPARE, TRAIN, EXPORT = "prepare", "train", "export"
_ABOUT = {
    PREPARE: "Tokens and rows of {name}, once for all runs that read the same.",
    TRAIN: "Trains {name}; requeued until it is done.",
    EXPORT: "Makes a model folder of {name}.",
}
_PLAIN = re.compile(r"[\w.,:@%+=/*|&\[\]-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Nodes:
    """How many, and how many processes, of a GPU each, on each of them."""

    count: int
    processes: int
    are_whole: bool


def nodes_for(processes: int, gpu: GpuPartition) -> Nodes:
    """The nodes that so many processes take: a part of one, or whole ones.

    Raises
    ------
    BadSite
        Where the processes do not fill nodes evenly.
    """
    if processes <= gpu.gpus_per_node:
        return Nodes(1, processes, processes == gpu.gpus_per_node)
    count, rest = divmod(processes, gpu.gpus_per_node)
    if rest:
        raise BadSite(
            f"gpu.gpus_per_node: {processes} processes do not fill nodes of {gpu.gpus_per_node} GPUs; "
            "--set batch.processes=N for another number"
        )
    return Nodes(count, gpu.gpus_per_node, are_whole=True)


def write(plan: Plan, site: Site, *, export: bool = True) -> dict[str, Path]:
    """Write a run's jobs and its frozen recipe; returns the jobs' files in the order in which they run.

    The job that prepares tokens and rows is left out where a recipe's rows are made from this package's own texts.

    Raises
    ------
    BadRecipe, BadSite
        Where the recipe's processes do not fit together, or do not fit the cluster's nodes.
    """
    _check(plan)
    nodes = nodes_for(plan.recipe.batch.processes, site.gpu)
    names = [*([] if plan.recipe.is_built_in else [PREPARE]), TRAIN, *([EXPORT] if export else [])]
    plan.freeze()
    found = {name: plan.folder / f"{name}.sbatch" for name in (PREPARE, TRAIN, EXPORT)}
    for name, path in found.items():
        path.unlink(missing_ok=True)
        if name in names:
            path.write_text(render(name, plan, site, nodes))
    return {name: found[name] for name in names}


def render(name: str, plan: Plan, site: Site, nodes: Nodes) -> str:
    """One job's file."""
    values: dict[str, Any] = {
        "name": name,
        "about": _ABOUT[name].format(name=plan.name),
        "plan": plan,
        "site": site,
        "python": shlex.join([*site.container, site.python]),
        "directives": _directives(name, plan, site, nodes),
        "environment": _environment(name, site),
        "nodes": nodes.count,
        "processes": nodes.processes,
        "port": site.network.port,
        "hung": HUNG,
    }
    return _templates().get_template(f"{name}.sbatch").render(values)


def _check(plan: Plan) -> None:
    from training import parallel

    recipe = plan.recipe
    parallel.check(recipe, parallel.World(0, 0, recipe.batch.processes), on_gpu=True)
    if not str(plan.run).isprintable():
        raise BadRecipe(f"{plan.run}: not a path that a job's file can hold")


def _directives(name: str, plan: Plan, site: Site, nodes: Nodes) -> list[str]:
    where: Partition = site.gpu if name == TRAIN else site.cpu
    output = str(plan.folder).replace("%", "%%") + f"/{name}-%j.out"
    asked = {
        "job-name": f"{name}-{plan.name}".replace("%", "%%"),
        "partition": where.partition,
        "account": where.account,
        "qos": where.qos,
        "constraint": where.constraint,
        "time": where.time,
        "mem": where.memory,
        "output": output,
        **(_gpus(site.gpu, nodes) if name == TRAIN else _cpus(site.cpu.cpus)),
    }
    lines = [f"--{key}={_word(value)}" for key, value in asked.items() if value is not None]
    if name == TRAIN:
        # B: the batch script alone hears of it
        lines += ["--requeue", "--open-mode=append", f"--signal=B:USR1@{site.limits.warning_s}"]
        lines += ["--exclusive"] if site.gpu.exclusive and nodes.are_whole else []
    return [*lines, *where.options]


def _cpus(count: int) -> dict[str, str]:
    return {"nodes": "1", "ntasks": "1", "cpus-per-task": str(count)}


def _gpus(gpu: GpuPartition, nodes: Nodes) -> dict[str, str]:
    number = str(nodes.processes)
    asked = {"gres": f"{gpu.gres}:{number}"} if gpu.gres else {"gpus-per-node": number}
    cpus = str(nodes.processes * gpu.cpus_per_gpu)
    return {"nodes": str(nodes.count), "ntasks-per-node": "1", "cpus-per-task": cpus} | asked


def _word(value: str) -> str:
    """As sbatch reads options in a file: in double quotes where there are other signs."""
    if _PLAIN.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _environment(name: str, site: Site) -> dict[str, str]:
    folders, network = site.folders, site.network
    always = {
        paths.DATA: str(folders.data),
        paths.BASE: str(folders.base),
        paths.TOKENS: str(folders.tokens),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if name == TRAIN:
        always |= {"OMP_NUM_THREADS": str(site.gpu.cpus_per_gpu), "NCCL_DEBUG": "WARN"}
        always |= {
            "TORCH_NCCL_ASYNC_ERROR_HANDLING": "1",
            "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
        }
        if network.interface:
            always |= dict.fromkeys(("NCCL_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME"), network.interface)
        if network.adapters:
            always["NCCL_IB_HCA"] = network.adapters
    return always | site.environment


@cache
def _templates() -> jinja2.Environment:
    found = jinja2.Environment(  # noqa: S701  # files of a shell, not of a browser
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["sh"] = lambda value: shlex.quote(str(value))
    return found


# ---- the cluster itself


def submit(plan: Plan, jobs: dict[str, Path]) -> dict[str, str]:
    """Submit jobs, each to start when the one before it has ended well; returns their numbers.

    Where one is refused, those before it are taken back.

    Raises
    ------
    BadRecipe
        Where jobs of an earlier launch of the run are still queued: two would write the same folder.
    RunFailed
        Where Slurm refuses, in its words.
    """
    record = plan.folder / "jobs.json"
    waiting = _queued(record)
    if waiting:
        raise BadRecipe(f"{plan.name} is in the queue already, as {', '.join(waiting)}; scancel them first")
    (plan.folder / "hangs.txt").unlink(missing_ok=True)
    found: dict[str, str] = {}
    for name, path in jobs.items():
        last = next(reversed(found.values()), None)
        after = [f"--dependency=afterok:{last}", "--kill-on-invalid-dep=yes"] if last else []
        try:
            found[name] = _ask("sbatch", "--parsable", *after, str(path)).partition(";")[0]
        except RunFailed:
            if found:
                _ask("scancel", *found.values())
            raise
    record.write_text(json.dumps(found) + "\n")
    return found


def kill_steps(job: str) -> None:
    """Kill the steps of a job, its batch script left alone: that decides what comes next.

    Raises
    ------
    RunFailed
    """
    listed = _ask("squeue", "--noheader", "--steps", "--jobs", job, "--format", "%i").split()
    steps = [step for step in listed if step.rpartition(".")[2].isdecimal()]
    if steps:
        _ask("scancel", "--signal=KILL", *steps)


def _queued(record: Path) -> list[str]:
    """Jobs of an earlier launch that Slurm still knows as waiting or running."""
    if not record.is_file():
        return []
    numbers = ",".join(json.loads(record.read_text()).values())
    try:
        return _ask("squeue", "--noheader", "--jobs", numbers, "--format", "%i").split()
    except RunFailed:  # it says so where it has forgotten all of them
        return []


def _ask(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise RunFailed(
            f"{command[0]}: {error.strerror}; --submit takes a machine that has Slurm's commands"
        ) from None
    if done.returncode:
        raise RunFailed(f"{shlex.join(command)}: {done.stderr.strip() or f'status {done.returncode}'}")
    return done.stdout.strip()
