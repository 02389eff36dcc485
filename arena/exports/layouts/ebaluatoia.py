"""The published schema of 2025, plain and sanitized."""

from __future__ import annotations

from collections.abc import Iterator

from arena.exports.fields import CHAT, MOMENT, TEXT, Field
from arena.exports.layouts.base import Context, Layout, Row, chat, moment
from arena.exports.records import Record
from arena.types import Side
from ranking.cells import WORDS
from ranking.types import Criterion, Outcome

_WINNER = WORDS | {Outcome.BOTH_BAD: "tie"}  # a word that the schema lacks

FIELDS = (
    Field("id", TEXT, "The row's UUID, another one in each release."),
    Field("username", TEXT, "The volunteer's pseudonym, another one in each release."),
    Field(
        "user_language",
        TEXT,
        "Self-declared level of Basque: A1-A2, B1-B2 or C1-C2; empty where not said or too rare.",
    ),
    Field(
        "user_education", TEXT, "High School, Vocational ed or Bachelor; empty where not said or too rare."
    ),
    Field("timestamp", MOMENT, "When the vote was cast, UTC."),
    Field("model_a", TEXT, "The model on side A."),
    Field("model_b", TEXT, "The model on side B."),
    Field("conv_a", CHAT, "The conversation with model A, its system turn included."),
    Field("conv_b", CHAT, "The conversation with model B, its system turn included."),
    Field("winner", TEXT, "model_a, model_b or tie; both bad is written tie."),
    Field("winner_content", TEXT, "Who was better in content."),
    Field("winner_language", TEXT, "Whose Basque was better."),
)


def rows(record: Record, context: Context) -> Iterator[Row]:
    vote = record.vote
    if vote is None:
        return
    level, education = context.suppressed(vote.level, vote.education)
    yield {
        "id": context.id(record),
        "username": context.person(record),
        "user_language": level,
        "user_education": education,
        "timestamp": moment(vote.at),
        "model_a": record.models[Side.A].code,
        "model_b": record.models[Side.B].code,
        "conv_a": chat(record.conversation(Side.A)),
        "conv_b": chat(record.conversation(Side.B)),
        "winner": _WINNER[vote.outcomes[Criterion.OVERALL]],
        "winner_content": _WINNER[vote.outcomes[Criterion.CONTENT]],
        "winner_language": _WINNER[vote.outcomes[Criterion.LANGUAGE]],
    }


_ABOUT = "One row a vote, in the schema of the preferences published in 2025"
PLAIN = Layout("ebaluatoia", f"{_ABOUT}.", FIELDS, rows, is_sanitized=False)
SANITIZED = Layout("ebaluatoia-sanitized", f"{_ABOUT}, personal data taken out of its texts.", FIELDS, rows)
