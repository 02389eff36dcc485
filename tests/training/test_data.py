"""The package's own texts, codes and recipes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from training import codes, config
from training.data import chats, corpus, mix, stream
from training.errors import BadRecipe
from training.paths import Roots
from training.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(mix.tokenizer_texts(), vocabulary=1024)


def test_held_out_questions_are_never_trained_on() -> None:
    for split in (chats.basque(), chats.english()):
        trained = {exchange.ask for exchange in split.train}
        assert not trained & {exchange.ask for exchange in (*split.held_prompts, *split.held_templates)}
        answers = {exchange.answer for exchange in split.train}
        assert {exchange.answer for exchange in split.held_prompts} <= answers


def test_the_system_prompt_is_the_sites(repository: object) -> None:
    from arena.dates import basque_date
    from arena.services.campaigns import DEFAULT_SYSTEM_PROMPT

    for day in (date(2026, 11, 23), date(2026, 10, 11), date(2027, 3, 19)):
        assert chats.system_prompt(day) == DEFAULT_SYSTEM_PROMPT.replace("{date}", basque_date(day))


def test_rows_are_the_same_for_the_same_recipe(tokenizer: PreTrainedTokenizerFast) -> None:
    recipe = config.load("txiki_110")
    one, other = (stream.row_set(recipe, tokenizer, Roots()) for _ in range(2))
    assert [one[index] for index in range(8)] == [other[index] for index in range(8)]


def test_the_mixture_follows_its_shares(tokenizer: PreTrainedTokenizerFast) -> None:
    recipe = config.load("txiki_100")
    rows = stream.row_set(recipe, tokenizer, Roots())
    text = tokenizer.decode([token for index in range(16) for token in rows[index]["input_ids"]])
    assert "<|start_header_id|>" not in text
    assert len(corpus.documents()) > 100


def test_the_embedded_recipes_mix_what_their_codes_say() -> None:
    assert config.embedded() == ["txiki_010", "txiki_011", "txiki_100", "txiki_110"]
    for name in config.embedded():
        recipe, code = config.load(name), codes.parse(name)
        assert str(code) == name
        assert [bool(getattr(recipe.data.shares, part)) for part in ("corpus", "eu", "en")] == [
            code.corpus,
            code.eu,
            code.en,
        ]


@pytest.mark.parametrize("text", ["txiki", "txiki_12", "txiki_210", "Txiki_110", "txiki_1100"])
def test_a_wrong_code_is_refused(text: str) -> None:
    with pytest.raises(BadRecipe):
        codes.parse(text)


def test_an_unknown_recipe_or_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="txiki_999"):
        config.load("txiki_999")
    own = tmp_path / "txiki_110.yaml"
    for line, fault in (
        ("colour: red", "colour"),
        ("data: {shares: {eu: 0.5}}", "sum to 1"),
        ("data: {shares: {en: 0.1, eu: 0.9}}", "digits"),
        ("schedule: {epochs: 2}", "exactly one"),
        ("shape: null", "backbone"),
        ("- 1", "txiki_110.yaml"),
    ):
        own.write_text(f"extends: _txiki.yaml\nname: T\ndescription: T\n{line}\n")
        with pytest.raises(BadRecipe, match=fault):
            config.load_file(own)


def test_a_recipe_that_extends_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "txiki_110.yaml").write_text("extends: txiki_110.yaml")
    with pytest.raises(BadRecipe, match="extends itself"):
        config.load_file(tmp_path / "txiki_110.yaml")
