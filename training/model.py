"""What a run starts from: a tokenizer and a model, from scratch or from a backbone, whole or behind adapters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training import varlen
from training.config import BUILT_IN, Recipe
from training.data import mix, rows
from training.errors import BadData, BadRecipe
from training.parts import Lora, ModelShape
from training.tokenizer import EOS, TEMPLATE, train_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

    Resolve = Callable[[str], Path]

_TOKENIZER_ROWS = 50_000  # of each source: more texts do not change a vocabulary of this size


def tokenizer_for(recipe: Recipe, resolve: Resolve) -> PreTrainedTokenizerFast:
    """The backbone's tokenizer with the study's template and padding; from scratch, one that learns from the recipe's own sources.

    Parameters
    ----------
    resolve
        From a path in a recipe to one on this machine.

    Raises
    ------
    BadRecipe
        Where the backbone is not there.
    BadData
        Where a source cannot be read.
    """
    if recipe.shape is not None:
        return train_tokenizer(_texts(recipe, resolve), vocabulary=recipe.shape.vocabulary)
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(_backbone(recipe, resolve))
    tokenizer.chat_template = TEMPLATE.read_text()
    if EOS in tokenizer.get_vocab():
        tokenizer.pad_token = EOS
    found: PreTrainedTokenizerFast = tokenizer
    return found


def model_for(
    recipe: Recipe, tokenizer: PreTrainedTokenizerFast, resolve: Resolve, *, on_gpu: bool
) -> PreTrainedModel:
    """The model of a run; seed torch before.

    Weights that are trained are float32, and autocast computes in bf16 where the recipe says so. A backbone behind adapters does not change, and lies in
    bf16 where it is computed in bf16.

    Raises
    ------
    BadRecipe
        Where the backbone is not there, or flash attention is asked for and cannot be had.
    """
    import torch
    from transformers import AutoModelForCausalLM

    _check_attention(recipe, on_gpu=on_gpu)
    method = recipe.method
    if recipe.shape is not None:
        model: Any = build_model(recipe.shape, tokenizer, attention=method.attention)
    else:
        rests_in_bf16 = method.lora is not None and method.precision == "bf16"
        model = AutoModelForCausalLM.from_pretrained(
            _backbone(recipe, resolve),
            dtype=torch.bfloat16 if rests_in_bf16 else torch.float32,
            attn_implementation=method.attention,
        )
    found: PreTrainedModel = _with_adapters(model, method.lora) if method.lora else model
    return found


def build_model(
    shape: ModelShape, tokenizer: PreTrainedTokenizerFast, *, attention: str = "sdpa"
) -> LlamaForCausalLM:
    """A Llama with tied embeddings and fresh weights; seed torch before."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(  # type: ignore[call-arg]  # what every configuration takes is not declared
            vocab_size=shape.vocabulary,
            hidden_size=shape.hidden,
            intermediate_size=shape.intermediate,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            max_position_embeddings=shape.positions,
            tie_word_embeddings=True,
            initializer_range=shape.initial_spread,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            attn_implementation=attention,
        )
    )


def _with_adapters(model: PreTrainedModel, lora: Lora) -> Any:
    from peft import LoraConfig, get_peft_model

    return get_peft_model(
        model,
        LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,  # type: ignore[arg-type]  # it takes any number
            lora_dropout=lora.dropout,
            target_modules=list(lora.matrices),
            task_type="CAUSAL_LM",
        ),
    )


def _backbone(recipe: Recipe, resolve: Resolve) -> Path:
    assert recipe.backbone is not None  # noqa: S101  # a recipe has a shape or a backbone
    path = resolve(recipe.backbone.path)
    if not (path / "config.json").is_file():
        raise BadRecipe(f"{recipe.code}: no model in {path}, where {recipe.backbone.name} should be")
    return path


def _check_attention(recipe: Recipe, *, on_gpu: bool) -> None:
    from transformers.utils.import_utils import is_flash_attn_2_available

    attention = recipe.method.attention
    if attention in varlen.FLAT and not on_gpu:
        raise BadRecipe(
            f"{recipe.code}: {attention} takes a GPU; --set method.attention=sdpa to go on without"
        )
    if attention == "flash_attention_2" and not is_flash_attn_2_available():
        raise BadRecipe(
            f"{recipe.code}: flash_attention_2 takes the package flash-attn; --set method.attention=varlen for torch's own"
        )
    if attention == varlen.NAME:
        varlen.register()


def _texts(recipe: Recipe, resolve: Resolve) -> Iterator[str]:
    """This package's own where a source is of them, then the beginnings of all files."""
    files = [each for each in recipe.sources.values() if not each.path.startswith(BUILT_IN)]
    if len(files) < len(recipe.sources):
        yield from mix.tokenizer_texts()
    bad = rows.BadRows()
    for source in files:
        for path in rows.inputs([resolve(source.path)]):
            for _, row in islice(rows.read_rows(path, bad), _TOKENIZER_ROWS):
                try:
                    if source.kind == "documents":
                        yield rows.text_of(row)
                    else:
                        yield from (f"{each['role']}\n\n{each['content']}" for each in rows.messages_of(row))
                except BadData:  # counted where rows are tokenised, which reads all of them
                    continue
