"""What four processes do in ``test_processes``: weights in two copies of two shards."""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")

from torch import distributed  # noqa: E402

from tests.training import sharding, tiny  # noqa: E402
from tests.training.two import TWO, halves  # noqa: E402
from training.train import quiet_torch  # noqa: E402

FOUR = (*TWO, "batch.processes=4", "batch.rows=1")
HYBRID = ("parallel.kind=hybrid", "parallel.shard=2", "parallel.copies=2")


def main(folder: Path) -> None:
    from accelerate import PartialState

    quiet_torch(1)
    PartialState(cpu=True)
    rank = int(os.environ["RANK"])
    plain = tiny.fit(tiny.trainer(tiny.recipe(*FOUR), folder / "plain"))
    with sharding.as_on_gpus():
        made = tiny.trainer(tiny.recipe(*FOUR, *HYBRID), folder / "hybrid")
        weights = tiny.fit(made)
        placements = str(next(iter(weights.values())).placements)  # type: ignore[attr-defined]
        whole = sharding.gathered(weights)
        again = sharding.gathered(halves(folder, rank, *FOUR, *HYBRID))
    found = {
        "placements": placements,
        "largest_difference": max((whole[name] - plain[name]).abs().max().item() for name in whole),
        "resumed_equal": tiny.same(again, whole),
    }
    (folder / f"found-{rank}.json").write_text(json.dumps(found))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
