"""What two processes do in ``test_processes``: each runs this script, ranks and port in its environment."""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import torch  # noqa: E402
from torch import distributed  # noqa: E402

from tests.training import sharding, tiny  # noqa: E402
from training import checkpoints, parallel  # noqa: E402
from training.errors import BadRecipe, NotFinite  # noqa: E402
from training.schedule import BySeconds  # noqa: E402
from training.train import quiet_torch  # noqa: E402

TWO = (
    "batch.processes=2", "batch.rows=2", "schedule.steps=4", "cadence.evaluations_an_epoch=1",
    "optimizer.name=adamw",
)  # fmt: skip
FSDP = "parallel.kind=full"
CPU = torch.device("cpu")


def held() -> dict[str, Any]:
    return {"held": tiny.FakeRows(count=5, seed=9)}


def whole(folder: Path) -> tuple[dict[str, torch.Tensor], list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []
    made = tiny.trainer(tiny.recipe(*TWO), folder / "whole", evaluation=held(), lines=lines)
    return tiny.fit(made), lines


def halves(folder: Path, rank: int, *changes: str) -> dict[str, torch.Tensor]:
    """One process alone is asked to stop, after the second step; both do, and go on."""
    steps: list[int] = []

    def asked() -> bool:
        steps.append(1)
        return parallel.any_says(yes=rank == 1 and len(steps) == 2, device=CPU)

    recipe = tiny.recipe(*TWO, *changes)
    first = tiny.trainer(recipe, folder / "halves", asked=asked)
    tiny.fit(first)
    assert first.is_interrupted
    last = checkpoints.last_of(folder / "halves")
    assert last is not None
    assert last.name == "checkpoint-2"
    start = checkpoints.read_progress(last)
    again = tiny.trainer(recipe, folder / "halves", start=start, of_model=tiny.model(recipe, seed=50 + rank))
    return tiny.fit(again, resume_from_checkpoint=str(last))


def sharded(folder: Path, rank: int, plain: dict[str, torch.Tensor]) -> dict[str, Any]:
    """The same run sharded, sharded with a stop inside, and sharded in bf16; the second process begins with other weights."""
    with sharding.as_on_gpus():
        recipe = tiny.recipe(*TWO, FSDP)
        made = tiny.trainer(recipe, folder / "shards", of_model=tiny.model(recipe, seed=1 + rank))
        type_ = made.accelerator.distributed_type.value
        parallel.check_sharded(recipe, type_)
        weights = sharding.gathered(tiny.fit(made))
        again = sharding.gathered(halves(folder / "sharded", rank, FSDP))
        lines: list[dict[str, Any]] = []
        half = tiny.recipe(*TWO, FSDP, "method.precision=bf16")
        tiny.fit(tiny.trainer(half, folder / "bf16", evaluation=held(), lines=lines))
    return {
        "type": type_,
        "equal": tiny.same(weights, plain),
        "resumed_equal": tiny.same(again, weights),
        "files": sorted(
            path.relative_to(folder).as_posix() for path in (folder / "shards").rglob("*.distcp")
        ),
        "bf16": [line["evaluation"]["held"]["loss"] for line in lines if "evaluation" in line],
    }


def by_the_clock(folder: Path, rank: int) -> int:
    """Clocks that run differently: the first one's counts."""
    now = [0.0]

    def tick() -> float:
        now[0] += 1.0 + rank
        return now[0]

    pace = BySeconds(4, clock=tick, agree=parallel.first_says(CPU))
    made = tiny.trainer(tiny.recipe("batch.processes=2", "schedule.seconds=4"), folder / "clock", pace=pace)
    tiny.fit(made)
    return made.state.global_step


def poisoned(folder: Path, rank: int) -> str:
    """One process's rows give a gradient that is no number; both refuse the step."""

    class Poison(tiny.TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == 1 and rank == 1:
                kwargs["model"].model.norm.weight.register_hook(lambda g: g * float("nan"))

    made = tiny.trainer(tiny.recipe(*TWO), folder / "poison", callbacks=[Poison()])
    try:
        tiny.fit(made)
    except NotFinite as error:
        return str(error)
    return ""


def refused() -> str:
    try:
        parallel.check_sharded(
            tiny.recipe("optimizer.name=adamw", FSDP), _distributed_type_of_a_sharded_recipe()
        )
    except BadRecipe as error:
        return str(error)
    return ""


def _distributed_type_of_a_sharded_recipe() -> str:
    """What accelerate makes of FSDP on a CPU, without a word."""
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState
    from accelerate.utils import FullyShardedDataParallelPlugin

    AcceleratorState._reset_state(reset_partial_state=True)
    plugin = FullyShardedDataParallelPlugin(fsdp_version=2)
    return str(Accelerator(cpu=True, fsdp_plugin=plugin).distributed_type.value)


def main(folder: Path) -> None:
    from accelerate import PartialState

    quiet_torch(1)
    PartialState(cpu=True)
    rank = int(os.environ["RANK"])
    weights, lines = whole(folder)
    found = {
        "lines": lines,
        "resumed_equal": tiny.same(halves(folder, rank), weights),
        "sharded": sharded(folder, rank, weights),
        "clock_steps": by_the_clock(folder, rank),
        "poison": poisoned(folder, rank),
        "refused": refused(),
    }
    torch.save(weights, folder / f"weights-{rank}.pt")
    (folder / f"found-{rank}.json").write_text(json.dumps(found))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
