"""Our trainer on one GPU: tokens a second, MFU and memory, documents kept apart, and resumption.

Models have fresh weights in the shapes of Llama 3.2 1B and of eight layers of Llama 3.1 8B; rows are full of documents of random tokens, lengths as of
texts. Without a GPU it says so.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

STEPS, WARM = 30, 8
_COMMON = {
    "vocab_size": 128_256, "num_key_value_heads": 8, "rms_norm_eps": 1e-5,
    "max_position_embeddings": 131_072,
}  # fmt: skip
SHAPES: dict[str, dict[str, Any]] = {
    "Llama-3.2-1B": {
        "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
        "head_dim": 64, "tie_word_embeddings": True,
    },
    "8 layers of Llama-3.1-8B": {
        "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 8, "num_attention_heads": 32,
        "head_dim": 128, "tie_word_embeddings": False,
    },
    "small": {
        "vocab_size": 4096, "hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 4,
        "num_attention_heads": 8, "head_dim": 64, "tie_word_embeddings": True,
    },
}  # fmt: skip


class Synthetic:
    """Rows full of documents; lengths are log-normal about 600 tokens, as of web texts."""

    source_names = ("random",)

    def __init__(self, length: int, vocabulary: int) -> None:
        self._length, self._vocabulary = length, vocabulary

    def __len__(self) -> int:
        return 100_000

    def set_epoch(self, epoch: int) -> None:
        """One pass is enough."""

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        rng = random.Random(index)
        row: dict[str, list[int]] = {"input_ids": [], "labels": [], "position_ids": [], "sources": []}
        while len(row["input_ids"]) < self._length:
            left = self._length - len(row["input_ids"])
            size = min(left, max(16, round(rng.lognormvariate(6.4, 1.0))))
            ids = [rng.randrange(self._vocabulary - 300) for _ in range(size)]
            row["input_ids"] += ids
            row["labels"] += [-100, *ids[1:]]
            row["position_ids"] += range(size)
            row["sources"] += [0] * size
        return row


@dataclass(frozen=True)
class Case:
    """A model at a length of rows."""

    shape: str
    length: int
    rows: int
    checkpointing: bool

    @property
    def shape_of_model(self) -> dict[str, Any]:
        return _COMMON | SHAPES[self.shape]

    def synthetic(self) -> Synthetic:
        return Synthetic(self.length, self.shape_of_model["vocab_size"])


CASES = (
    Case("Llama-3.2-1B", 4096, rows=4, checkpointing=False),
    Case("8 layers of Llama-3.1-8B", 8192, rows=2, checkpointing=True),
)


def device() -> str:
    """Where it is computed; on a CPU only the tests of this module are."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def build(case: Case, attention: str) -> Any:
    """A model with fresh weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from training import varlen

    if attention == varlen.NAME:
        varlen.register()
    torch.manual_seed(1)
    rope = {"rope_type": "default", "rope_theta": 500_000.0}
    kwargs = case.shape_of_model | {"rope_parameters": rope}
    with torch.device(device()):
        configuration: Any = LlamaConfig
        return LlamaForCausalLM(configuration(**kwargs, attn_implementation=attention))


def made(
    case: Case,
    attention: str,
    folder: Path,
    *,
    steps: int,
    lines: list[Any],
    extra: Sequence[str] = (),
    **how: Any,
) -> Any:
    """A trainer of the study's recipe on one GPU."""
    from training import config
    from training.arguments import training_arguments
    from training.cadence import Flow
    from training.checkpoints import Progress
    from training.collator import PackedCollator
    from training.course import Course
    from training.schedule import BySteps
    from training.tokenizer import train_tokenizer
    from training.trainer import PackedTrainer

    recipe = config.resolved(
        "exp_0_110",
        [
            "parallel.kind=ddp", "batch.processes=1", f"batch.rows={case.rows}", f"schedule.steps={steps}",
            f"method.attention={attention}", f"method.gradient_checkpointing={str(case.checkpointing).lower()}",
            f"data.row_tokens={case.length}", "cadence.kept=2", "cadence.evaluations_an_epoch=null", *extra,
        ],
    )  # fmt: skip
    pace = BySteps(steps)
    flow = Flow(recipe.cadence, steps_an_epoch=1e9, pace=pace, asked=how.get("asked") or (lambda: False))
    course = Course(
        recipe=recipe,
        rows=case.synthetic(),
        total_rows=steps * case.rows,
        evaluation={},
        pace=pace,
        flow=flow,
        folder=folder,
        record=lines.append,
        alive=lambda: None,
        start=how.get("start") or Progress(),
    )
    return PackedTrainer(
        build(case, attention),
        course,
        args=training_arguments(recipe, folder, steps=steps, on_gpu=device() == "cuda"),
        tokenizer=train_tokenizer(["bat bi hiru"], vocabulary=300),
        collate=PackedCollator(),
        callbacks=[],
    )


def speed(
    case: Case, attention: str, extra: Sequence[str], *, steps: int = STEPS, warm: int = WARM
) -> dict[str, Any]:
    """Medians over steps after the first; nothing is saved."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        trainer = made(case, attention, Path(folder), steps=steps, lines=lines, extra=extra)
        trainer._save_checkpoint = lambda *a: None
        with trainer.equipped():
            trainer.train()
        parameters = trainer.model.num_parameters()
    timed = lines[warm:]
    return {
        "case": f"{case.shape} at {case.length}",
        "who": "lehia",
        "attention": attention,
        "liger": trainer.args.use_liger_kernel,
        "rows": case.rows,
        "checkpointing": case.checkpointing,
        "parameters": parameters,
        "tokens_per_s": round(statistics.median(line["tokens_per_s"] for line in timed)),
        "mfu": statistics.median(line["mfu"] for line in timed) if timed[0]["mfu"] is not None else None,
        "peak_mb": max(line["memory_mb"] for line in timed),
    }


SMALL = Case("small", 1024, rows=2, checkpointing=False)


def isolation(attention: str, case: Case = SMALL) -> dict[str, Any]:
    """How much a document's losses move when another document in its row is replaced: not at all."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        trainer = made(case, attention, Path(folder), steps=1, lines=[])
    rows, where = case.synthetic(), device()
    batch = {name: torch.tensor([rows[3][name], rows[4][name]], device=where) for name in rows[3]}
    second = int(batch["position_ids"][0, 1:].eq(0).nonzero()[0]) + 1
    other = {name: each.clone() for name, each in batch.items()}
    other["input_ids"][0, :second] = 11
    trainer.model.eval()  # without noise
    found = []
    with trainer.equipped(), torch.no_grad(), torch.autocast(where, torch.bfloat16):
        for each in (batch, other):
            trainer._summed_losses(trainer.model, each)
            learnt = trainer._token_loss.learnt
            found.append(trainer._token_loss.losses[learnt >= second].float())
    moved = (found[0] - found[1]).abs().max().item()
    return {"case": "isolation", "who": "lehia", "attention": attention, "largest_difference_nats": moved}


def resumption(attention: str, case: Case = SMALL) -> dict[str, Any]:
    """Weights of six steps beside three, a stop and three more."""
    import torch

    from training import checkpoints

    weights = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = made(case, attention, folder / "whole", steps=6, lines=[])
        asks = itertools.chain([False, False, True], itertools.repeat(False))
        first = made(case, attention, folder / "halves", steps=6, lines=[], asked=lambda: next(asks))
        for trainer in (whole, first):
            torch.manual_seed(33)
            with trainer.equipped():
                trainer.train()
        last = checkpoints.last_of(folder / "halves")
        assert last is not None
        start = checkpoints.read_progress(last)
        second = made(case, attention, folder / "halves", steps=6, lines=[], start=start)
        with second.equipped():
            second.train(resume_from_checkpoint=str(last))
        weights = [trainer.model.state_dict() for trainer in (whole, second)]
    moved = max((value - weights[1][name]).abs().max().item() for name, value in weights[0].items())
    return {
        "case": "resume",
        "who": "lehia",
        "attention": attention,
        "largest_difference": moved,
        "bit_equal": moved == 0,
    }


def attentions() -> list[str]:
    """What this machine can compute packed rows with."""
    from transformers.utils.import_utils import is_flash_attn_2_available

    return [
        "eager",
        "sdpa",
        "flex_attention",
        "varlen",
        *(["flash_attention_2"] if is_flash_attn_2_available() else []),
    ]


def _careful(case: str, attention: str, measure: Any) -> dict[str, Any]:
    """A row, or what stood in its way: the other figures are still worth having."""
    import torch

    try:
        found: dict[str, Any] = measure()
    except Exception as error:  # noqa: BLE001  # told in the table, and by the exit status
        found = {
            "case": case,
            "who": "lehia",
            "attention": attention,
            "error": f"{type(error).__name__}: {error}"[:500],
        }
    torch.cuda.empty_cache()
    return found


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--attention", default="varlen", help="of the GPU's timed cases, varlen if left out")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", dest="changes")


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Isolation for each attention, then resumption and speed for one."""
    import torch

    if not torch.cuda.is_available():
        print("NOT RUN: on a GPU, for there is none; docs/log.md has the commands", file=sys.stderr)
        return []
    from training.train import quiet_torch

    quiet_torch(33)
    way, device = options.attention, {"device": torch.cuda.get_device_name(), "torch": torch.__version__}
    rows = [_careful("isolation", each, lambda each=each: isolation(each)) for each in attentions()]
    rows.append(_careful("resume", way, lambda: resumption(way)))
    rows += [_careful(case.shape, way, lambda case=case: speed(case, way, options.changes)) for case in CASES]
    return [row | device for row in rows]
