"""LMArena's schema of 140,000 votes, with the metadata of conversations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa

from arena.exports.fields import COUNT, FLAG, MOMENT, TEXT, Field
from arena.exports.layouts.base import Context, Layout, Row, moment
from arena.exports.records import Asked, Record
from arena.types import Side
from inference.types import Role
from ranking.cells import WORDS
from ranking.markdown import BOLD, HEADERS, LISTS, count_kinds
from ranking.types import Criterion

_PART = pa.struct([pa.field("type", TEXT), pa.field("text", TEXT)])
_MESSAGE = pa.struct(
    [pa.field("role", TEXT), pa.field("content", pa.list_(_PART)), pa.field("num_tokens", COUNT)]
)
_CHAT = pa.list_(_MESSAGE)
_ROUND = pa.struct(
    [pa.field("user", _MESSAGE), pa.field("model_side_a", _MESSAGE), pa.field("model_side_b", _MESSAGE)]
)


def _counts(names: tuple[str, ...]) -> pa.DataType:
    return pa.struct([pa.field(name, COUNT) for name in names])


_METADATA = pa.struct(
    [
        *(pa.field(f"sum_assistant_{side}_tokens", COUNT) for side in "ab"),
        *(pa.field(f"context_{side}_tokens", COUNT) for side in "ab"),
        pa.field("turns", COUNT),
        *(pa.field(f"header_count_{side}", _counts(HEADERS)) for side in "ab"),
        *(pa.field(f"list_count_{side}", _counts(LISTS)) for side in "ab"),
        *(pa.field(f"bold_count_{side}", _counts(BOLD)) for side in "ab"),
    ]
)

_CRITERIA = (
    *("complexity", "creativity", "domain_knowledge", "problem_solving", "real_world", "specificity"),
    "technical_accuracy",
)
_CATEGORIES = pa.struct(
    [
        pa.field(
            "creative_writing_v0.1",
            pa.struct([pa.field("creative_writing", FLAG), pa.field("score", TEXT)]),
        ),
        pa.field("criteria_v0.1", pa.struct([pa.field(name, FLAG) for name in _CRITERIA])),
        pa.field("if_v0.1", pa.struct([pa.field("if", FLAG), pa.field("score", COUNT)])),
        pa.field("math_v0.1", pa.struct([pa.field("math", FLAG)])),
    ]
)

FIELDS = (
    Field("id", TEXT, "The row's UUID, another one in each release."),
    Field("model_a", TEXT, "The model on side A."),
    Field("model_b", TEXT, "The model on side B."),
    Field("winner", TEXT, "model_a, model_b, tie or both_bad."),
    Field("evaluation_session_id", TEXT, "The battle: a volunteer judges it once."),
    Field("evaluation_order", COUNT, "Always 1, for the same reason."),
    Field(
        "conversation_a",
        _CHAT,
        "The conversation with model A, without the system prompt; tokens by the server's count, where it told.",
    ),
    Field("conversation_b", _CHAT, "The conversation with model B."),
    Field("full_conversation", pa.list_(_ROUND), "The same by turns, both sides beside each other."),
    Field(
        "conv_metadata", _METADATA, "Tokens, turns, and how often the answers use headers, lists and bold."
    ),
    Field(
        "category_tag", _CATEGORIES, "Null for our own votes: their prompts are not sorted into categories."
    ),
    Field("language", TEXT, "The first message's language, as measured."),
    Field("is_code", FLAG, "Whether there is a fenced block of code anywhere."),
    Field("timestamp", MOMENT, "When the vote was cast, UTC."),
)


def rows(record: Record, context: Context) -> Iterator[Row]:
    if record.vote is None or not record.turns:
        return
    chats = {side: _chat(record, side) for side in Side}
    yield {
        "id": context.id(record),
        "model_a": record.models[Side.A].code,
        "model_b": record.models[Side.B].code,
        "winner": WORDS[record.vote.outcomes[Criterion.OVERALL]],
        "evaluation_session_id": context.id(record),
        "evaluation_order": 1,
        "conversation_a": chats[Side.A],
        "conversation_b": chats[Side.B],
        "full_conversation": [
            {"user": user, "model_side_a": a, "model_side_b": b}
            for user, a, b in zip(chats[Side.A][::2], chats[Side.A][1::2], chats[Side.B][1::2], strict=True)
        ],
        "conv_metadata": _metadata(record),
        "category_tag": None,
        "language": record.turns[0].language,
        "is_code": any("```" in text for turn in record.turns for text in _texts(turn)),
        "timestamp": moment(record.vote.at),
    }


def _texts(turn: Asked) -> Iterator[str]:
    yield turn.text
    for reply in turn.replies.values():
        yield reply.text


def _chat(record: Record, side: Side) -> list[Row]:
    chat: list[Row] = []
    for turn in record.turns:
        reply = turn.replies[side]
        chat += [
            _message(Role.USER, turn.text, None),
            _message(Role.ASSISTANT, reply.text, reply.completion_tokens),
        ]
    return chat


def _message(role: Role, text: str, tokens: int | None) -> Row:
    return {"role": role.value, "content": [{"type": "text", "text": text}], "num_tokens": tokens}


def _metadata(record: Record) -> Row:
    found: Row = {"turns": len(record.turns)}
    for side in Side:
        name = side.value.lower()
        replies = [turn.replies[side] for turn in record.turns]
        tokens = [each.completion_tokens for each in replies]
        kinds: Counter[str] = sum((count_kinds(each.text) for each in replies), Counter())
        found |= {
            f"sum_assistant_{name}_tokens": None if None in tokens else sum(each or 0 for each in tokens),
            f"context_{name}_tokens": replies[-1].prompt_tokens,
            f"header_count_{name}": {kind: kinds[kind] for kind in HEADERS},
            f"list_count_{name}": {kind: kinds[kind] for kind in LISTS},
            f"bold_count_{name}": {kind: kinds[kind] for kind in BOLD},
        }
    return {field.name: found[field.name] for field in _METADATA}


LAYOUT = Layout("lmarena", "One row a vote, in the schema of LMArena's 140,000.", FIELDS, rows)
