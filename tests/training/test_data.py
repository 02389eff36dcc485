"""Text to rows: templates, masks, packing, isolation."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerFast

from training import codes, config
from training.data import chats, corpus, mix
from training.data.pack import pack
from training.data.tokenise import IGNORED, Segment, chat, document, render
from training.errors import BadData, BadRecipe
from training.model import build_model
from training.tokenizer import EOT, train_tokenizer

HEADER = (
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
    "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
)
TALK = [
    {"role": "system", "content": " Euskaraz. "},
    {"role": "user", "content": "Kaixo"},
    {"role": "assistant", "content": "Aupa!"},
    {"role": "user", "content": "Eskerrik asko"},
    {"role": "assistant", "content": "Ez horregatik!"},
]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(mix.tokenizer_texts(), vocabulary=1024)


def test_the_template_renders_the_studys_bytes(tokenizer: PreTrainedTokenizerFast) -> None:
    assert render(tokenizer, TALK[:2], generate=True) == (
        f"{HEADER}Euskaraz.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nKaixo<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )


def test_without_a_system_message_the_header_stands_with_an_empty_text(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    assert render(tokenizer, TALK[1:2], generate=False) == (
        f"{HEADER}<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nKaixo<|eot_id|>"
    )


def test_a_chat_learns_exactly_the_answers_and_their_ends(tokenizer: PreTrainedTokenizerFast) -> None:
    segment = chat(tokenizer, TALK)
    learnt = tokenizer.decode([label for label in segment.labels if label != IGNORED])
    assert learnt == f"Aupa!{EOT}Ez horregatik!{EOT}"
    assert all(label in {IGNORED, token} for label, token in zip(segment.labels, segment.ids, strict=True))


def test_a_chats_ids_are_what_the_template_renders_with_one_bos(tokenizer: PreTrainedTokenizerFast) -> None:
    segment = chat(tokenizer, TALK)
    assert tokenizer.decode(list(segment.ids)) == render(tokenizer, TALK, generate=False)
    assert segment.ids.count(tokenizer.bos_token_id) == 1


@given(st.integers(0, 10_000))
def test_a_prompts_ids_are_a_prefix_of_the_training_ids(seed: int) -> None:
    tokenizer = shared()
    talk = next(chats.chats(chats.basque().train, random.Random(seed)))
    ids = list(chat(tokenizer, talk).ids)
    last = max(index for index, message in enumerate(talk) if message["role"] == "assistant")
    prompt = tokenizer.encode(render(tokenizer, talk[:last], generate=True), add_special_tokens=False)
    assert ids[: len(prompt)] == prompt


_shared: list[PreTrainedTokenizerFast] = []


def shared() -> PreTrainedTokenizerFast:
    if not _shared:
        _shared.append(train_tokenizer(mix.tokenizer_texts(), vocabulary=1024))
    return _shared[0]


def test_a_document_learns_every_token(tokenizer: PreTrainedTokenizerFast) -> None:
    segment = document(tokenizer, "Kaixo, mundua.")
    assert segment.labels == segment.ids
    assert tokenizer.decode(list(segment.ids)) == "<|begin_of_text|>Kaixo, mundua.<|end_of_text|>"


@pytest.mark.parametrize(
    "talk",
    [
        TALK[:2],
        [*TALK[:2], {"role": "assistant", "content": " x "}],
        [*TALK[:2], {"role": "assistant", "content": EOT}],
        [],
    ],
)
def test_a_chat_that_teaches_nothing_or_would_change_is_refused(
    tokenizer: PreTrainedTokenizerFast, talk: list[dict[str, str]]
) -> None:
    with pytest.raises(BadData):
        chat(tokenizer, talk)


SEGMENTS = st.lists(st.integers(1, 40), min_size=1, max_size=30).map(
    lambda lengths: [Segment(tuple(range(10, 10 + n)), tuple(range(10, 10 + n))) for n in lengths]
)


@given(SEGMENTS, st.integers(4, 32), st.integers(1, 8))
def test_packing_keeps_every_token_and_tears_nothing_that_fits(
    segments: list[Segment], length: int, open_rows: int
) -> None:
    rows = list(pack(iter(segments), length=length, pad_id=0, open_rows=open_rows))
    assert all(len(row.input_ids) == len(row.labels) == len(row.position_ids) == length for row in rows)
    kept = sorted(token for row in rows for token in row.input_ids if token)
    assert kept == sorted(token for segment in segments for token in segment.ids)
    if all(len(segment) <= length for segment in segments):
        assert sum(token == 10 for row in rows for token in row.input_ids) == len(segments)
        assert all(
            token == 10 + place
            for row in rows
            for token, place in zip(row.input_ids, row.position_ids, strict=True)
            if token
        )


def test_a_segment_goes_to_the_row_that_it_fills_most_nearly() -> None:
    segments = [Segment((n,) * n, (n,) * n) for n in (5, 7, 3, 2)]
    rows = [row.input_ids for row in pack(iter(segments), length=10, pad_id=0)]
    assert rows == [[5] * 5 + [2] * 2 + [0] * 3, [7] * 7 + [3] * 3]


@given(SEGMENTS, st.integers(4, 32))
def test_positions_restart_and_no_segment_predicts_the_next(segments: list[Segment], length: int) -> None:
    for row in pack(iter(segments), length=length, pad_id=0):
        for place, position in enumerate(row.position_ids):
            if position == 0:
                assert row.labels[place] == IGNORED
            else:
                assert position == row.position_ids[place - 1] + 1


def test_packed_segments_do_not_see_each_other(tokenizer: PreTrainedTokenizerFast) -> None:
    import torch

    shape = config.load("txiki_110").shape
    assert shape
    torch.manual_seed(1)
    model = build_model(shape, tokenizer).eval()
    model.config.use_cache = False
    first, second = document(tokenizer, "Lehenengo dokumentua."), document(tokenizer, "Bigarrena hau da.")
    ids = torch.tensor([[*first.ids, *second.ids]])
    positions = torch.tensor([[*range(len(first)), *range(len(second))]])
    with torch.inference_mode():
        packed = model(input_ids=ids, position_ids=positions).logits[0, len(first) :]
        alone = model(input_ids=torch.tensor([second.ids])).logits[0]
        leaking = model(input_ids=ids).logits[0, len(first) :]
    assert torch.allclose(packed, alone, atol=1e-4)
    assert not torch.allclose(leaking, alone, atol=1e-2)  # what a missing restart looks like


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
    assert mix.rows(recipe, tokenizer, n_rows=8) == mix.rows(recipe, tokenizer, n_rows=8)


def test_the_mixture_follows_its_shares(tokenizer: PreTrainedTokenizerFast) -> None:
    recipe = config.load("txiki_100")
    rows = mix.rows(recipe, tokenizer, n_rows=16)
    text = tokenizer.decode([token for row in rows for token in row.input_ids])
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
