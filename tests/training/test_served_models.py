"""Magpie and translation against a real ``transformers serve`` on candidates that training made: they write little sense, over the real wire."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.model_server import Server
from training.cli import main
from training.data.asking.endpoint import Client, Endpoint, Sampling
from training.data.asking.pace import Pace
from training.data.magpie.prompts import Variant, answering
from training.data.magpie.start_token import StartToken, writes_ours
from training.data.prose import is_in
from training.data.rows import Fields

pytestmark = pytest.mark.model_server
GREEDY = Sampling(temperature=0.0, top_p=1.0, max_tokens=60, stop=("<|eot_id|>",))


def chatty(server: Server) -> str:
    return str(next(path for path in server.models if path.name == "txiki_110"))


def report_of(folder: Path) -> Fields:
    found: Fields = json.loads((folder / "report.json").read_bytes())
    return found


async def test_the_answers_prompt_is_what_the_server_renders_for_a_chat(model_server: Server) -> None:
    asked = [{"role": "user", "content": "Zein da Frantziako hiriburua?"}]
    async with Client(Endpoint(model_server.base_url, chatty(model_server)), Pace()) as client:
        ours = await writes_ours(client, StartToken.AUTO)
        prompt = answering(Variant.ENGLISH, asked[0]["content"], bos=ours)
        completed = await client.complete(prompt, GREEDY, seed=1)
        said = await client.chat(asked, GREEDY, seed=1)
    assert ours  # its tokenizer adds none
    assert completed.text.strip() == said.text.strip() != ""
    assert not completed.cut


def test_basque_instructions_are_sampled_and_answered_the_same_again(
    model_server: Server, tmp_path: Path
) -> None:
    for name in ("one", "other"):
        asked = (
            "--url",
            model_server.base_url,
            "--model",
            chatty(model_server),
            "--output",
            str(tmp_path / name),
        )
        sizes = ("--rows", "3", "--candidates", "8", "--instruction-tokens", "60", "--answer-tokens", "120")
        # the server's seed is one for all that it is asked at a time
        how = ("--variant", "basque", "--no-tags", "--concurrency", "1")
        assert main(["data", "magpie", *asked, *sizes, *how]) == 0
    report = report_of(tmp_path / "one")
    instructions = report["instructions"]
    assert instructions["sampled"] == 8 == instructions["kept"] + instructions["dropped"]["rows"]
    assert report["rows"] == report["answers"]["asked"] - report["answers"]["dropped"]["rows"] > 0
    rows = (tmp_path / "one" / "rows.jsonl").read_bytes()
    assert rows == (tmp_path / "other" / "rows.jsonl").read_bytes()
    for row in map(json.loads, rows.splitlines()):
        assert all(is_in("eu", turn["content"]) for turn in row["conversations"])


def test_a_model_that_cannot_label_or_translate_loses_every_row_with_a_reason(
    model_server: Server, tmp_path: Path
) -> None:
    asked = ("--url", model_server.base_url, "--model", chatty(model_server), "--concurrency", "2")
    sizes = ("--rows", "2", "--candidates", "2", "--instruction-tokens", "60")
    assert (
        main(["data", "magpie", *asked, *sizes, "--variant", "basque", "--output", str(tmp_path / "m")]) == 0
    )
    report = report_of(tmp_path / "m")
    assert report["rows"] == 0
    assert "an instruction whose tags cannot be read" in report["instructions"]["dropped"]["reasons"]

    source = tmp_path / "in.jsonl"
    chat = [
        {"role": "user", "content": "How many people live in the city of 1,234 bridges?"},
        {"role": "assistant", "content": "Nobody has counted them since the year 1936."},
    ]
    source.write_text(json.dumps({"conversations": chat}) + "\n")
    assert (
        main(
            ["data", "translate", str(source), *asked, "--translations", "2", "--output", str(tmp_path / "t")]
        )
        == 0
    )
    report = report_of(tmp_path / "t")
    assert (report["chats"], report["rows"]) == (1, 0)
    assert report["dropped"]["rows"] == 1
    assert sum(report["retries"].values()) == 1
