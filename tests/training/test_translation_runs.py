"""Translation: whole runs of the command against a small real server."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from tests.training.commands import outcome_of, run_killed_at
from tests.training.servers import Body, Fault, SmallServer, serving
from tests.training.writers import CODE, SEED
from training.cli import main
from training.data.asking.seeds import seed_of


def source_of(body: Body) -> str:
    text: str = body["messages"][-1]["content"]
    return text.removeprefix("<text>\n").removesuffix("\n</text>")


def basque(text: str) -> str:
    """A stand-in that passes: Basque words, with the source's last word, which tells it apart."""
    return " ".join(
        ["Hau", "euskarazko", "esaldi", "luze", "samar", "bat", "da", text.rsplit(maxsplit=1)[-1]]
    )


def chat_of(name: str, *, system: str | None = None) -> list[dict[str, str]]:
    turns = [
        {"role": "user", "content": f"Please tell me a long story about item {name}"},
        {"role": "assistant", "content": f"Once upon a time there was a thing called {name}"},
    ]
    return turns if system is None else [{"role": "system", "content": system}, *turns]


def written(path: Path, rows: list[object]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def serve() -> Iterator[Callable[..., SmallServer]]:
    with ExitStack() as stack:
        yield lambda server: stack.enter_context(serving(server))


def translator() -> SmallServer:
    return SmallServer(chats=lambda body: (basque(source_of(body)), "stop"))


def arguments(server: SmallServer, output: Path, *inputs: Path | str) -> list[str]:
    asked = ("--url", server.url, "--model", "m", "--output", str(output), "--concurrency", "4")
    return ["data", "translate", *map(str, inputs), *asked]


def rows_of(output: Path) -> list[dict[str, object]]:
    return [json.loads(each) for each in (output / "rows.jsonl").read_bytes().splitlines()]


def test_all_turns_are_translated_and_the_rest_of_a_row_is_kept(
    serve: Callable[..., SmallServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = {"role": "assistant", "content": f"Look at this program here, friend alpha\n\n{CODE}\n"}
    system = {"role": "system", "content": "You help people with their programs beta"}
    rows = [
        {"messages": [system, *chat_of("gamma")[:1], code], "index": 7, "tags": {"quality": "good"}},
        {
            "conversations": [
                {"from": "human", "value": "A question about the thing delta"},
                {"from": "gpt", "value": "42"},
            ]
        },
    ]
    source = tmp_path / "in.jsonl.gz"
    source.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    server = serve(translator())
    assert main(arguments(server, tmp_path / "out", source)) == 0
    assert rows_of(tmp_path / "out") == [
        {
            "conversations": [
                {"role": "system", "content": basque("beta")},
                {"role": "user", "content": basque("gamma")},
                {"role": "assistant", "content": f"{basque('alpha')}\n\n{CODE}\n"},
            ],
            "index": 7,
            "tags": {"quality": "good"},
        },
        {
            "conversations": [
                {"role": "user", "content": basque("delta")},
                {"role": "assistant", "content": "42"},
            ]
        },
    ]
    report = yaml.safe_load(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert (report["chats"], report["rows"], report["retries"]) == (2, 2, {})
    assert not any("print" in source_of(body) for body in server.bodies)
    assert (server.bodies[0]["temperature"], server.bodies[0]["top_p"]) == (0.3, 0.9)


def test_bad_rows_and_bad_translations_are_counted_and_located(
    serve: Callable[..., SmallServer], tmp_path: Path
) -> None:
    rows = [chat_of("good"), chat_of("english"), chat_of("polite"), chat_of("twice")]
    source = written(
        tmp_path / "in.jsonl", [*({"conversations": chat} for chat in rows), {"text": "no chat"}, [3]]
    )
    tried: Counter[str] = Counter()

    def chats(body: Body) -> tuple[str, str]:
        text = source_of(body)
        tried[text] += 1
        if text.endswith("english"):
            return text, "stop"
        if text.endswith("polite"):
            return "Sentitzen dut, baina ezin dizut horretan lagundu.", "stop"
        if text.endswith("twice") and tried[text] == 1:
            return basque(text), "length"
        return basque(text), "stop"

    server = serve(SmallServer(chats=chats))
    assert main(arguments(server, tmp_path / "out", source)) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert (report["chats"], report["rows"]) == (4, 2)
    assert report["dropped"]["reasons"] == {
        "a refusal": {"rows": 1, "first": [f"{source}:3"]},
        "a translation in another language": {"rows": 1, "first": [f"{source}:2"]},
    }
    assert report["retries"] == {
        "a refusal": 2,
        "a translation cut by the length limit": 2,
        "a translation in another language": 2,
    }
    assert report["bad_rows"]["reasons"] == {
        "no conversations": {"rows": 1, "first": [f"{source}:5"]},
        "not an object": {"rows": 1, "first": [f"{source}:6"]},
    }
    assert tried["Please tell me a long story about item english"] == 3
    asked = [body["seed"] for body in server.bodies if source_of(body).endswith("item english")]
    assert asked == [seed_of(SEED, "translation", 2, 0, 0, attempt) for attempt in range(3)]


def test_long_texts_go_in_pieces_and_come_back_in_order(
    serve: Callable[..., SmallServer], tmp_path: Path
) -> None:
    paragraphs = [f"This is paragraph of some length with the name p{n}" for n in range(6)]
    source = written(
        tmp_path / "in.jsonl",
        [{"conversations": [{"role": "user", "content": "\n\n".join(paragraphs)}, chat_of("x")[1]]}],
    )
    server = serve(translator())
    assert main([*arguments(server, tmp_path / "out", source), "--piece-chars", "60"]) == 0
    user = rows_of(tmp_path / "out")[0]["conversations"][0]["content"]  # type: ignore[index]
    assert user == "\n\n".join(basque(f"p{n}") for n in range(6))
    assert server.asked == 7


def test_a_request_that_is_refused_drops_its_chat_alone(
    serve: Callable[..., SmallServer], tmp_path: Path
) -> None:
    source = written(tmp_path / "in.jsonl", [{"conversations": chat_of(f"n{n}")} for n in range(3)])
    server = serve(
        SmallServer(chats=lambda b: None if "n1" in source_of(b) else (basque(source_of(b)), "stop"))
    )
    assert main(arguments(server, tmp_path / "out", source)) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_bytes())
    assert report["dropped"]["reasons"] == {"refused by the server": {"rows": 1, "first": [f"{source}:2"]}}
    assert len(rows_of(tmp_path / "out")) == 2


def test_other_inputs_in_the_same_folder_are_refused_and_moved_ones_are_not(
    serve: Callable[..., SmallServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(translator())
    source = written(tmp_path / "in.jsonl", [{"conversations": chat_of("a")}])
    assert main(arguments(server, tmp_path / "out", source)) == 0
    asked = server.asked
    moved = source.rename(tmp_path / "moved.jsonl")
    assert main(arguments(server, tmp_path / "out", moved)) == 0
    assert server.asked == asked
    written(moved, [{"conversations": chat_of("b")}])
    assert main(arguments(server, tmp_path / "out", moved)) == 2
    assert "inputs differ" in capsys.readouterr().err


def test_an_input_that_is_not_there_asks_nobody(
    serve: Callable[..., SmallServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(translator())
    assert main(arguments(server, tmp_path / "out", tmp_path / "none.jsonl")) == 2
    assert "none.jsonl" in capsys.readouterr().err
    assert server.asked == 0


@pytest.mark.parametrize(
    ("option", "value"), [("--concurrency", "0"), ("--requests-per-minute", "0"), ("--deadline", "inf")]
)
def test_options_that_make_no_sense_are_refused(tmp_path: Path, option: str, value: str) -> None:
    with pytest.raises(SystemExit) as refused:
        main([*arguments(SmallServer(url="u"), tmp_path, tmp_path), option, value])
    assert refused.value.code == 2


@pytest.mark.parametrize("at", [(40,), pytest.param((2, 40), marks=pytest.mark.slow)])
def test_killed_at_any_request_a_run_ends_as_if_undisturbed(
    serve: Callable[..., SmallServer], tmp_path: Path, at: tuple[int, ...]
) -> None:
    rows = [
        {"conversations": chat_of(f"n{n}", system=f"You are system s{n % 3}" if n % 2 else None)}
        for n in range(30)
    ]
    source = written(tmp_path / "in.jsonl", [*rows, "bad"])

    def server() -> SmallServer:
        running = translator()
        running.chats = lambda body: (
            (source_of(body), "stop") if body["seed"] % 5 == 0 else (basque(source_of(body)), "stop")
        )
        running.faults = {3: Fault.RATE_LIMITED, 14: Fault.DROPPED}
        return running

    undisturbed, disturbed = serve(server()), serve(server())
    assert main(arguments(undisturbed, tmp_path / "whole", source)) == 0
    again = arguments(disturbed, tmp_path / "killed", source)
    assert run_killed_at(disturbed, again, at=at) == len(at)
    assert outcome_of(tmp_path / "killed") == outcome_of(tmp_path / "whole")
    assert json.loads((tmp_path / "whole" / "report.json").read_bytes())["retries"]
    seeds = [sorted({body["seed"] for body in each.bodies}) for each in (disturbed, undisturbed)]
    assert seeds[0] == seeds[1]
