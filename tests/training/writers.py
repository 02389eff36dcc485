"""What stand-ins for models write, by the seed that they are asked with."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from tests.training.servers import Body, SmallServer
from training.data.asking.seeds import seed_of

HEAD = "<|start_header_id|>user<|end_header_id|>\n\n"
ASSISTANT = "<|start_header_id|>assistant<|end_header_id|>\n\n"
SEED = 33
CODE = "```python\nprint('Hello')  # 7 times\n\nprint(2)\n```"


def english(rng: random.Random) -> str:
    thing = rng.choice(["a bridge", "bread", "the moon", "a small shop", "old maps", "a violin", "honey"])
    manner = rng.choice(
        ["for a child", "in five steps", "to a beginner", "with two examples", "in one paragraph"]
    )
    verb = rng.choice(
        ["Explain how people make or use", "Describe the history of", "Give advice about", "Write about"]
    )
    return (
        f"{verb} {thing} {manner}, and mention the number {rng.randint(1, 10_000)} somewhere in the middle."
    )


def tags_of(text: str, quality: str = "good", language: str = "en") -> str:
    found = {
        "quality": quality,
        "difficulty": "easy",
        "category": "information seeking",
        "language": language,
    }
    return f"Here it is: {json.dumps(found)}"


class Backbone:
    """Writes by the request's seed: what is planted at a row's number, or else some instruction, answer or tags."""

    def __init__(
        self,
        instructions: dict[int, tuple[str, str]] | None = None,
        answers: dict[int, tuple[str, str]] | None = None,
        quality: Callable[[str], str] = tags_of,
    ) -> None:
        self._planted = {
            seed_of(SEED, stage, index): written
            for stage, rows in (("instruction", instructions or {}), ("answer", answers or {}))
            for index, written in rows.items()
        }
        self._quality = quality

    def completes(self, body: Body) -> tuple[str, str]:
        rng = random.Random(body["seed"])
        if body["seed"] in self._planted:
            return self._planted[body["seed"]]
        if body["prompt"].endswith(HEAD):
            return english(rng), "stop"
        return f" Certainly, this is answer {rng.random()} and it is written in plain English.\n", "stop"

    def chats(self, body: Body) -> tuple[str, str]:
        message = body["messages"][-1]["content"]
        return self._quality(message.split("<message>\n")[1].split("\n</message>")[0]), "stop"

    def server(self, **how: object) -> SmallServer:
        return SmallServer(completes=self.completes, chats=self.chats, **how)  # type: ignore[arg-type]
