"""Ids and what is learnt of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from tests.training.small import TALK, Messages, encoder, talks, texts, tokenizer
from training.data.tokenise import IGNORED, Encoder, Segment, checked, render
from training.errors import BadData, BadRecipe
from training.template import BOS, EOS, EOT, SPECIAL


def decoded(ids: list[int]) -> str:
    return str(tokenizer().decode(ids))


@given(talks())
def test_a_chat_learns_exactly_its_answers_and_their_ends(messages: Messages) -> None:
    segment = encoder().chat(messages)
    answers = [each["content"].strip() for each in messages if each["role"] == "assistant"]
    assert [decoded(segment.ids[start:end]) for start, end in segment.learnt] == [
        answer + EOT for answer in answers
    ]
    assert all(label in {IGNORED, each} for label, each in zip(segment.labels, segment.ids, strict=True))
    assert sum(label != IGNORED for label in segment.labels) == sum(b - a for a, b in segment.learnt)


@given(talks())
def test_a_chats_ids_are_what_the_template_renders_with_one_begin(messages: Messages) -> None:
    segment = encoder().chat(messages)
    assert decoded(segment.ids) == render(tokenizer(), messages, generate=False)
    assert decoded(segment.ids).count(BOS) == 1


@given(talks())
def test_each_prompts_ids_are_a_prefix_of_the_ids_trained_on(messages: Messages) -> None:
    segment = encoder().chat(messages)
    for place, message in enumerate(messages):
        if message["role"] == "assistant":
            text = render(tokenizer(), messages[:place], generate=True)
            prompt = tokenizer().encode(text, add_special_tokens=False)
            assert segment.ids[: len(prompt)] == prompt
            assert len(prompt) in {start for start, _ in segment.learnt}


@given(texts.filter(lambda text: bool(text.strip())))
def test_a_document_learns_every_token_between_its_ends(text: str) -> None:
    segment = encoder().document(text)
    assert decoded(segment.ids) == BOS + text + EOS
    assert segment.labels == segment.ids


@pytest.mark.parametrize("mark", SPECIAL)
def test_a_document_that_spells_a_special_token_is_plain_text(mark: str) -> None:
    segment = encoder().document(f"Hau {mark} da.")
    special = {tokenizer().convert_tokens_to_ids(each) for each in SPECIAL}
    assert not special & set(segment.ids[1:-1])
    assert decoded(segment.ids) == f"{BOS}Hau {mark} da.{EOS}"


@pytest.mark.parametrize("mark", SPECIAL)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_chat_that_spells_one_is_refused(mark: str, place: int) -> None:
    talk = [dict(each) for each in TALK[:3]]
    talk[place]["content"] = f"x{mark}y"
    with pytest.raises(BadData, match="marks"):
        encoder().chat(talk)


def test_marks_are_the_tokenizers_own_not_only_the_templates() -> None:
    raw = Tokenizer.from_str(encoder().definition)
    raw.add_special_tokens(["<|python_tag|>"])
    talk = [*TALK[:2], {"role": "assistant", "content": "<|python_tag|>1"}]
    encoder().chat(talk)
    with pytest.raises(BadData, match="marks"):
        Encoder(raw).chat(talk)


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        ([], "without an answer"),
        (TALK[:2], "without an answer"),
        ([*TALK, {"role": "assistant", "content": " \n"}], "empty answer"),
        ([*TALK, {"role": "tool", "content": "x"}], "unknown role"),
    ],
)
def test_a_chat_that_teaches_nothing_is_refused(talk: Messages, reason: str) -> None:
    with pytest.raises(BadData, match=reason):
        encoder().chat(talk)


@given(st.lists(talks(), max_size=4), st.lists(texts, max_size=4))
def test_many_at_once_are_as_one_by_one(chats: list[Messages], documents: list[str]) -> None:
    made = encoder().chats([encoder().pieces(each) for each in chats])
    assert made == [encoder().chat(each) for each in chats]
    assert encoder().documents(documents) == [encoder().document(each) for each in documents]


def with_begin() -> Tokenizer:
    """As Llama 3's: it puts the begin token before whatever it encodes, and somebody left truncation and padding on it."""
    raw = Tokenizer.from_str(encoder().definition)
    raw.post_processor = TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, raw.token_to_id(BOS))])
    raw.enable_truncation(4)
    raw.enable_padding(length=64)
    return raw


def test_a_tokenizer_that_adds_a_begin_token_adds_no_second_one() -> None:
    own = PreTrainedTokenizerFast(tokenizer_object=with_begin(), bos_token=BOS, eos_token=EOT)
    assert own.encode("x")[0] == own.bos_token_id
    assert Encoder.of(own).chat(TALK) == encoder().chat(TALK)
    assert Encoder.of(own).document("Kaixo, mundua") == encoder().document("Kaixo, mundua")


def test_a_tokenizer_is_named_by_what_it_encodes(tmp_path: Path) -> None:
    """Not by what a caller left on it, and the same when it was saved and loaded."""
    assert Encoder(with_begin()).sha256 == encoder().sha256
    tokenizer().save_pretrained(tmp_path)
    loaded: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(tmp_path)  # type: ignore[assignment]  # any kind
    assert Encoder.of(loaded).sha256 == encoder().sha256
    raw = Tokenizer.from_str(encoder().definition)
    raw.add_tokens(["etxea"])
    assert Encoder(raw).sha256 != encoder().sha256


def test_the_callers_tokenizer_is_left_as_it_was() -> None:
    own = with_begin()
    before = own.to_str()
    Encoder(own).document(EOT)
    assert own.to_str() == before
    assert not own.encode_special_tokens


def test_a_tokenizer_without_the_templates_tokens_is_refused() -> None:
    with pytest.raises(BadRecipe, match=r"<\|begin_of_text\|>, .*template"):
        Encoder(Tokenizer(models.BPE()))


def test_a_tokenizer_without_a_fast_backend_is_refused() -> None:
    slow: PreTrainedTokenizerFast = object()  # type: ignore[assignment]  # what it lacks is the point
    with pytest.raises(BadRecipe, match="fast"):
        Encoder.of(slow)


def test_half_a_character_is_refused_with_a_reason() -> None:
    assert checked("ñ 🌿") == "ñ 🌿"
    with pytest.raises(BadData, match="not Unicode"):
        checked(json.loads('"\\ud83c"'))


def test_labels_are_ignored_where_nothing_is_learnt() -> None:
    assert Segment([5, 6, 7, 8], [(1, 2), (3, 4)]).labels == [IGNORED, 6, IGNORED, 8]


def with_gpt2s_split() -> Tokenizer:
    """It cuts a header's two line ends apart before a word, and not where a prompt ends: models trained so answer nothing right."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator([render(tokenizer(), TALK, generate=True)] * 20, trainer)
    return raw


def test_a_tokenizer_by_which_prompts_are_no_prefixes_is_refused() -> None:
    raw = with_gpt2s_split()
    prompt, whole = (
        raw.encode(render(tokenizer(), TALK[:end], generate=end == 2), add_special_tokens=False).ids
        for end in (2, 3)
    )
    assert whole[: len(prompt)] != prompt
    with pytest.raises(BadRecipe, match="Llama 3"):
        Encoder(raw)
