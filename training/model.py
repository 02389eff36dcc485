"""What a run starts from: the small Llama built from its recipe, and a tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.config import ModelShape, Recipe
from training.data import mix, rows
from training.errors import BadData, BadRecipe
from training.tokenizer import EOS, TEMPLATE, train_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

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
        texts = mix.tokenizer_texts() if recipe.is_built_in else _texts(recipe, resolve)
        return train_tokenizer(texts, vocabulary=recipe.shape.vocabulary)
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(_backbone(recipe, resolve))
    tokenizer.chat_template = TEMPLATE.read_text()
    if EOS in tokenizer.get_vocab():
        tokenizer.pad_token = EOS
    found: PreTrainedTokenizerFast = tokenizer
    return found


def build_model(shape: ModelShape, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A Llama with tied embeddings and fresh weights; seed torch before."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
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
        )
    )


def _backbone(recipe: Recipe, resolve: Resolve) -> Path:
    assert recipe.backbone is not None  # noqa: S101  # a recipe has a shape or a backbone
    path = resolve(recipe.backbone.path)
    if not (path / "config.json").is_file():
        raise BadRecipe(f"{recipe.code}: no model in {path}, where {recipe.backbone.name} should be")
    return path


def _texts(recipe: Recipe, resolve: Resolve) -> Iterator[str]:
    bad = rows.BadRows()
    for source in recipe.sources.values():
        for path in rows.inputs([resolve(source.path)]):
            for _, row in islice(rows.read_rows(path, bad), _TOKENIZER_ROWS):
                try:
                    if source.kind == "documents":
                        yield rows.text_of(row)
                    else:
                        yield from (f"{each['role']}\n\n{each['content']}" for each in rows.messages_of(row))
                except BadData:  # counted where rows are tokenised, which reads all of them
                    continue
