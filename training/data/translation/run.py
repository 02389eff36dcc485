"""Chats in, the same chats in Basque out; a chat with a text that no attempt translates well is left out whole."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.data.asking.endpoint import Client
from training.data.asking.journal import Claim, Journal
from training.data.asking.output import write_report, write_rows
from training.data.asking.pool import Pool
from training.data.asking.seeds import seed_of
from training.data.rows import BadRows, Fields, Place, messages_of, read_rows
from training.data.translation import prompt
from training.data.translation.checks import Limits, fault
from training.data.translation.pieces import pieces
from training.errors import BadData, Refused

_READ_BYTES = 1 << 20
_CHAT = ("conversations", "messages")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for; it must stay the same when a run goes on.

    Parameters
    ----------
    attempts
        How often a piece is asked for at most, each time with another seed.
    most_chars
        The length of a piece.
    """

    inputs: tuple[Path, ...]
    model: str
    attempts: int = 3
    most_chars: int = 2000
    limits: Limits = field(default_factory=Limits)
    seed: int = 33

    def request(self) -> Fields:
        """What shapes a row, as the folder keeps it; inputs by their content, so that they may move."""
        return {
            "kind": "translate",
            "inputs": [_digest(path) for path in self.inputs],
            "model": self.model,
            "attempts": self.attempts,
            "most_chars": self.most_chars,
            "ratios": [self.limits.least_ratio, self.limits.most_ratio],
            "seed": self.seed,
            "prompt": prompt.version(),
        }


@dataclass(frozen=True, slots=True)
class _Chat:
    place: Place
    fields: Fields
    messages: list[dict[str, str]]


async def translate(plan: Plan, output: Path, client: Client, pool: Pool) -> dict[str, Any]:
    """Fill *output* with ``rows.jsonl`` and ``report.json``, going on from whatever is there; returns the report.

    Keys of a row other than its chat are kept.

    Raises
    ------
    BadData
        If an input cannot be read, or the folder is another process's, another request's, or damaged.
    ServerFailed
        If the server fails; the same call goes on from there.
    """
    with Claim(output, plan.request()), Journal(output / "translations") as journal:
        bad = BadRows()
        total = sum(1 for _ in _chats(plan.inputs, bad))
        work = _Work(plan, client)
        await pool.run("chats", _chats(plan.inputs, BadRows()), work.chat, journal, total=total)
        report = _report(plan, journal, bad, total)
        write_rows(output / "rows.jsonl", _rows(plan, journal))
        write_report(output / "report.json", report)
        return report


@dataclass(frozen=True, slots=True)
class _Work:
    plan: Plan
    client: Client

    async def chat(self, index: int, chat: _Chat) -> Fields:
        retries: Counter[str] = Counter()
        contents: list[str] = []
        for turn, message in enumerate(chat.messages):
            translated = ""
            for number, piece in enumerate(pieces(message["content"], most_chars=self.plan.most_chars)):
                if not piece.prose:
                    translated += piece.text
                    continue
                text, reason = await self._piece(piece.text, (index, turn, number), retries)
                if reason is not None:
                    return {"dropped": reason, "retries": dict(retries)}
                translated += text
            contents.append(translated)
        return {"contents": contents, "retries": dict(retries)}

    async def _piece(
        self, text: str, place: tuple[int, int, int], retries: Counter[str]
    ) -> tuple[str, str | None]:
        """The first translation in which nothing is wrong, or what is wrong with the last; what was wrong before is counted."""
        reason = None
        for attempt in range(self.plan.attempts):
            if reason is not None:
                retries[reason] += 1
            seed = seed_of(self.plan.seed, "translation", *place, attempt)
            try:
                reply = await self.client.chat(prompt.asking(text), prompt.sampling(text), seed=seed)
            except Refused:
                return "", "refused by the server"
            translated = prompt.unwrapped(reply.text)
            reason = fault(text, translated, cut=reply.cut, limits=self.plan.limits)
            if reason is None:
                return translated, None
        return "", reason


def _chats(inputs: Sequence[Path], bad: BadRows) -> Iterator[tuple[int, _Chat]]:
    """Chats, each with its number among all rows that are objects, from 1: the same in every run over the same inputs."""
    index = 0
    for path in inputs:
        for place, fields in read_rows(path, bad):
            index += 1
            try:
                yield index, _Chat(place, fields, messages_of(fields))
            except BadData as error:
                bad.add(place, str(error))


def _rows(plan: Plan, journal: Journal) -> Iterator[Fields]:
    for index, chat in _chats(plan.inputs, BadRows()):
        contents = journal.read(index).get("contents")
        if contents is None:
            continue
        turns = zip(chat.messages, contents, strict=True)
        translated = [{"role": message["role"], "content": content} for message, content in turns]
        rest = {key: value for key, value in chat.fields.items() if key not in _CHAT}
        yield {"conversations": translated, **rest}


def _report(plan: Plan, journal: Journal, bad: BadRows, total: int) -> dict[str, Any]:
    dropped, retries = BadRows(), Counter[str]()
    for index, chat in _chats(plan.inputs, BadRows()):
        fields = journal.read(index)
        retries.update(fields.get("retries", {}))
        if "dropped" in fields:
            dropped.add(chat.place, fields["dropped"])
    return {
        "model": plan.model,
        "seed": plan.seed,
        "chats": total,
        "rows": total - dropped.counts.total(),
        "dropped": dropped.report(),
        "retries": dict(sorted(retries.items())),
        "bad_rows": bad.report(),
    }


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
