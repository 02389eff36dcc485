"""Votes of other arenas: as they came in the layout of their source, and as records for the layouts that their columns suffice for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from arena.exports.cleaning import for_layout
from arena.exports.layouts import Context, Layout, Row
from arena.exports.records import Asked, Judged, Model, Record, Reply
from arena.sanitizing import sanitize
from arena.types import Side, VoteSource
from inference.types import Message, Role, SystemPromptMode
from ranking.cells import OUTCOMES
from ranking.types import Criterion

_CHATS = {
    VoteSource.EBALUATOIA: ("conv_a", "conv_b"),
    VoteSource.LMARENA: ("conversation_a", "conversation_b", "full_conversation"),
}
_WINNERS = {
    Criterion.OVERALL: "winner",
    Criterion.CONTENT: "winner_content",
    Criterion.LANGUAGE: "winner_language",
}
_AS_GIVEN = {
    VoteSource.EBALUATOIA: ("ebaluatoia", "ebaluatoia-sanitized"),
    VoteSource.LMARENA: ("lmarena",),
}
LAYOUTS_OF = {
    VoteSource.EBALUATOIA: (*_AS_GIVEN[VoteSource.EBALUATOIA], "lmarena", "dpo", "kto"),
    VoteSource.LMARENA: (*_AS_GIVEN[VoteSource.LMARENA], "dpo", "kto"),
}
"""Which ones votes of a source can be written in."""
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Given:
    """A row of a source, and when the vote was cast."""

    source: VoteSource
    row: Row
    cast_at: datetime


def rows(given: Given, layout: Layout, context: Context) -> Iterator[Row]:
    """The layout's columns. Of its own layout a row comes back as it was, but for what is taken out of texts; of another, only what can be told."""
    if layout.name in _AS_GIVEN[given.source]:
        row = given.row
        if layout.is_sanitized:
            row = row | {name: _cleaned(row.get(name)) for name in _CHATS[given.source]}
        yield {field.name: row.get(field.name) for field in layout.fields}
    elif (record := record_of(given)) is not None:
        yield from layout.rows(for_layout(record, layout), context)


def record_of(given: Given) -> Record | None:
    """The vote as if it had been cast here, if both sides were asked the same and answered each time.

    What no layout of :data:`LAYOUTS_OF` shows is left blank.
    """
    row = given.row
    chat_a, chat_b = (_chat(row[name]) for name in _CHATS[given.source][:2])
    prompts = {chat.prompt for chat in (chat_a, chat_b) if chat.prompt}
    asked = [text for text, _ in chat_a.rounds]
    if len(prompts) > 1 or asked != [text for text, _ in chat_b.rounds] or not asked:
        return None
    if not (chat_a.is_whole and chat_b.is_whole):
        return None
    return Record(
        id=row["id"],
        person=row.get("username", ""),
        campaign="",
        models={
            Side.A: _model(row["model_a"], chat_a.prompt),
            Side.B: _model(row["model_b"], chat_b.prompt),
        },
        system_prompt=next(iter(prompts), ""),
        policy="",
        propensity=0.0,
        display="",
        replaced=(),
        turns=tuple(
            Asked(
                _NOBODY, index, text, given.cast_at, "", None,
                {Side.A: _reply(Side.A, a), Side.B: _reply(Side.B, b)},
            )
            for index, ((text, a), (_, b)) in enumerate(zip(chat_a.rounds, chat_b.rounds, strict=True), start=1)
        ),
        vote=_judged(given),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Chat:
    prompt: str
    rounds: list[tuple[str, str]]
    is_whole: bool
    """Whether it is a message and its answer, one after the other."""


def _chat(messages: list[Mapping[str, Any]]) -> _Chat:
    said = [Message(Role(each["role"]), _text(each["content"])) for each in messages]
    prompt = said.pop(0).content if said[0].role is Role.SYSTEM else ""
    rounds = list(zip(said[::2], said[1::2], strict=False))
    return _Chat(
        prompt,
        [(question.content, answer.content) for question, answer in rounds],
        is_whole=len(said) == 2 * len(rounds)
        and all((q.role, a.role) == (Role.USER, Role.ASSISTANT) for q, a in rounds),
    )


def _text(content: str | list[Mapping[str, str]]) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def _model(name: str, prompt: str) -> Model:
    mode = SystemPromptMode.SYSTEM if prompt else SystemPromptMode.NONE
    return Model(code=name, revision="", prompt_mode=mode, template="", outputs_licence="")


def _reply(side: Side, text: str) -> Reply:
    return Reply(
        id=_NOBODY, side=side, status="", text=text, error="", attempt=1, endpoint_kind="", temperature=0.0,
        top_p=0.0, max_tokens=0, stop=(), seed=0, finish_reason="", prompt_tokens=None, completion_tokens=None,
        queued_ms=None, first_token_ms=None, duration_ms=None, language="", basque_share=None,
    )  # fmt: skip


def _judged(given: Given) -> Judged:
    said = {criterion: given.row.get(column) for criterion, column in _WINNERS.items()}
    return Judged(
        at=given.cast_at,
        outcomes={criterion: OUTCOMES[word] for criterion, word in said.items() if word is not None},
        was_overall_asked=False,
        level=given.row.get("user_language") or "",
        education=given.row.get("user_education") or "",
        check_right=None,
        check_asked=None,
        counted=True,
    )


def _cleaned(value: Any) -> Any:
    """A conversation without personal details."""
    if isinstance(value, str):
        return sanitize(value)
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return {key: _cleaned(each) for key, each in value.items()} if isinstance(value, dict) else value
