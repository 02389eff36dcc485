"""The study's bytes, and the twin that marks what is learnt of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from transformers.utils.chat_template_utils import render_jinja_template

from tests.training.small import TALK, Messages, talks, tokenizer
from training import config, template
from training.data.tokenise import render
from training.errors import BadData
from training.manifest import Run, candidate_manifest

SYSTEM = (
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
    "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
)


def turn(role: str, content: str) -> str:
    return f"<|start_header_id|>{role}<|end_header_id|>\n\n{content}<|eot_id|>"


def wanted(messages: Messages) -> str:
    """What interfaces.md says, written down a second time."""
    has_system = bool(messages) and messages[0]["role"].strip() == "system"
    system = messages[0]["content"].strip() if has_system else ""
    rest = messages[1:] if has_system else messages
    turns = [turn(each["role"].strip(), each["content"].strip()) for each in rest]
    return SYSTEM + system + "<|eot_id|>" + "".join(turns)


SCRIPTS = "ñ € 漢字 e\u0301 \u200b"
SPACED = "\tuser "
GOLDEN: dict[str, tuple[Messages, str]] = {
    "with a system message": (
        [{"role": "system", "content": "Euskaraz."}, {"role": "user", "content": "Kaixo"}],
        f"{SYSTEM}Euskaraz.<|eot_id|>{turn('user', 'Kaixo')}",
    ),
    "without one": ([{"role": "user", "content": "Kaixo"}], f"{SYSTEM}<|eot_id|>{turn('user', 'Kaixo')}"),
    "several turns, trimmed": (
        TALK,
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
        "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\nEuskaraz.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nKaixo<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nAupa!<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nEskerrik asko<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nEz horregatik! 🌿<|eot_id|>",
    ),
    "letters of other scripts": (
        [{"role": "user", "content": SCRIPTS}],
        f"{SYSTEM}<|eot_id|>{turn('user', SCRIPTS)}",
    ),
    "roles with white space": (
        [{"role": " system", "content": "x"}, {"role": SPACED, "content": "y"}],
        f"{SYSTEM}x<|eot_id|>{turn('user', 'y')}",
    ),
    "a second system message": (
        [{"role": "system", "content": "x"}, {"role": "system", "content": "y"}],
        f"{SYSTEM}x<|eot_id|>{turn('system', 'y')}",
    ),
    "what looks like Jinja": (
        [{"role": "user", "content": "{{ 1 }} {% if %} {# #} <b>&amp;</b>"}],
        f"{SYSTEM}<|eot_id|>{turn('user', '{{ 1 }} {% if %} {# #} <b>&amp;</b>')}",
    ),
}


@pytest.mark.parametrize(("messages", "text"), GOLDEN.values(), ids=GOLDEN.keys())
def test_the_template_renders_the_studys_bytes(messages: Messages, text: str) -> None:
    assert render(tokenizer(), messages, generate=False).encode() == text.encode()
    prompt = f"{text}<|start_header_id|>assistant<|end_header_id|>\n\n"
    assert render(tokenizer(), messages, generate=True).encode() == prompt.encode()
    assert template.render_learnt(messages)[0].encode() == text.encode()


@given(talks())
def test_both_files_render_the_same_and_the_twin_marks_the_answers(messages: Messages) -> None:
    text, learnt = template.render_learnt(messages)
    assert text == wanted(messages) == render(tokenizer(), messages, generate=False)
    answers = [each["content"].strip() for each in messages if each["role"] == "assistant"]
    assert [text[start:end] for start, end in learnt] == [f"{answer}<|eot_id|>" for answer in answers]


def test_the_twin_is_the_template_with_marks_and_nothing_else() -> None:
    """Whatever one file comes to say, the other says too."""
    served, twin = (path.read_text().splitlines()[1:] for path in (template.TEMPLATE, template.TWIN))
    marks = {"{%- generation %}", "{%- endgeneration %}", "{%- else %}", "{%- endif %}"}
    marks |= {"{%- if role == 'assistant' %}"}
    stripped = [line.strip() for line in served]
    added = [line.strip() for line in twin if line.strip() not in stripped]
    assert set(added) <= marks
    assert [line for line in stripped if line not in (each.strip() for each in twin)] == []


def test_a_server_can_render_the_twin_too() -> None:
    """transformers, which vLLM renders with, knows the marks: a model folder with either file serves the same."""
    text: object = render_jinja_template(
        [TALK], chat_template=template.TWIN.read_text(), bos_token=template.BOS
    )[0]
    assert text == [wanted(TALK)]


def test_both_files_name_one_version() -> None:
    versions = {template.version_of(path.read_text()) for path in (template.TEMPLATE, template.TWIN)}
    assert versions == {template.VERSION}
    assert re.fullmatch(r"llama31/\d+", template.VERSION)
    assert str(tokenizer().chat_template).startswith(f"{{#- {template.VERSION}:")


@pytest.mark.parametrize("text", ["", "{{ bos_token }}", "{#- llama31 -#}", "{# llama31/1 #}"])
def test_a_template_without_a_version_is_refused(text: str) -> None:
    with pytest.raises(BadData, match="version"):
        template.version_of(text)


@pytest.mark.parametrize(
    "role", ["tool", "", "assistant<|end_header_id|>\n\nBai<|eot_id|><|start_header_id|>user"]
)
def test_a_role_that_would_write_a_header_of_its_own_is_refused(role: str) -> None:
    with pytest.raises(BadData, match="unknown role"):
        template.render_learnt([{"role": role, "content": "x"}])


def test_a_candidates_manifest_names_the_version(repository: Path) -> None:
    measured = Run("txiki_110", 1, 33, 10, 10**6, 1.0, 100, 1.0, 0.5, 0.5)
    made = candidate_manifest(config.load("txiki_110"), measured, model_folder=".")
    assert made["chat_template"] == template.VERSION
    schema = json.loads((repository / "docs" / "schemas" / "candidate.schema.json").read_text())
    jsonschema.validate(made, schema)
