"""What a run starts from: tokenizers, models, adapters, and torch's attention over documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.attention import varlen as kernels
from torch.nn.functional import scaled_dot_product_attention

from tests.training import tiny
from tests.training.runs import save_model
from training import config, varlen
from training.data import chats
from training.errors import BadRecipe
from training.evaluate import exact_share
from training.model import model_for, tokenizer_for
from training.tokenizer import TEMPLATE
from training.trainer import packed

BACKBONE = "backbone={path: BASE/small, name: small, licence: x, parameters_b: 0.01}"
LORA = "method.lora={rank: 2, alpha: 4, dropout: 0, matrices: [q_proj, down_proj]}"
PLAIN = ("method.attention=sdpa", "parallel.kind=ddp", BACKBONE)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as BASE/."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = tiny.tokenizer()
    save_model(tiny.model(tiny.recipe()), tokenizer, folder / "small")
    path = folder / "small" / "tokenizer_config.json"
    values = json.loads(path.read_text()) | {"pad_token": None}
    path.write_text(json.dumps(values))
    (folder / "small" / "chat_template.jinja").write_text("another")
    return folder


def resolver(base: Path) -> Any:
    return lambda path: base / path.removeprefix("BASE/").removeprefix("DATA/")


def test_a_backbones_tokenizer_takes_the_studys_template_and_padding(base: Path) -> None:
    tokenizer = tokenizer_for(config.resolved("exp_0_110", PLAIN), resolver(base))
    assert tokenizer.chat_template == TEMPLATE.read_text()
    assert tokenizer.pad_token == "<|end_of_text|>"


def test_a_trained_backbone_is_float32_whatever_it_is_computed_in(base: Path) -> None:
    model = model_for(config.resolved("exp_0_110", PLAIN), tiny.tokenizer(), resolver(base), on_gpu=False)
    assert {each.dtype for each in model.parameters()} == {torch.float32}
    assert all(each.requires_grad for each in model.parameters())
    assert torch.equal(model.state_dict()["lm_head.weight"], tiny.model(tiny.recipe()).lm_head.weight)


def test_behind_adapters_it_rests_in_bf16_and_adapters_learn_in_float32(base: Path) -> None:
    recipe = config.resolved("exp_0_110", [*PLAIN, LORA])
    model = model_for(recipe, tiny.tokenizer(), resolver(base), on_gpu=False)
    learnt = {name: each.dtype for name, each in model.named_parameters() if each.requires_grad}
    assert set(learnt.values()) == {torch.float32}
    assert all("lora_" in name for name in learnt)
    assert {name.split(".")[-4] for name in learnt} == {"q_proj", "down_proj"}
    assert {each.dtype for each in model.parameters() if not each.requires_grad} == {torch.bfloat16}


def test_a_backbone_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    recipe = config.resolved("exp_0_110", PLAIN)
    for make in (
        lambda: tokenizer_for(recipe, resolver(tmp_path)),
        lambda: model_for(recipe, tiny.tokenizer(), resolver(tmp_path), on_gpu=False),
    ):
        with pytest.raises(BadRecipe, match=r"no model in .*small, where small should be"):
            make()


def test_kernels_that_take_a_gpu_are_refused_without_with_the_way_to_go_on(base: Path) -> None:
    for attention in ("flash_attention_2", "varlen"):
        recipe = config.resolved("exp_0_110", [*PLAIN, f"method.attention={attention}"])
        with pytest.raises(BadRecipe, match=r"takes a GPU; --set method\.attention=sdpa"):
            model_for(recipe, tiny.tokenizer(), resolver(base), on_gpu=False)
    recipe = config.resolved("exp_0_110", [*PLAIN, "method.attention=flash_attention_2"])
    with pytest.raises(BadRecipe, match=r"flash-attn; --set method\.attention=varlen"):
        model_for(recipe, tiny.tokenizer(), resolver(base), on_gpu=True)


def test_from_scratch_a_tokenizer_learns_from_the_recipes_own_sources(tmp_path: Path) -> None:
    documents, talks = tmp_path / "d.jsonl", tmp_path / "c.jsonl"
    rows = [{"text": "zubizuri " * 50}, {"text": 3}, {"text": "zubizuri bat"}]
    documents.write_text("".join(json.dumps(row) + "\n" for row in rows))
    talk = [{"role": "user", "content": "kaixomundu"}, {"role": "assistant", "content": "kaixomundu"}]
    talks.write_text(json.dumps({"conversations": talk * 20}) + "\n")
    sources = (
        "data.sources.prose.path=DATA/d.jsonl",
        "data.sources.basque.path=DATA/c.jsonl",
        "shape.vocabulary=320",
    )
    recipe = tiny.recipe(*sources)
    assert not recipe.is_built_in
    tokenizer = tokenizer_for(recipe, resolver(tmp_path))
    assert len(tokenizer) == 320 or len(tokenizer) > 270
    assert len(tokenizer.encode("zubizuri", add_special_tokens=False)) == 1
    assert len(tokenizer.encode("kaixomundu", add_special_tokens=False)) == 1


def test_a_tokenizer_learns_from_files_beside_this_packages_own_texts(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text(json.dumps({"text": "zubizuri " * 5000}) + "\n")
    recipe = tiny.recipe("data.sources.prose.path=DATA/d.jsonl", "shape.vocabulary=600")
    assert {each.path for each in recipe.sources.values()} == {"DATA/d.jsonl", "builtin:basque"}
    tokenizer = tokenizer_for(recipe, resolver(tmp_path))
    assert len(tokenizer.encode(" zubizuri", add_special_tokens=False)) == 1
    assert len(tokenizer.encode("assistant", add_special_tokens=False)) == 1


def reference(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, edges: torch.Tensor, *rest: Any, **how: Any
) -> torch.Tensor:
    """What torch's kernel computes on a GPU, document by document."""
    assert how["window_size"] == (-1, 0)
    spans = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    heads = [each.transpose(0, 1)[None] for each in (query, key, value)]
    parts = [
        scaled_dot_product_attention(
            heads[0][:, :, a:b],
            heads[1][:, :, a:b],
            heads[2][:, :, a:b],
            is_causal=True,
            scale=how["scale"],
            enable_gqa=how["enable_gqa"],
        )[0].transpose(0, 1)
        for a, b in spans
    ]
    return torch.cat(parts)


def test_attention_over_documents_is_the_masked_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "varlen_attn", reference)
    varlen.register()
    masked = tiny.model(tiny.recipe())
    flat = tiny.model(tiny.recipe("method.attention=varlen"))
    rows = tiny.FakeRows()
    batch = {name: torch.tensor([rows[i][name] for i in range(3)]) for name in rows[0]}
    batch.pop("sources")
    with torch.no_grad():
        wanted = masked(**batch, use_cache=False).logits
        found = flat(**packed(batch, flat=True), use_cache=False).logits
    assert torch.allclose(found.view_as(wanted), wanted, atol=1e-5)


def test_under_autocast_it_computes_in_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.dtype] = []

    def kernel(*parts: Any, **how: Any) -> torch.Tensor:
        seen.extend(each.dtype for each in parts[:3])
        return reference(*parts, **how)

    monkeypatch.setattr(kernels, "varlen_attn", kernel)
    edges = torch.tensor([0, 4], dtype=torch.int32)
    query, key = torch.randn(1, 2, 4, 8), torch.randn(1, 1, 4, 8)
    with torch.autocast("cpu", torch.bfloat16):
        out, _ = varlen.attend(torch.nn.Module(), query, key, key, None, cu_seq_lens_q=edges, max_length_q=4)
    assert set(seen) == {torch.bfloat16}
    assert out.shape == (1, 4, 2, 8)


def test_questions_asked_together_are_answered_as_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from training import evaluate

    model, tokenizer = tiny.model(tiny.recipe()), tiny.tokenizer()
    model.config.use_cache = True
    asks = [each.ask for each in chats.basque().held_prompts[:5]]
    together = evaluate._answers(model, tokenizer, asks)
    assert together == [evaluate._answers(model, tokenizer, [ask])[0] for ask in asks]
    answers = iter(together)
    right = [chats.Exchange("f", ask, next(answers)) for ask in asks]
    assert exact_share(model, tokenizer, right) == 1
    wrong = [chats.Exchange("f", ask, "ez") for ask in asks]
    assert exact_share(model, tokenizer, [*right, *wrong]) == 0.5
