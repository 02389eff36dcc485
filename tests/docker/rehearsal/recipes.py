"""A Dockerfile as its stages and their steps."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field

_STEP = re.compile(r"^([A-Z]+)\s+(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Step:
    """``word`` is RUN, COPY, ENV, ...; ``rest`` what follows it, its lines joined."""

    word: str
    rest: str

    def argv(self) -> list[str]:
        """Of the forms that are a JSON list: CMD, SHELL."""
        found: list[str] = json.loads(self.rest)
        return found

    def pairs(self) -> dict[str, str]:
        """Of ENV."""
        return dict(word.split("=", 1) for word in shlex.split(self.rest))

    def copied(self) -> tuple[str | None, list[str], str]:
        """Of COPY: the stage that it copies from, if not from the context, the sources, and where to."""
        words = shlex.split(self.rest)
        stage = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else None
        return stage, words[:-1], words[-1]


@dataclass(slots=True)
class Stage:
    base: str
    name: str
    steps: list[Step] = field(default_factory=list)


def read(text: str) -> list[Stage]:
    """The stages in their order. Raises ``ValueError`` for what is no step."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    stages: list[Stage] = []
    for whole in re.sub(r"\\\n\s*", "", "\n".join(lines)).split("\n"):
        if not whole.strip():
            continue
        found = _STEP.match(whole)
        if found is None:
            raise ValueError(f"no step of a Dockerfile: {whole!r}")
        step = Step(found[1], found[2])
        if step.word == "FROM":
            base, _, name = step.rest.split()
            stages.append(Stage(base, name))
        else:
            stages[-1].steps.append(step)
    return stages
