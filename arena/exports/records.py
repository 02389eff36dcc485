"""One battle as it is given away: nothing in it names a volunteer but *person*, which pseudonyms are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from arena.sanitizing import Decided
from arena.types import Side
from inference.types import Message, Role, SystemPromptMode, with_system_prompt
from ranking.types import Criterion, Outcome

Id = UUID | str
"""Our own, which pseudonyms stand for, or what a published source says."""


@dataclass(frozen=True, slots=True)
class Model:
    """A candidate, as it is now: its code never changes, and a revised one has a code of its own."""

    code: str
    revision: str
    prompt_mode: SystemPromptMode
    template: str
    outputs_licence: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What a volunteer marked in an answer; offsets count code points of its text."""

    id: UUID
    start: int
    end: int
    kind: str
    comment: str
    rewrite: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """One side's answer to one message."""

    id: UUID
    side: Side
    status: str
    text: str
    error: str
    attempt: int
    endpoint_kind: str
    temperature: float
    top_p: float
    max_tokens: int
    stop: tuple[str, ...]
    seed: int
    finish_reason: str
    prompt_tokens: int | None
    completion_tokens: int | None
    queued_ms: int | None
    first_token_ms: int | None
    duration_ms: int | None
    language: str
    basque_share: float | None
    marks: tuple[Mark, ...] = ()
    decided: tuple[Decided, ...] = ()
    """What staff said of passages of its text."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The volunteer's n-th message, and the answers to it."""

    id: UUID
    index: int
    text: str
    at: datetime
    language: str
    basque_share: float | None
    replies: Mapping[Side, Reply]
    decided: tuple[Decided, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A vote: the volunteer's level and education as they were that day, empty where they were not said."""

    at: datetime
    outcomes: Mapping[Criterion, Outcome]
    """Content and language as judged; overall is the winner."""
    was_overall_asked: bool
    level: str
    education: str
    check_right: int | None
    check_asked: int | None
    counted: bool
    excluded_for: tuple[str, ...] = ()
    """Reasons that stand at the cut-off, sorted."""


@dataclass(frozen=True, slots=True)
class Record:
    """One battle."""

    id: Id
    person: Id
    campaign: str
    models: Mapping[Side, Model]
    system_prompt: str
    policy: str
    propensity: float
    display: str
    replaced: tuple[Side, ...]
    turns: tuple[Asked, ...]
    vote: Judged | None = None
    ended_at: datetime | None = None
    """When it was left, where there is no vote."""

    def conversation(self, side: Side, *, until: int | None = None) -> tuple[Message, ...]:
        """What the side's model was sent and said, system prompt included, up to that message without its answer where *until* is one's number."""
        chat: list[Message] = []
        for turn in self.turns:
            chat.append(Message(Role.USER, turn.text))
            if turn.index == until:
                break
            if (reply := turn.replies.get(side)) is not None and reply.text:
                chat.append(Message(Role.ASSISTANT, reply.text))
        return with_system_prompt(chat, self.system_prompt, self.models[side].prompt_mode)
