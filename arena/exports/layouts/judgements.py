"""One row a criterion, with all that statistics ask of a vote and no text."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from arena.exports.fields import COUNT, FLAG, MOMENT, REAL, TEXT, Field
from arena.exports.layouts.base import Context, Layout, Row, moment
from arena.exports.records import Asked, Record
from arena.types import Side
from ranking.cells import WORDS
from ranking.types import Criterion

FIELDS = (
    Field("id", TEXT, "The vote's UUID, another one in each release."),
    Field("username", TEXT, "The volunteer's pseudonym, another one in each release."),
    Field("campaign", TEXT, "The campaign's code."),
    Field("timestamp", MOMENT, "When the vote was cast, UTC."),
    Field("criterion", TEXT, "overall, content or language."),
    Field("was_asked", FLAG, "False for an overall that follows from the two others by the rule."),
    Field("winner", TEXT, "model_a, model_b, tie or both_bad."),
    Field("model_a", TEXT, "The model on side A."),
    Field("model_b", TEXT, "The model on side B."),
    Field("counted", FLAG, "Whether the vote entered the rankings at the cut-off."),
    Field("exclusions", pa.list_(TEXT), "Why it did not, where it did not."),
    Field("policy", TEXT, "How the pair was drawn."),
    Field("propensity", REAL, "The probability with which this pair in this order was drawn."),
    Field("display", TEXT, "paced, unpaced or whole."),
    Field(
        "replaced",
        pa.list_(TEXT),
        "Sides whose first candidate died in the first turn and was replaced by a draw of its own.",
    ),
    Field("user_language", TEXT, "Self-declared level of Basque; empty where not said or too rare."),
    Field("user_education", TEXT, "Education; empty where not said or too rare."),
    Field("check_right", COUNT, "Right answers in the campaign's Basque check, where the volunteer took it."),
    Field("check_asked", COUNT, "Questions of that check."),
    Field("turns", COUNT, "How many messages the volunteer wrote."),
    Field("prompt", TEXT, "Equal where the first messages are; another one in each release."),
    Field("prompt_chars", COUNT, "Characters of the first message."),
    Field("prompt_language", TEXT, "The first message's language, as measured."),
    *(
        field
        for side in ("a", "b")
        for field in (
            Field(f"chars_{side}", COUNT, f"Characters of side {side.upper()}'s answers in all."),
            Field(
                f"tokens_{side}",
                COUNT,
                f"Tokens of side {side.upper()}'s answers by their server's count, where it told all.",
            ),
            Field(
                f"first_token_ms_{side}",
                COUNT,
                f"Milliseconds to side {side.upper()}'s first token, in the last turn.",
            ),
            Field(
                f"language_{side}", TEXT, f"The language of side {side.upper()}'s last answer, as measured."
            ),
            Field(f"basque_share_{side}", REAL, f"The share of Basque in side {side.upper()}'s last answer."),
        )
    ),
)


def rows(record: Record, context: Context) -> Iterator[Row]:
    vote = record.vote
    if vote is None:
        return
    level, education = context.suppressed(vote.level, vote.education)
    around = {
        "id": context.id(record),
        "username": context.person(record),
        "campaign": record.campaign,
        "timestamp": moment(vote.at),
    }
    covariates = {
        "model_a": record.models[Side.A].code,
        "model_b": record.models[Side.B].code,
        "counted": vote.counted,
        "exclusions": list(vote.excluded_for),
        "policy": record.policy,
        "propensity": record.propensity,
        "display": record.display,
        "replaced": [side.value for side in record.replaced],
        "user_language": level,
        "user_education": education,
        "check_right": vote.check_right,
        "check_asked": vote.check_asked,
        "turns": len(record.turns),
        "prompt": context.prompt(record),
        "prompt_chars": len(record.turns[0].text) if record.turns else 0,
        "prompt_language": record.turns[0].language if record.turns else "",
        **_side(record.turns, Side.A),
        **_side(record.turns, Side.B),
    }
    for criterion, outcome in vote.outcomes.items():
        asked = criterion is not Criterion.OVERALL or vote.was_overall_asked
        yield {
            **around,
            "criterion": criterion.value,
            "was_asked": asked,
            "winner": WORDS[outcome],
            **covariates,
        }


def _side(turns: tuple[Asked, ...], side: Side) -> Row:
    name = side.value.lower()
    replies = [turn.replies[side] for turn in turns if side in turn.replies]
    tokens = [each.completion_tokens for each in replies]
    last = replies[-1] if replies else None
    return {
        f"chars_{name}": sum(len(each.text) for each in replies),
        f"tokens_{name}": None if None in tokens else sum(each or 0 for each in tokens),
        f"first_token_ms_{name}": last.first_token_ms if last else None,
        f"language_{name}": last.language if last else "",
        f"basque_share_{name}": last.basque_share if last else None,
    }


LAYOUT = Layout(
    "judgements",
    "One row a criterion of each vote, counted or not, with covariates, exclusions and propensity; no text.",
    FIELDS,
    rows,
    keeps_excluded=True,
    has_texts=False,
)
