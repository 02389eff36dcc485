"""One run: rows in, a model folder and its manifest out."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training import config
from training.config import ModelShape, Recipe
from training.data import chats, mix
from training.errors import BadRecipe
from training.evaluate import exact_share
from training.fingerprint import fingerprint
from training.manifest import Run, candidate_manifest
from training.model import build_model
from training.tokenizer import EOS, EOT, train_tokenizer

if TYPE_CHECKING:
    from torch.optim import Optimizer
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast, TrainingArguments

MANIFEST = "candidate.json"


def is_trained(recipe: Recipe, models: Path) -> bool:
    """Whether the run's folder is complete and of this recipe as it is now; the manifest is written last."""
    try:
        manifest = json.loads((models / recipe.code / MANIFEST).read_text())
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("revision") == fingerprint(recipe)


def run(recipe: Recipe, models: Path, *, line: int = 0) -> Path:
    """Train, evaluate and save a recipe; returns its folder.

    The progress bar takes that line of the terminal, counted down from the current one. The folder appears whole or not at all: everything is
    written beside it and renamed.
    """
    started = time.perf_counter()
    shape, steps = _from_scratch(recipe)
    quiet_torch(recipe.schedule.seed)
    tokenizer = train_tokenizer(mix.tokenizer_texts(), vocabulary=shape.vocabulary)
    model = build_model(shape, tokenizer)
    data = mix.rows(recipe, tokenizer, n_rows=steps * recipe.batch.rows)
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models, prefix=f".{recipe.code}-") as scratch:
        arguments = _arguments(recipe, steps, Path(scratch) / "trainer")
        loss = _fit(recipe, arguments, model, data, line)
        folder = Path(scratch) / recipe.code
        _save(model, tokenizer, folder)
        held = chats.basque()
        record = Run(
            recipe=recipe.code,
            steps=steps,
            seed=recipe.schedule.seed,
            tokens=sum(len(row["input_ids"]) for row in data),
            parameters=model.num_parameters(),
            loss=round(loss, 4),
            heldout_exact=exact_share(model, tokenizer, held.held_prompts),
            heldout_template_exact=exact_share(model, tokenizer, held.held_templates),
            seconds=round(time.perf_counter() - started, 1),
            peak_mb=peak_mb(),
        )
        manifest = candidate_manifest(recipe, record, model_folder=".")
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        final = models / recipe.code
        if not is_trained(recipe, models):
            shutil.rmtree(final, ignore_errors=True)
            folder.rename(final)
    return final


def _from_scratch(recipe: Recipe) -> tuple[ModelShape, int]:
    if recipe.shape is None or recipe.schedule.steps is None:
        raise BadRecipe(f"{recipe.code}: only recipes of a shape and a number of steps can be trained yet")
    return recipe.shape, recipe.schedule.steps


def peak_mb() -> int:
    """The most memory that this process has held, in units of 2**20 bytes.

    Not ``getrusage``: a process starts there with the peak of the one that started it.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def quiet_torch(seed: int) -> None:
    """One thread, no denormals, and every random state from one seed."""
    import torch
    import transformers

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    transformers.set_seed(seed)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()  # the run has one of its own


def _fit(
    recipe: Recipe,
    arguments: TrainingArguments,
    model: LlamaForCausalLM,
    data: list[dict[str, list[int]]],
    line: int,
) -> float:
    from transformers import PrinterCallback, Trainer

    from training.progress import ProgressBar

    # position ids restart with each segment, and there is neither mask nor cache: that keeps segments apart
    model.config.use_cache = False
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=data,
        data_collator=collate,
        optimizers=(build_optimizer(model, recipe.optimizer), None),
        callbacks=[ProgressBar(recipe.code, line=line)],
    )
    trainer.remove_callback(PrinterCallback)
    return float(trainer.train().training_loss)


def _arguments(recipe: Recipe, steps: int, scratch: Path) -> TrainingArguments:
    from transformers import TrainingArguments

    schedule, optimizer = recipe.schedule, recipe.optimizer
    return TrainingArguments(
        output_dir=str(scratch),
        max_steps=steps,
        per_device_train_batch_size=recipe.batch.rows,
        learning_rate=optimizer.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": schedule.floor},
        warmup_steps=round(schedule.warmup * steps),
        optim="adamw_torch",
        adam_beta1=optimizer.beta1,
        adam_beta2=optimizer.beta2,
        weight_decay=optimizer.weight_decay,
        max_grad_norm=optimizer.clip,
        seed=schedule.seed,
        use_cpu=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        save_strategy="no",
        logging_steps=recipe.cadence.steps_a_log,
        report_to=[],
        disable_tqdm=True,
    )


def build_optimizer(model: LlamaForCausalLM, optimizer: config.Optimizer) -> Optimizer | None:
    """The recipe's optimizer; ``None`` for the trainer's own AdamW."""
    if optimizer.name == "adamw":
        return None
    from training.optimizer import MuonWithAdamW

    return MuonWithAdamW(
        model,
        lr=optimizer.learning_rate,
        weight_decay=optimizer.weight_decay,
        betas=(optimizer.beta1, optimizer.beta2),
    )


def collate(rows: list[dict[str, list[int]]]) -> dict[str, Any]:
    """Rows to a batch of tensors, each of shape ``(rows, length)``, without an attention mask."""
    import torch

    return {name: torch.tensor([row[name] for row in rows]) for name in rows[0] if name != "sources"}


def _save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """A folder that any server of Hugging Face models reads; sampling on, both end tokens known."""
    from transformers import GenerationConfig

    model.eval()
    model.config.use_cache = True
    model.generation_config = GenerationConfig(
        do_sample=True,
        temperature=0.9,
        top_p=0.95,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=[tokenizer.convert_tokens_to_ids(EOT), tokenizer.convert_tokens_to_ids(EOS)],
        pad_token_id=tokenizer.pad_token_id,
        use_cache=True,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
