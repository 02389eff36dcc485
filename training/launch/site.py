"""A cluster, as a small YAML file describes it once for all runs; ``docs/launch.md`` has an example."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pydantic
import yaml
from pydantic import AfterValidator, Field

from training.errors import BadSite
from training.parts import Strict


def _one_line(text: str) -> str:
    if not text.strip() or any(not each.isprintable() for each in text):
        raise ValueError("not one line of text")
    return text


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("not an absolute path: jobs start in other folders")
    _one_line(str(path))
    return path


Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:@,+=&|*/\[\]-]+$")]
Line = Annotated[str, AfterValidator(_one_line)]
Folder = Annotated[Path, AfterValidator(_absolute)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Time = Annotated[str, Field(pattern=r"^(\d+-)?\d{1,2}:\d{2}:\d{2}$")]


class Partition(Strict):
    """Where jobs of one kind go.

    Parameters
    ----------
    time
        The longest that a job may take, ``[days-]hours:minutes:seconds``; a run of many such times is requeued.
    options
        Further options of ``sbatch``, such as ``--reservation=lehia``.
    """

    partition: Word
    account: Word | None = None
    qos: Word | None = None
    constraint: Word | None = None
    memory: Word | None = None
    time: Time
    options: tuple[Annotated[str, Field(pattern=r"^--[a-z-]+(=[^\s\"'\\]+)?$")], ...] = ()


class CpuPartition(Partition):
    """For what takes no GPU: tokens, rows, exports. A job takes part of one node."""

    cpus: int = Field(ge=1)


class GpuPartition(Partition):
    """For training.

    Parameters
    ----------
    gres
        What ``--gres`` calls a GPU, such as ``gpu:a100``; left out, jobs ask by ``--gpus-per-node``.
    exclusive
        Whether a job of whole nodes says ``--exclusive``.
    """

    gpus_per_node: int = Field(ge=1)
    cpus_per_gpu: int = Field(ge=1)
    gres: Word | None = None
    exclusive: bool = False


class Folders(Strict):
    """On a file system that all nodes see."""

    runs: Folder
    data: Folder
    base: Folder
    tokens: Folder


class Network(Strict):
    """How nodes reach each other.

    Parameters
    ----------
    interface
        For gloo and for NCCL's first contact: ``ib0``.
    adapters
        InfiniBand adapters that NCCL takes: ``mlx5_0,mlx5_1``; all if left out.
    port
        Of the meeting point; one by the job's number if left out, so that jobs that share a node do not collide.
    """

    interface: Word | None = None
    adapters: Word | None = None
    port: int | None = Field(default=None, ge=1024, le=65535)


class Limits(Strict):
    """How long a run may be silent, and how often it is started again.

    Parameters
    ----------
    heartbeat_s
        Seconds without a heartbeat after which a job hangs: longer than loading the weights takes.
    warning_s
        Seconds before the end of a job at which a run is asked to save: longer than a step and a save take.
    hangs
        How often a run that hung is requeued.
    restarts
        How often a job is requeued in all, whatever for.
    """

    heartbeat_s: int = Field(default=1800, ge=60)
    warning_s: int = Field(default=300, ge=120, le=65535)
    hangs: int = Field(default=3, ge=0)
    restarts: int = Field(default=50, ge=0)


class Site(Strict):
    """A cluster.

    Parameters
    ----------
    activate
        Shell lines that make Python and its packages available: modules, a virtual environment.
    container
        A command that runs the command behind it inside a container: ``[apptainer, exec, --nv, /images/lehia.sif]``.
    python
        The interpreter's name, there.
    environment
        Further variables of all jobs, taken literally.
    """

    cpu: CpuPartition
    gpu: GpuPartition
    folders: Folders
    activate: tuple[Line, ...] = ()
    container: tuple[Line, ...] = ()
    python: Line = "python"
    environment: dict[Variable, Line] = Field(default_factory=dict)
    network: Network = Network()
    limits: Limits = Limits()


def read(path: Path) -> Site:
    """A cluster's file.

    Raises
    ------
    BadSite
        Names every key at fault.
    """
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadSite(f"{path}: {error}") from None
    if not isinstance(values, dict):
        raise BadSite(f"{path}: not a mapping of keys to values")
    try:
        return Site.model_validate(values)
    except pydantic.ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, each['loc']))}: {each['msg']}"
            + (f" (is {each['input']!r})" if isinstance(each["input"], str | int) else "")
            for each in error.errors()
        )
        raise BadSite(f"{path}: {faults}") from None
