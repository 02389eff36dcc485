"""What preference training reads: pairs for DPO, single answers for KTO."""

from __future__ import annotations

from collections.abc import Iterator

from arena.exports.fields import CHAT, FLAG, TEXT, Field
from arena.exports.layouts.base import Context, Layout, Row, better, chat
from arena.exports.records import Record
from arena.types import Side
from inference.types import Message
from ranking.types import Outcome

_ID = Field("id", TEXT, "The vote's UUID, another one in each release.")
_CRITERION = Field("criterion", TEXT, "What was judged: overall, content or language.")
DPO_FIELDS = (
    _ID,
    _CRITERION,
    Field("prompt", CHAT, "The system prompt, where there is one, and the volunteer's message."),
    Field("chosen", CHAT, "The better answer, one message."),
    Field("rejected", CHAT, "The other answer, one message."),
    Field("model_chosen", TEXT, "Who wrote the better answer."),
    Field("model_rejected", TEXT, "Who wrote the other one."),
)
KTO_FIELDS = (
    _ID,
    _CRITERION,
    Field("prompt", CHAT, "The conversation with this model up to the volunteer's last message."),
    Field("completion", CHAT, "The model's answer to it, one message."),
    Field(
        "label",
        FLAG,
        "Whether the answer won; false where it lost or both were called bad. Ties make no row.",
    ),
    Field("model", TEXT, "Who wrote the answer."),
)


def dpo_rows(record: Record, context: Context) -> Iterator[Row]:
    """Of battles of one message alone: further ones were asked in two different conversations, which have no prompt in common."""
    if record.vote is None or len(record.turns) != 1 or not _alike(record):
        return
    for criterion, outcome in record.vote.outcomes.items():
        if (winner := better(outcome)) is None:
            continue
        prompt, chosen = _split(record, winner)
        _, rejected = _split(record, winner.other)
        yield {
            "id": context.id(record),
            "criterion": criterion.value,
            "prompt": chat(prompt),
            "chosen": chat(chosen),
            "rejected": chat(rejected),
            "model_chosen": record.models[winner].code,
            "model_rejected": record.models[winner.other].code,
        }


def kto_rows(record: Record, context: Context) -> Iterator[Row]:
    if record.vote is None:
        return
    for criterion, outcome in record.vote.outcomes.items():
        if outcome is Outcome.TIE:
            continue
        for side in Side:
            prompt, completion = _split(record, side)
            if completion:
                yield {
                    "id": context.id(record),
                    "criterion": criterion.value,
                    "prompt": chat(prompt),
                    "completion": chat(completion),
                    "label": better(outcome) is side,
                    "model": record.models[side].code,
                }


def _alike(record: Record) -> bool:
    """Whether both models were asked in the same words; a system prompt that one of them cannot take makes two prompts."""
    prompts = {side: _split(record, side) for side in Side}
    return prompts[Side.A][0] == prompts[Side.B][0] and all(answer for _, answer in prompts.values())


def _split(record: Record, side: Side) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """The conversation up to the last message, and the answer to it, if there is one."""
    last = record.turns[-1].index if record.turns else 0
    prompt = record.conversation(side, until=last)
    return prompt, record.conversation(side)[len(prompt) :]


DPO = Layout(
    "dpo",
    "One row a criterion on which one answer was better, of battles of one message.",
    DPO_FIELDS,
    dpo_rows,
)
KTO = Layout("kto", "One row a criterion and answer, of votes that are no tie on it.", KTO_FIELDS, kto_rows)
