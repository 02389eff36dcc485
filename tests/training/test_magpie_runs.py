"""Magpie: who writes the start token, and whole runs of the command, against a small real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from tests.training.commands import outcome_of, run_killed_at
from tests.training.servers import BOS, Body, Fault, SmallServer, serving
from tests.training.writers import ASSISTANT, HEAD, SEED, Backbone, tags_of
from training.cli import main
from training.data.asking.endpoint import Client, Endpoint
from training.data.asking.pace import Pace
from training.data.asking.seeds import seed_of
from training.data.magpie import prompts
from training.data.magpie.start_token import StartToken, writes_ours
from training.errors import BadData


@pytest.fixture
def serve() -> Iterator[Callable[..., SmallServer]]:
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(serving(server))


def arguments(
    server: SmallServer, output: Path, *more: str, rows: int = 6, candidates: int = 20
) -> list[str]:
    return [
        *("data", "magpie", "--url", server.url, "--model", "m", "--output", str(output)),
        *("--rows", str(rows), "--candidates", str(candidates), "--concurrency", "4", *more),
    ]


def rows_of(output: Path) -> list[dict[str, object]]:
    return [json.loads(each) for each in (output / "rows.jsonl").read_bytes().splitlines()]


def report_of(output: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((output / "report.json").read_bytes())
    return found


# who writes the start token


@pytest.mark.parametrize(("adds", "ours"), [(False, True), (True, False)])
async def test_the_start_token_is_written_once(
    serve: Callable[..., SmallServer], adds: bool, ours: bool
) -> None:
    server = serve(SmallServer(adds_bos=adds, completes=lambda _: ("x", "stop")))
    async with Client(Endpoint(server.url, "m"), Pace()) as client:
        assert await writes_ours(client, StartToken.AUTO) is ours
        assert await writes_ours(client, StartToken.OURS)
        assert not await writes_ours(client, StartToken.SERVERS)
    assert server.asked == 1  # where it is told nobody is asked


@pytest.mark.parametrize("counts", [False, True])
async def test_where_it_cannot_be_told_it_must_be_said(
    serve: Callable[..., SmallServer], counts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(SmallServer(counts_tokens=counts, completes=lambda _: ("x", "stop")))
    monkeypatch.setattr("tests.training.servers.BOS", "no mark to this server")
    async with Client(Endpoint(server.url, "m"), Pace()) as client:
        with pytest.raises(BadData, match="17 tokens" if counts else "--start-token"):
            await writes_ours(client, StartToken.AUTO)


# whole runs


def test_a_run_counts_every_filter_and_keeps_what_passes(
    serve: Callable[..., SmallServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = "Explain the tides to a child who lives far away from any sea or lake."
    planted = {
        1: (first, "stop"),
        2: ("", "stop"),
        3: ("List these:", "stop"),
        4: ("Translate 'house' to Spanish", "stop"),
        5: ("Explain the tides and", "length"),
        6: ("Zer da itsasaldia eta nork eragiten du benetan?", "stop"),
        7: (first + " ", "stop"),
        8: ("asdf asdf the of and to poor thing with no request at all", "stop"),
        9: ("An odd request in English that nobody can label at all.", "stop"),
    }

    def quality(text: str) -> str:
        if "nobody can label" in text:
            return "I cannot say."
        return tags_of(text, "very poor" if "poor thing" in text else "excellent")

    answers = dict.fromkeys(range(10, 21, 5), ("", "stop")) | {11: ("It goes on and", "length")}
    server = serve(Backbone(planted, answers, quality).server())
    assert main(arguments(server, tmp_path / "out", rows=30)) == 0
    printed = capsys.readouterr()
    report = report_of(tmp_path / "out")
    assert yaml.safe_load(printed.out) == report
    assert "--candidates than 20" in printed.err
    reasons = report["instructions"]["dropped"]["reasons"]  # type: ignore[index]
    assert {reason: found["first"] for reason, found in reasons.items()} == {
        "a near duplicate of an earlier instruction": ["instructions:7"],
        "an instruction cut by the length limit": ["instructions:5"],
        "an instruction in another language": ["instructions:6"],
        "an instruction of very poor quality": ["instructions:8"],
        "an instruction that ends in a colon": ["instructions:3"],
        "an instruction to translate": ["instructions:4"],
        "an instruction whose tags cannot be read": ["instructions:9"],
        "an instruction without text": ["instructions:2"],
    }
    assert report["answers"] == {
        "asked": 12,
        "dropped": {
            "rows": 4,
            "reasons": {
                "an answer cut by the length limit": {"rows": 1, "first": ["answers:11"]},
                "an answer without text": {"rows": 3, "first": ["answers:10", "answers:15", "answers:20"]},
            },
        },
    }
    assert report["replies_without_tags"] == 3
    assert report["tags"]["quality"] == {"excellent": 13, "very poor": 1}  # type: ignore[index]
    kept = [1, 12, 13, 14, 16, 17, 18, 19]
    assert [row["index"] for row in rows_of(tmp_path / "out")] == kept
    assert report["rows"] == len(kept)
    assert report["short_by"] == 22
    assert rows_of(tmp_path / "out")[0]["conversations"][0] == {"role": "user", "content": first}  # type: ignore[index]


def test_rows_are_drawn_at_random_and_an_answer_that_fails_is_replaced(
    serve: Callable[..., SmallServer], tmp_path: Path
) -> None:
    server = serve(Backbone().server())
    assert main(arguments(server, tmp_path / "one", rows=6, candidates=30)) == 0
    drawn = [row["index"] for row in rows_of(tmp_path / "one")]
    assert len(drawn) == 6
    assert drawn != list(range(1, 7))
    broken: dict[int, tuple[str, str]] = {int(str(drawn[0])): ("", "stop")}
    other = serve(Backbone(answers=broken).server())
    assert main(arguments(other, tmp_path / "other", rows=6, candidates=30)) == 0
    replaced = [row["index"] for row in rows_of(tmp_path / "other")]
    assert len(replaced) == 6
    assert len(set(replaced) & set(drawn)) == 5
    assert other.asked == 1 + 30 + 30 + 7  # the start token, instructions, tags, answers


def test_requests_carry_the_papers_sampling_and_one_start_token(
    serve: Callable[..., SmallServer], tmp_path: Path
) -> None:
    server = serve(Backbone().server(adds_bos=True))
    assert main(arguments(server, tmp_path, rows=2, candidates=4)) == 0
    instruction = next(body for body in server.bodies if body.get("prompt") == HEAD)
    answer = next(body for body in server.bodies if body.get("prompt", "").endswith(ASSISTANT))
    shared = {"model": "m", "stop": ["<|eot_id|>"]}
    assert instruction == {
        **shared,
        "prompt": HEAD,
        "temperature": 0.8,
        "top_p": 1.0,
        "max_tokens": 1024,
        "seed": instruction["seed"],
    }
    assert (answer["temperature"], answer["top_p"], answer["max_tokens"]) == (0.6, 0.9, 4096)
    assert not any(BOS in body.get("prompt", "") for body in server.bodies[1:])
    assert server.most_live <= 4


def test_a_run_goes_on_where_it_was_and_may_grow(serve: Callable[..., SmallServer], tmp_path: Path) -> None:
    server = serve(Backbone().server())
    assert main(arguments(server, tmp_path, rows=3, candidates=5)) == 0
    asked = server.asked
    assert main(arguments(server, tmp_path, rows=3, candidates=5)) == 0
    assert server.asked == asked + 1  # the start token alone
    assert main(arguments(server, tmp_path, rows=6, candidates=9)) == 0
    assert server.asked < asked + 2 + 2 * 4 + 7
    assert len(rows_of(tmp_path)) == 6
    grown = serve(Backbone().server())
    assert main(arguments(grown, tmp_path / "at once", rows=6, candidates=9)) == 0
    assert rows_of(tmp_path / "at once") == rows_of(tmp_path)


def test_another_request_in_the_same_folder_is_refused(
    serve: Callable[..., SmallServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(Backbone().server())
    assert main(arguments(server, tmp_path, rows=1, candidates=2)) == 0
    assert main(arguments(server, tmp_path, "--seed", "4", "--variant", "basque", rows=1, candidates=2)) == 2
    assert "seed, variant differ" in capsys.readouterr().err


def test_a_server_that_refuses_a_row_costs_that_row(
    serve: Callable[..., SmallServer], tmp_path: Path
) -> None:
    server = serve(Backbone().server(faults={3: Fault.REFUSED}))
    assert main(arguments(server, tmp_path, "--no-tags", rows=2, candidates=4)) == 0
    reasons = report_of(tmp_path)["instructions"]["dropped"]["reasons"]  # type: ignore[index]
    assert list(reasons) == ["an instruction refused by the server"]
    assert not any("messages" in body for body in server.bodies)  # no tags were asked for
    assert "tags" not in rows_of(tmp_path)[0]


def test_a_server_that_is_away_is_a_failure_and_nothing_is_lost(
    serve: Callable[..., SmallServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = serve(Backbone().server(faults=dict.fromkeys(range(5, 100), Fault.DROPPED)))
    assert main(arguments(away, tmp_path, "--attempts", "1", rows=2, candidates=9)) == 1
    assert "run again" in capsys.readouterr().err
    back = serve(Backbone().server())
    assert main(arguments(back, tmp_path, rows=2, candidates=9)) == 0
    whole = serve(Backbone().server())
    assert main(arguments(whole, tmp_path / "whole", rows=2, candidates=9)) == 0
    assert rows_of(tmp_path) == rows_of(tmp_path / "whole")
    assert report_of(tmp_path) == report_of(tmp_path / "whole")


def test_another_server_may_label(
    serve: Callable[..., SmallServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABEL_KEY", "b")
    monkeypatch.setenv("BACKBONE_KEY", "a")
    backbone, tagger = serve(Backbone().server()), serve(Backbone().server())
    more = ("--tagger-url", tagger.url, "--tagger-model", "judge", "--tagger-api-key-variable", "LABEL_KEY")
    keyed = (*more, "--api-key-variable", "BACKBONE_KEY")
    assert main(arguments(backbone, tmp_path, *keyed, rows=2, candidates=4)) == 0
    assert {body["model"] for body in tagger.bodies} == {"judge"}
    assert {each["authorization"] for each in tagger.headers} == {"Bearer b"}
    assert {each["authorization"] for each in backbone.headers} == {"Bearer a"}
    assert not any("messages" in body for body in backbone.bodies)


def test_the_basque_variant_keeps_basque_and_tells_its_theme(
    serve: Callable[..., SmallServer], tmp_path: Path
) -> None:
    def writes(body: Body) -> tuple[str, str]:
        if body["seed"] == seed_of(SEED, "instruction", 2):
            return "Could you explain the moon to my little daughter?", "stop"
        if body["seed"] == seed_of(SEED, "answer", 3):
            return "Of course: the moon is a ball of stone that goes round us.", "stop"
        if body["prompt"].endswith(HEAD):
            return f"Azaldu nolakoa den ilargia, eta zenbat pisatzen duen {body['seed']} aldiz.", "stop"
        return f"Ilargia harrizko bola handi bat da, eta {body['seed']} urte ditu gutxienez.", "stop"

    judge = Backbone(quality=lambda text: tags_of(text, language="eu"))
    server = serve(SmallServer(completes=writes, chats=judge.chats))
    assert main(arguments(server, tmp_path, "--variant", "basque", rows=3, candidates=4)) == 0
    rows = rows_of(tmp_path)
    assert [row["index"] for row in rows] == [1, 4]
    theme = prompts.theme_of(SEED, 1)
    assert (rows[0]["topic"], rows[0]["kind"]) == (theme.topic, theme.kind)
    asked = [body["prompt"] for body in server.bodies if body.get("prompt", "").endswith(HEAD)]
    assert all("euskara batuan" in prompt for prompt in asked)


@pytest.mark.parametrize("at", [(60,), pytest.param((7, 60, 95), marks=pytest.mark.slow)])
def test_killed_at_any_request_a_run_ends_as_if_undisturbed(
    serve: Callable[..., SmallServer], tmp_path: Path, at: tuple[int, ...]
) -> None:
    def backbone() -> SmallServer:
        quality = {0: "poor", 1: "good", 2: "excellent"}
        return Backbone(quality=lambda text: tags_of(text, quality[len(text) % 3])).server(
            # some of what may pass is in the way, too
            faults={4: Fault.RATE_LIMITED, 11: Fault.DROPPED, 17: Fault.BROKEN}
        )

    undisturbed = serve(backbone())
    assert main(arguments(undisturbed, tmp_path / "whole", rows=12, candidates=40)) == 0
    disturbed = serve(backbone())
    again = arguments(disturbed, tmp_path / "killed", rows=12, candidates=40)
    assert run_killed_at(disturbed, again, at=at) == len(at)
    assert outcome_of(tmp_path / "killed") == outcome_of(tmp_path / "whole")
    assert len(rows_of(tmp_path / "killed")) == 12

    def requests(server: SmallServer) -> set[tuple[str, int]]:
        return {(str(body.get("prompt", body.get("messages"))), body["seed"]) for body in server.bodies}

    assert requests(disturbed) == requests(undisturbed)
    # what was under way when it died is asked again, and nothing else
    assert disturbed.asked <= undisturbed.asked + len(at) * (1 + 2 * 4)
