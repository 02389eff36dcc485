"""``fleet.yaml``: what is wrong is named with its place and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.fleet.config import DType, Engine
from inference.fleet.errors import BadFleet
from inference.fleet.reading import parse, read
from tests.inference.fleets import model, text

GOOD = model("/srv/models/eredua")


def test_defaults_hold_for_models_that_do_not_say_otherwise() -> None:
    other = model("/srv/models/b", name="b", port=8101, context=4096)
    fleet = parse(
        text(GOOD, other, defaults={"context": 2048, "dtype": "float16", "flags": ["--enforce-eager"]})
    )
    assert [each.context for each in fleet.models] == [2048, 4096]
    assert {each.dtype for each in fleet.models} == {DType.FLOAT16}
    assert fleet.models[1].flags == ("--enforce-eager",)


def test_what_is_left_out_has_its_documented_value() -> None:
    found = parse(text(GOOD)).models[0]
    assert (found.engine, found.dtype, found.context, found.sequences) == (
        Engine.VLLM,
        DType.BFLOAT16,
        8192,
        16,
    )
    assert (found.share, found.chat_template, found.candidate) == (0.9, "chat_template.jinja", True)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            text(GOOD | {"contxt": 1}),
            r"models\[0\] \(eredua\): .*unknown field `contxt`; did you mean `context`\?",
        ),
        (text(GOOD | {"zzz": 1}), r"docs/fleet.md lists all fields"),
        (text(GOOD, defaults={"folder": "/x"}), r"defaults: .*`folder`; it belongs elsewhere"),
        (text(GOOD, defaults={"share": 1.5}), r"defaults.share: Expected `float` < 1.0"),
        (text(GOOD, defaults=[1]), r"defaults: Expected `object`"),
        (text(GOOD | {"share": 1}), r"models\[0\] \(eredua\).share: Expected `float` < 1.0"),
        (text(GOOD | {"context": "many"}), r"models\[0\] \(eredua\).context: Expected `int`, got `str`"),
        (text(GOOD | {"replicas": []}), r"models\[0\] \(eredua\).replicas: Expected `array` of length >= 1"),
        (text(GOOD | {"folder": "models/x"}), r"models\[0\] \(eredua\).folder: .*matching regex"),
        (text(GOOD | {"dtype": "int3"}), r"models\[0\] \(eredua\).dtype: Invalid enum value 'int3'"),
        (text(GOOD | {"flags": ["--a\nb"]}), r"models\[0\] \(eredua\).flags\[0\]: "),
        (text(model("/x") | {"name": "a b"}), r"models\[0\] \(a b\).name: .*matching regex"),
        (text({"folder": "/x"}), r"models\[0\]: Object missing required field `name`"),
        (text(model("/x", port=70000)), r"replicas\[0\].port: Expected `int` <= 65535"),
        (text(GOOD, hosts=[{"name": "a", "gpu_memory_gib": 0}]), r"hosts\[0\] \(a\).gpu_memory_gib: "),
        (text(GOOD, hosts=[{"name": "a", "key_file": "keys.env"}]), r"hosts\[0\] \(a\).key_file: "),
        (text(GOOD, targets={"slurm": {"options": ["--x='y'"]}}), r"targets.slurm.options\[0\]: "),
        ("fleet: a\nmodels: 3\nhosts: []\n", r"models: Expected `array`, got `int`"),
        ("- a\n", "not a mapping of keys to values; docs/fleet.md has an example"),
        ("fleet: a\nfleet: b\n", r"line 1 column 1: fleet is there twice in one mapping"),
        ("fleet: [\n", r"line 2 column 1: "),
        ("fleet: \x00\n", r"special characters are not allowed"),
    ],
)
def test_a_fault_names_its_place_and_what_to_do(wrong: str, says: str) -> None:
    with pytest.raises(BadFleet, match=says):
        parse(wrong)


def test_an_error_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    with pytest.raises(BadFleet, match=r"fleet\.yaml: No such file"):
        read(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadFleet, match=r"fleet\.yaml: not UTF-8"):
        read(path)
    path.write_text("fleet: a\n")
    with pytest.raises(BadFleet, match=r"fleet\.yaml: .*missing required field `hosts`"):
        read(path)
    path.write_text(text(GOOD))
    assert read(path).models[0].name == "eredua"


def test_anchors_and_merges_of_yaml_still_work() -> None:
    merged = (
        "fleet: a\nhosts: [{name: h}]\nmodels:\n"
        "- &one {name: one, folder: /m/one, context: 512, replicas: [{host: h, port: 1}]}\n"
        "- {<<: *one, name: two, replicas: [{host: h, port: 2}]}\n"
    )
    assert [(each.name, each.context) for each in parse(merged).models] == [("one", 512), ("two", 512)]
