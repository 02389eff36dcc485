"""Memory: parameters as published, the cache as grouped-query attention has it, and advice that holds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.fleet.errors import BadFleet
from inference.fleet.memory import GIB, Demand, alternatives, estimate, kv_bytes_per_token
from inference.fleet.reading import parse
from inference.fleet.shapes import Shape, served_rank, shape_of
from tests.inference.fleets import LLAMA_8B, LLAMA_70B, PARAMETERS, model, model_folder, text

EIGHT = Shape(8_030_261_248, 32, 4096, 32, 8, 128, 14336, 128256)
STATED = {
    "parameters_billion": 8.03,
    "layers": 32,
    "hidden": 4096,
    "heads": 32,
    "kv_heads": 8,
    "head_dim": 128,
    "intermediate": 14336,
    "vocab": 128256,
}


def demand(**changes: Any) -> Demand:
    base = Demand(
        shape=EIGHT,
        n_bytes=2,
        parallel=1,
        sequences=16,
        context=8192,
        batched_tokens=2048,
        overhead_bytes=2 * GIB,
    )
    return replace(base, **changes)


def shape_in(folder: str, **more: Any) -> Shape:
    fleet = parse(text(model(folder), **more))
    return shape_of(fleet.models[0], fleet, place="models[0]")


@pytest.mark.parametrize(("config", "size"), [(LLAMA_8B, "8B"), (LLAMA_70B, "70B")])
def test_parameters_are_those_that_the_models_were_published_with(
    tmp_path: Path, config: dict[str, object], size: str
) -> None:
    found = shape_in(model_folder(tmp_path / "m", config))
    assert found.parameters == PARAMETERS[size]
    assert (found.head_dim, found.kv_heads, found.max_context) == (128, 8, 131072)


@pytest.mark.usefixtures("trained")
def test_parameters_of_trained_candidates_are_those_of_their_manifests(trained: Path) -> None:
    for folder in trained.glob("txiki_*"):
        told = json.loads((folder / "candidate.json").read_text())["run"]["parameters"]
        assert shape_in(str(folder)).parameters == told


def test_an_8b_at_8192_tokens_takes_a_gib_a_sequence() -> None:
    assert kv_bytes_per_token(demand()) == 128 * 1024
    assert estimate(demand()).kv_cache == 16 * GIB


def test_without_grouped_queries_the_cache_is_four_times_as_large() -> None:
    ungrouped = replace(demand(), shape=replace(EIGHT, kv_heads=32))
    assert kv_bytes_per_token(ungrouped) == 4 * kv_bytes_per_token(demand())


def test_parallel_gpus_split_weights_and_heads_but_no_head() -> None:
    for parallel in (1, 2, 4, 8):
        assert kv_bytes_per_token(demand(parallel=parallel)) * parallel == kv_bytes_per_token(demand())
    assert kv_bytes_per_token(demand(parallel=16)) == kv_bytes_per_token(demand(parallel=8))
    assert estimate(demand(parallel=2)).weights * 2 == pytest.approx(estimate(demand()).weights, abs=2)


def test_adapters_take_room_on_all_seven_matrices() -> None:
    # 64 * 32 layers * (q and o: 2 * 8192, k and v: 2 * 5120, three of the feed-forward: 3 * 18432)
    assert EIGHT.lora_parameters(64) == 64 * 32 * (2 * 8192 + 2 * 5120 + 3 * 18432)
    more = estimate(demand(lora_rank=64, loras=17)).weights - estimate(demand()).weights
    assert more == 17 * 2 * EIGHT.lora_parameters(64)


def test_the_served_rank_is_the_least_that_vllm_takes() -> None:
    assert [served_rank([each]) for each in (1, 2, 8, 17, 64, 512)] == [1, 8, 8, 32, 64, 512]
    assert served_rank([8, 100]) == 128


demands = st.builds(
    Demand,
    shape=st.sampled_from(
        [EIGHT, replace(EIGHT, parameters=70_553_706_496, layers=80, hidden=8192, heads=64)]
    ),
    n_bytes=st.sampled_from([2, 4]),
    parallel=st.sampled_from([1, 2, 4]),
    sequences=st.integers(1, 512),
    context=st.integers(256, 131072),
    batched_tokens=st.integers(256, 16384),
    overhead_bytes=st.integers(0, 4 * GIB),
    lora_rank=st.sampled_from([0, 16, 64]),
    loras=st.integers(0, 20),
)


@given(demands, st.integers(16, 192), st.floats(0.2, 0.95))
def test_whatever_is_advised_fits(asked: Demand, memory_gib: int, share: float) -> None:
    memory = memory_gib * GIB
    for advice in alternatives(asked, memory=memory, share=share, free_share=0.95, gpus=8):
        words = advice.replace(":", "").split()
        room = int(memory * share)
        if words[0] == "share":
            room = int(memory * float(words[1]))
            changed = asked
        elif words[1] == "GPUs":
            changed = replace(asked, parallel=int(words[0]))
        else:
            fields: dict[str, Any] = {words[0]: int(words[1])}
            changed = replace(asked, **fields)
        assert estimate(changed).total <= room


@given(demands, st.sampled_from(["sequences", "context", "batched_tokens"]))
def test_asking_more_never_takes_less(asked: Demand, field: str) -> None:
    change: dict[str, Any] = {field: getattr(asked, field) + 1}
    more = replace(asked, **change)
    assert estimate(more).total >= estimate(asked).total


@given(demands)
def test_advice_on_sequences_is_the_most_that_fits(asked: Demand) -> None:
    found = [
        each
        for each in alternatives(asked, memory=80 * GIB, share=0.5, free_share=0, gpus=1)
        if each.startswith("sequences")
    ]
    if found and (fits := int(found[0].split()[1])) < asked.sequences - 1:
        assert estimate(replace(asked, sequences=fits + 1)).total > 40 * GIB


def test_a_folder_elsewhere_takes_a_stated_architecture(tmp_path: Path) -> None:
    away = str(tmp_path / "away")
    with pytest.raises(
        BadFleet, match=r"models\[0\].folder: .*config.json is not on this machine; give the model"
    ):
        shape_in(away)
    fleet = parse(text(model(away, architecture="8b"), architectures={"8b": STATED}))
    assert shape_of(fleet.models[0], fleet, place="").parameters == 8_030_000_000
    wrong = parse(text(model(away, architecture="9b"), architectures={"8b": STATED}))
    with pytest.raises(BadFleet, match=r"'9b' is not one of architectures \(8b\)"):
        shape_of(wrong.models[0], wrong, place="models[0]")


def test_the_folder_at_hand_wins_over_what_is_stated(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", LLAMA_70B | {"model_type": "strange"})
    fleet = parse(text(model(folder, architecture="8b"), architectures={"8b": STATED}))
    found = shape_of(fleet.models[0], fleet, place="")
    assert (found.layers, found.parameters) == (80, 8_030_000_000)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"model_type": "llama"}, "'num_attention_heads' is missing"),
        (LLAMA_8B | {"hidden_size": "wide"}, "not a number"),
        (LLAMA_8B | {"model_type": "mamba"}, "parameters of mamba cannot be counted here"),
        ([], "not an object"),
    ],
)
def test_a_config_that_tells_too_little_is_named(tmp_path: Path, config: object, says: str) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(BadFleet, match=rf"config\.json: .*{says}"):
        shape_in(str(folder))


def test_a_config_that_is_no_json_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "config.json").write_text("{")
    with pytest.raises(BadFleet, match=r"config\.json: Expecting"):
        shape_in(str(folder))
