"""Learning from the arena's votes: pairs into tokens, and the run that TRL makes of them."""

from __future__ import annotations

import builtins
import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import PeftModel
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from tests.training import tiny, two_shards
from tests.training.runs import copied, make_run, recipe, tiny_tokenizer
from training import checkpoints
from training.arguments import training_arguments
from training.assembly import extent
from training.cadence import Flow
from training.checkpoints import Progress
from training.config import Recipe
from training.course import Course, CourseTrainer
from training.data.rows import BadRows, Fields, line, open_to_write
from training.data.tokenise import Encoder, render
from training.dpo import stage
from training.dpo.pairs import Pair, PairRows, pair_of, read_pairs
from training.errors import BadData, MissingExtra, NotFinite
from training.export.job import Request, export
from training.schedule import BySteps

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "preferences.schema.json"
SMALL: dict[str, Any] = {
    "data": {"row_tokens": 200},
    "schedule": {"steps": 6, "warmup": 0},
    "optimizer": {"learning_rate": 1e-2},
    "cadence": {"steps_a_log": 1},
}
TINY = recipe("txiki_110_dpo", **SMALL)


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def row(number: int = 0, chosen: str = "Ondo, eta zu?", rejected: str = "Well, and you?") -> Fields:
    return {
        "prompt": [said("system", "Euskaraz."), said("user", f"Kaixo, zer moduz? {number}")],
        "chosen": [said("assistant", chosen)],
        "rejected": [said("assistant", rejected)],
    }


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return tiny_tokenizer()


@pytest.fixture(scope="module")
def pairs(tokenizer: PreTrainedTokenizerFast) -> list[Pair]:
    return [pair_of(row(number), Encoder.of(tokenizer), longest=200) for number in range(8)]


def test_a_pairs_tokens_are_those_of_supervised_runs_and_of_servers(
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    talk = [said("user", "Kaixo"), said("assistant", "Aupa! "), said("user", "Zer moduz?")]
    found = pair_of(row() | {"prompt": talk}, Encoder.of(tokenizer), longest=200)
    asked = [{**each, "content": each["content"].strip()} for each in talk]
    prompt = tokenizer.encode(render(tokenizer, asked, generate=True), add_special_tokens=False)
    assert list(found.prompt_ids) == prompt
    for ids, text in ((found.chosen_ids, "Ondo, eta zu?"), (found.rejected_ids, "Well, and you?")):
        whole = Encoder.of(tokenizer).chat([*asked, said("assistant", text)])
        assert [*found.prompt_ids, *ids] == whole.ids
        assert tokenizer.decode(list(ids)) == f"{text}<|eot_id|>"
    assert prompt.count(tokenizer.bos_token_id) == 1


WRONG: dict[str, Fields] = {
    "no prompt": {"prompt": None},
    "no chosen": {"chosen": "Ondo"},
    "no conversations": {"prompt": []},
    "end with the user": {"prompt": [said("user", "a"), said("assistant", "b")]},
    "one message of the assistant": {"rejected": [said("user", "Ondo")]},
    "not one message": {"rejected": [said("assistant", "a"), said("assistant", "b")]},
    "the same": {"rejected": [said("assistant", " Ondo, eta zu?\n")]},
    "an empty answer": {"rejected": [said("assistant", " ")]},
    "unknown role": {"prompt": [said("judge", "a")]},
    "tokenizer.s marks": {"prompt": [said("user", "<|eot_id|>")]},
    "longer than a row": {"chosen": [said("assistant", "a b c d " * 60)]},
}


@pytest.mark.parametrize(("reason", "change"), WRONG.items(), ids=WRONG)
def test_a_row_that_is_no_pair_is_refused_with_a_reason(
    tokenizer: PreTrainedTokenizerFast, reason: str, change: Fields
) -> None:
    with pytest.raises(BadData, match=reason):
        pair_of(row() | change, Encoder.of(tokenizer), longest=200)


def test_bad_rows_are_counted_and_the_rest_is_read_in_order(
    tokenizer: PreTrainedTokenizerFast, pairs: list[Pair], tmp_path: Path
) -> None:
    path, bad = tmp_path / "pairs.jsonl.gz", BadRows()
    with open_to_write(path) as file:
        file.writelines([line(row(0)), b"{\n", line(row() | {"chosen": 3}), line(row(1))])
    assert read_pairs([path], tokenizer, longest=200, bad=bad) == pairs[:2]
    assert bad.report()["reasons"] == {
        "no chosen": {"rows": 1, "first": [f"{path}:3"]},
        "not JSON": {"rows": 1, "first": [f"{path}:2"]},
    }
    with pytest.raises(BadData, match=r"no pair to learn from.*longer than a row"):
        read_pairs([path], tokenizer, longest=10, bad=BadRows())


# ---- the schema that `data preferences` and these runs share


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    found = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


TEXT = st.text("ab \n", min_size=1, max_size=6)
MESSAGE = st.builds(said, st.sampled_from(["system", "user", "assistant", "judge"]), TEXT)
ANY_ROW = st.fixed_dictionaries(
    {
        "prompt": st.lists(MESSAGE, max_size=2),
        "chosen": st.lists(MESSAGE, max_size=2),
        "rejected": st.lists(MESSAGE, max_size=2) | st.none(),
    }
)


@given(ANY_ROW)
def test_what_the_schema_refuses_is_never_learnt(schema: Any, fields: Fields) -> None:
    if schema.is_valid(fields):
        return
    with pytest.raises(BadData):
        pair_of(fields, Encoder.of(shared()), longest=200)


_shared: list[PreTrainedTokenizerFast] = []


def shared() -> PreTrainedTokenizerFast:
    if not _shared:
        _shared.append(tiny_tokenizer())
    return _shared[0]


@pytest.mark.parametrize(
    "reason",
    sorted(WRONG.keys() - {"end with the user", "the same", "tokenizer.s marks", "longer than a row"}),
)
def test_the_schema_refuses_what_is_no_pair(schema: Any, reason: str) -> None:
    assert not schema.is_valid(row() | WRONG[reason])


def test_the_schema_takes_pairs_and_whatever_stands_beside_them(schema: Any) -> None:
    schema.validate(row())
    schema.validate(row() | {"id": "x", "criterion": "overall"})


# ---- the run

LORA = {"rank": 4, "alpha": 8, "dropout": 0.0, "matrices": ["q_proj", "v_proj", "down_proj"]}


def trainer(
    pairs: list[Pair],
    folder: Path,
    *,
    of: Recipe = TINY,
    model: Any = None,
    lines: list[dict[str, Any]] | None = None,
    asked: Any = None,
    start: Progress | None = None,
    callbacks: Sequence[Any] = (),
) -> CourseTrainer:
    """A trainer on the CPU; lines of metrics are added to *lines*."""
    rows = PairRows(pairs, seed=of.schedule.seed)
    found = extent(of, rows)
    pace = BySteps(found.steps or 0)
    flow = Flow(of.cadence, steps_an_epoch=found.steps_an_epoch, pace=pace, asked=asked or (lambda: False))
    course = Course(
        recipe=of,
        rows=rows,
        total_rows=(found.steps or 0) * of.batch.rows * of.batch.accumulation,
        evaluation={},
        pace=pace,
        flow=flow,
        folder=folder,
        record=lines.append if lines is not None else (lambda line: None),
        alive=lambda: None,
        start=start or Progress(),
    )
    args = training_arguments(of, folder, steps=found.steps, on_gpu=False)
    return stage.trainer(
        course, model or two_shards.build("whole"), shared(), args, callbacks=list(callbacks)
    )


def weights(made: CourseTrainer) -> dict[str, torch.Tensor]:
    model: Any = made.model
    return {name: each.detach().clone() for name, each in model.state_dict().items()}


def margin(model: torch.nn.Module, pairs: list[Pair]) -> float:
    """Mean log-probability of chosen over rejected answers, in nats; computed apart from TRL."""
    total = 0.0
    for pair in pairs:
        for ids, sign in ((pair.chosen_ids, 1), (pair.rejected_ids, -1)):
            whole = torch.tensor([pair.prompt_ids + ids])
            with torch.inference_mode():
                logits = model.eval()(input_ids=whole, use_cache=False).logits[0, :-1].float()
            start = len(pair.prompt_ids) - 1
            learnt = logits.log_softmax(-1)[start:].gather(1, whole[0, start + 1 :, None])
            total += sign * float(learnt.sum())
    return total / len(pairs)


def test_the_margin_of_chosen_answers_rises_and_its_figures_are_written_down(
    pairs: list[Pair], tmp_path: Path
) -> None:
    model = two_shards.build("whole")
    before = margin(model, pairs)
    lines: list[dict[str, Any]] = []
    trainer(pairs, tmp_path, model=model, lines=lines).train()
    assert [each["step"] for each in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[0]["loss"] == pytest.approx(0.6931, abs=1e-3)  # log 2: nothing has moved yet
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert lines[-1]["loss_by_source"] == {"preferences": lines[-1]["loss"]}
    rewards = [each["rewards"]["margin"] for each in lines]
    assert rewards[0] == pytest.approx(0, abs=1e-5)
    assert rewards[-1] > rewards[1]
    assert rewards[-1] > 0
    assert lines[-1]["rewards"]["accuracy"] == 1
    saved = LlamaForCausalLM.from_pretrained(tmp_path / "checkpoint-6")
    # beta times the margin gained is the reward, so that ours and TRL's accounts must agree
    assert margin(saved, pairs) - before > rewards[-1] / 0.1 / 2
    assert not (tmp_path / "README.md").exists()


def test_tokens_of_both_answers_are_counted_and_lines_have_the_contracts_keys(
    pairs: list[Pair], tmp_path: Path
) -> None:
    lines: list[dict[str, Any]] = []
    of = recipe("txiki_110_dpo", **(SMALL | {"schedule": {"steps": 4}}))
    trainer(pairs, tmp_path, of=of, lines=lines).train()  # four steps of two: each pair once
    counted = PairRows(pairs, seed=1).counts()["preferences"]
    assert counted["rows"] == 8
    assert lines[-1]["tokens_seen"] == counted["tokens"]
    assert lines[-1]["tokens"] == sum(len(each.chosen_ids) + len(each.rejected_ids) for each in pairs)
    assert set(lines[0]) == {
        "step", "loss", "loss_by_source", "learning_rate", "tokens", "tokens_seen", "tokens_per_s", "mfu",
        "gradient_norm", "memory_mb", "rewards",
    }  # fmt: skip


def test_a_run_that_was_stopped_goes_on_to_the_same_weights_and_lines(
    pairs: list[Pair], tmp_path: Path
) -> None:
    wanted: list[dict[str, Any]] = []
    whole = trainer(pairs, tmp_path / "whole", lines=wanted)
    whole.train()
    lines: list[dict[str, Any]] = []
    first = trainer(pairs, tmp_path / "parted", asked=tiny.asked_at(3), lines=lines)
    first.train()
    assert first.is_interrupted
    last = checkpoints.last_of(tmp_path / "parted")
    assert last is not None
    again = trainer(pairs, tmp_path / "parted", lines=lines, start=checkpoints.read_progress(last))
    again.train(resume_from_checkpoint=str(last))
    assert tiny.same(weights(again), weights(whole))
    for key in ("step", "loss", "learning_rate", "tokens_seen", "rewards"):
        assert [each[key] for each in lines] == [each[key] for each in wanted]


def test_accumulated_pairs_are_one_batch(pairs: list[Pair], tmp_path: Path) -> None:
    found = []
    for rows, accumulation in ((4, 1), (2, 2)):
        batch = {"rows": rows, "accumulation": accumulation}
        of = recipe("txiki_110_dpo", **(SMALL | {"schedule": {"steps": 3}, "batch": batch}))
        lines: list[dict[str, Any]] = []
        made = trainer(pairs, tmp_path / str(rows), of=of, lines=lines)
        made.train()
        found.append((weights(made), lines))
    (one, wanted), (other, lines) = found
    assert all(torch.allclose(each, other[name], atol=1e-5) for name, each in one.items())
    assert [each["loss"] for each in lines] == pytest.approx([each["loss"] for each in wanted], rel=1e-3)


def test_each_pass_has_all_pairs_in_an_order_that_the_seed_draws(pairs: list[Pair]) -> None:
    def orders(seed: int) -> list[list[list[int]]]:
        rows, found = PairRows(pairs, seed=seed), []
        for epoch in (0, 1):
            rows.set_epoch(epoch)
            found.append([rows[place]["prompt_ids"] for place in range(len(rows))])
        return found

    first, second = orders(1)
    assert first != second
    assert sorted(first) == sorted(second) == sorted([*each.prompt_ids] for each in pairs)
    assert orders(1) == [first, second]
    assert orders(2)[0] != first


def test_a_gradient_that_is_no_number_stops_the_run(pairs: list[Pair], tmp_path: Path) -> None:
    class Poison(tiny.TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == 1:
                kwargs["model"].model.norm.weight.register_hook(lambda g: g * float("nan"))

    with pytest.raises(NotFinite, match=r"step 2: .* rows 2 to 3 "):
        trainer(pairs, tmp_path, callbacks=[Poison()]).train()


def test_adapters_are_trained_held_to_the_bare_backbone_and_exported(
    tokenizer: PreTrainedTokenizerFast, pairs: list[Pair], tmp_path: Path
) -> None:
    from peft import LoraConfig, get_peft_model

    made_of = recipe("txiki_110_dpo", **(SMALL | {"method": {"lora": LORA}}))
    base = two_shards.build("whole")
    assert isinstance(base, LlamaForCausalLM)
    untouched = {name: tensor.clone() for name, tensor in base.state_dict().items()}
    model: PeftModel = get_peft_model(copy.deepcopy(base), LoraConfig(**two_shards.LORA))
    lines: list[dict[str, Any]] = []
    trainer(pairs, tmp_path / "t", of=made_of, model=model, lines=lines).train()
    assert lines[-1]["rewards"]["margin"] > 0
    checkpoint = tmp_path / "t" / "checkpoint-6"
    assert not (checkpoint / "ref").exists()
    run = make_run(tmp_path / "run", made_of, model, {6: copied(checkpoint)}, tokenizer)
    base.save_pretrained(str(tmp_path / "base"))
    assert export(Request(run, base=tmp_path / "base")).logits == "equal"
    assert all(torch.equal(tensor, untouched[name]) for name, tensor in base.state_dict().items())


def test_without_trl_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *others: Any, **more: Any) -> Any:
        if name == "trl":
            raise ModuleNotFoundError("No module named 'trl'", name="trl")
        return real(name, *others, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"lehia\[dpo\], and trl is not installed"):
        stage.check(TINY)


def test_trl_leaves_the_packed_loss_of_supervised_runs_as_it_is(pairs: list[Pair], tmp_path: Path) -> None:
    """TRL changes how the model that it trains computes; no other model may notice."""
    forward = LlamaForCausalLM.forward
    trainer(pairs, tmp_path, of=recipe("txiki_110_dpo", **(SMALL | {"schedule": {"steps": 1}}))).train()
    assert LlamaForCausalLM.forward is forward
    model = two_shards.build("whole")
    ids, positions = torch.arange(40).reshape(2, 20), torch.arange(20).remainder(7).expand(2, 20)
    with torch.inference_mode():
        found = model(input_ids=ids, labels=ids, position_ids=positions, use_cache=False)
    wanted = torch.nn.functional.cross_entropy(found.logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
    assert torch.equal(found.loss, wanted)
