"""One row an answer, with all that is known of how it came to be; and the same of battles without a vote."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pyarrow as pa

from arena.exports.fields import COUNT, FLAG, MOMENT, REAL, TEXT, Field
from arena.exports.layouts.base import Context, Kind, Layout, Row, moment
from arena.exports.records import Asked, Record, Reply

FIELDS = (
    Field("id", TEXT, "The answer's UUID, another one in each release."),
    Field("battle", TEXT, "The id of the vote's row in the other layouts."),
    Field("campaign", TEXT, "The campaign's code."),
    Field("turn", COUNT, "The message's number, from 1."),
    Field("side", TEXT, "A or B."),
    Field("timestamp", MOMENT, "When the message was sent, UTC."),
    Field("prompt", TEXT, "The volunteer's message."),
    Field("prompt_language", TEXT, "Its language, as measured."),
    Field("prompt_basque_share", REAL, "Its share of Basque."),
    Field("model", TEXT, "Who answered."),
    Field("revision", TEXT, "The model's revision, where one is known."),
    Field("endpoint_kind", TEXT, "What kind of server answered."),
    Field("template", TEXT, "The chat template's version, where the candidate tells it."),
    Field("system_prompt_mode", TEXT, "system, user_turn or none."),
    Field(
        "system_prompt_sha256",
        TEXT,
        "Of the campaign's system prompt as it was sent; empty where there was none.",
    ),
    Field("temperature", REAL, "As it was sent."),
    Field("top_p", REAL, "As it was sent."),
    Field("max_tokens", COUNT, "As it was sent."),
    Field("stop", pa.list_(TEXT), "Stop strings, as they were sent."),
    Field("seed", COUNT, "As it was sent."),
    Field("answer", TEXT, "The answer, complete or as far as it came."),
    Field("status", TEXT, "complete, failed or interrupted."),
    Field(
        "finish_reason",
        TEXT,
        "stop, length, stopped (by the volunteer), loop or other; empty unless complete.",
    ),
    Field("error", TEXT, "Why it failed; empty unless it did."),
    Field("attempt", COUNT, "How often the side was asked."),
    Field("prompt_tokens", COUNT, "By the server's count, where it told."),
    Field("completion_tokens", COUNT, "By the server's count, where it told."),
    Field("queued_ms", COUNT, "Waited in the endpoint's queue."),
    Field("first_token_ms", COUNT, "From asking to the first token."),
    Field("duration_ms", COUNT, "From asking to the end."),
    Field("language", TEXT, "The answer's language, as measured."),
    Field("basque_share", REAL, "Its share of Basque."),
    Field("voted", FLAG, "Whether the battle holds a vote."),
)


def rows(record: Record, context: Context) -> Iterator[Row]:
    digest = sha256(record.system_prompt.encode()).hexdigest() if record.system_prompt else ""
    for turn in record.turns:
        for side in sorted(turn.replies):
            yield _row(record, turn, turn.replies[side], digest, context)


def _row(record: Record, turn: Asked, reply: Reply, digest: str, context: Context) -> Row:
    model = record.models[reply.side]
    return {
        "id": context.id(record, reply.id),
        "battle": context.id(record),
        "campaign": record.campaign,
        "turn": turn.index,
        "side": reply.side.value,
        "timestamp": moment(turn.at),
        "prompt": turn.text,
        "prompt_language": turn.language,
        "prompt_basque_share": turn.basque_share,
        "model": model.code,
        "revision": model.revision,
        "endpoint_kind": reply.endpoint_kind,
        "template": model.template,
        "system_prompt_mode": model.prompt_mode.value,
        "system_prompt_sha256": digest,
        "temperature": reply.temperature,
        "top_p": reply.top_p,
        "max_tokens": reply.max_tokens,
        "stop": list(reply.stop),
        "seed": reply.seed,
        "answer": reply.text,
        "status": reply.status,
        "finish_reason": reply.finish_reason,
        "error": reply.error,
        "attempt": reply.attempt,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "queued_ms": reply.queued_ms,
        "first_token_ms": reply.first_token_ms,
        "duration_ms": reply.duration_ms,
        "language": reply.language,
        "basque_share": reply.basque_share,
        "voted": record.vote is not None,
    }


LAYOUT = Layout(
    "turns",
    "One row an answer of each battle with a vote, with its full provenance.",
    FIELDS,
    rows,
    keeps_excluded=True,
)
UNVOTED = Layout(
    "unvoted",
    "One row an answer of each battle that was left without a vote.",
    FIELDS,
    rows,
    kind=Kind.UNVOTED,
)
