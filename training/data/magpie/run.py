"""From nothing to chats: sample instructions, label and filter them, draw some, and have them answered.

Instructions are filtered, thinned of near duplicates and drawn from *before* they are answered: of the paper's 3.64 M answers 2.64 M were thrown
away. Drawing N at random from what the filters left and answering those gives the same distribution for a third of the tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.data.asking.endpoint import Client, Sampling
from training.data.asking.journal import Claim, Journal
from training.data.asking.output import write_report, write_rows
from training.data.asking.pool import Pool
from training.data.asking.seeds import seed_of, share_of
from training.data.magpie import prompts, tags
from training.data.magpie.duplicates import doubles
from training.data.magpie.filters import answer_fault, instruction_fault, stripped, tags_fault
from training.data.magpie.prompts import Variant
from training.data.rows import BadRows, Fields, Place
from training.errors import Refused

# the paper's: 3.64 M sampled for 1 M
CANDIDATES_A_ROW = 3.64
_TAG_ATTEMPTS = 3
_REFUSED = "refused by the server"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for; all but *rows* and *candidates*, which may grow, must stay the same when a run goes on.

    Parameters
    ----------
    rows
        How many chats are wanted.
    candidates
        How many instructions are sampled.
    model, tagger
        By the names that their servers know; no tagger, no tags.
    keep
        The qualities that stay.
    """

    rows: int
    candidates: int
    model: str
    variant: Variant
    tagger: str | None
    keep: tuple[str, ...]
    seed: int
    instruction: Sampling
    answer: Sampling

    def request(self) -> Fields:
        """What shapes a row, as the folder keeps it."""
        return {
            "kind": "magpie",
            "model": self.model,
            "variant": self.variant.value,
            "tagger": self.tagger,
            "keep": list(self.keep),
            "seed": self.seed,
            "instruction": _plain(self.instruction),
            "answer": _plain(self.answer),
            "prompts": prompts.version(),
            "tags": tags.version(),
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom to ask, and how."""

    backbone: Client
    tagger: Client | None
    pool: Pool
    bos: bool


async def make(plan: Plan, output: Path, asked: Asked) -> dict[str, Any]:
    """Fill *output* with ``rows.jsonl`` and ``report.json``, going on from whatever is there; returns the report.

    Raises
    ------
    BadData
        If the folder is another process's, another request's, or damaged.
    ServerFailed
        If the server fails; the same call goes on from there.
    """
    with ExitStack() as stack:
        stack.enter_context(Claim(output, plan.request()))
        instructions = stack.enter_context(Journal(output / "instructions"))
        answers = stack.enter_context(Journal(output / "answers"))
        run = _Run(plan, asked, instructions, answers)
        await run.sample()
        drawn = run.draw()
        used = await run.answer(drawn)
        report = run.report(drawn, used)
        write_rows(output / "rows.jsonl", run.rows(sorted(used)))
        write_report(output / "report.json", report)
        return report


@dataclass(frozen=True, slots=True)
class _Run:
    plan: Plan
    asked: Asked
    instructions: Journal
    answers: Journal
    dropped: BadRows = field(default_factory=BadRows)

    async def sample(self) -> None:
        total = self.plan.candidates
        numbers = ((index, None) for index in range(1, total + 1))
        await self.asked.pool.run("instructions", numbers, self._instruction, self.instructions, total=total)

    def draw(self) -> list[int]:
        """The numbers of all instructions that may be answered, in random order; what is left out is counted."""
        numbers: list[int] = []

        def kept() -> Iterator[tuple[int, str]]:
            for index, fields in self._sampled():
                if "dropped" in fields:
                    self.dropped.add(Place("instructions", index), fields["dropped"])
                else:
                    numbers.append(index)
                    yield index, fields["instruction"]

        near = doubles(kept())
        for index in sorted(near):
            self.dropped.add(Place("instructions", index), "a near duplicate of an earlier instruction")
        return sorted(
            (index for index in numbers if index not in near),
            key=lambda index: share_of(self.plan.seed, "draw", index),
        )

    async def answer(self, drawn: list[int]) -> list[int]:
        """The first *rows* of those drawn whose answers pass, the answers asked for as far as it takes."""
        used: list[int] = []
        position = 0
        while len(used) < self.plan.rows and position < len(drawn):
            wave = drawn[position : position + self.plan.rows - len(used)]
            position += len(wave)
            items = ((index, self.instructions.read(index)["instruction"]) for index in wave)
            await self.asked.pool.run("answers", items, self._answer, self.answers, total=len(wave))
            used += [index for index in wave if "dropped" not in self.answers.read(index)]
        return used

    def rows(self, used: list[int]) -> Iterator[Fields]:
        for index in used:
            asked, answer = self.instructions.read(index), self.answers.read(index)["answer"]
            row: Fields = {
                "conversations": [
                    {"role": "user", "content": asked["instruction"]},
                    {"role": "assistant", "content": answer},
                ],
                "index": index,
            }
            yield row | {key: asked[key] for key in ("tags", "topic", "kind") if key in asked}

    def report(self, drawn: list[int], used: list[int]) -> dict[str, Any]:
        answered = [index for index in sorted(drawn) if index in self.answers]
        bad_answers = BadRows()
        for index in answered:
            reason = self.answers.read(index).get("dropped")
            if reason:
                bad_answers.add(Place("answers", index), reason)
        return {
            "variant": self.plan.variant.value,
            "model": self.plan.model,
            "seed": self.plan.seed,
            "wanted": self.plan.rows,
            "rows": len(used),
            "short_by": self.plan.rows - len(used),
            "instructions": {
                "sampled": self.plan.candidates,
                "dropped": self.dropped.report(),
                "kept": len(drawn),
            },
            "answers": {"asked": len(answered), "dropped": bad_answers.report()},
            **self._tag_counts(),
        }

    def _tag_counts(self) -> dict[str, Any]:
        counts: dict[str, Counter[str]] = {}
        unread = 0
        for _, fields in self._sampled():
            unread += fields.get("unread_tags", 0)
            for tag, value in fields.get("tags", {}).items():
                counts.setdefault(tag, Counter())[value] += 1
        tagged = {tag: dict(sorted(values.items())) for tag, values in counts.items()}
        return {"tags": tagged, "replies_without_tags": unread}

    def _sampled(self) -> Iterator[tuple[int, Fields]]:
        """An earlier run of the folder may have sampled more."""
        return ((index, fields) for index, fields in self.instructions if index <= self.plan.candidates)

    async def _instruction(self, index: int, _: None) -> Fields:
        plan = self.plan
        theme = prompts.theme_of(plan.seed, index) if plan.variant is Variant.BASQUE else None
        prompt = prompts.pre_query(plan.variant, theme, bos=self.asked.bos)
        seed = seed_of(plan.seed, "instruction", index)
        try:
            reply = await self.asked.backbone.complete(prompt, plan.instruction, seed=seed)
        except Refused:
            return {"dropped": f"an instruction {_REFUSED}"}
        text = stripped(reply.text)
        fields: Fields = {"instruction": text} | (theme.fields() if theme else {})
        fault = instruction_fault(text, cut=reply.cut, language=plan.variant.language)
        if fault is None and self.asked.tagger is not None:
            labels = await self._label(self.asked.tagger, index, text)
            return fields | labels
        return fields if fault is None else fields | {"dropped": fault}

    async def _label(self, tagger: Client, index: int, instruction: str) -> Fields:
        """The tags, or why the instruction is dropped; and how many replies could not be read."""
        for attempt in range(_TAG_ATTEMPTS):
            seed = seed_of(self.plan.seed, "tags", index, attempt)
            try:
                reply = await tagger.chat(
                    tags.asking(instruction), tags.AGAIN if attempt else tags.SAMPLING, seed=seed
                )
            except Refused:
                return {"unread_tags": attempt, "dropped": f"an instruction whose tags were {_REFUSED}"}
            found = tags.read(reply.text)
            if found is not None:
                fault = tags_fault(found, keep=self.plan.keep, language=self.plan.variant.language)
                fields: Fields = {"unread_tags": attempt, "tags": found.fields()}
                return fields if fault is None else fields | {"dropped": fault}
        return {"unread_tags": _TAG_ATTEMPTS, "dropped": "an instruction whose tags cannot be read"}

    async def _answer(self, index: int, instruction: str) -> Fields:
        plan = self.plan
        prompt = prompts.answering(plan.variant, instruction, bos=self.asked.bos)
        seed = seed_of(plan.seed, "answer", index)
        try:
            reply = await self.asked.backbone.complete(prompt, plan.answer, seed=seed)
        except Refused:
            return {"dropped": f"an answer {_REFUSED}"}
        text = stripped(reply.text)
        fault = answer_fault(text, cut=reply.cut, language=plan.variant.language)
        return {"answer": text} if fault is None else {"answer": text, "dropped": fault}


def _plain(sampling: Sampling) -> Fields:
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "stop": list(sampling.stop),
    }
