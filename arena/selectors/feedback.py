"""A voted battle's answers sentence by sentence, and what its volunteer said of them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from arena.models import Answer, Battle, SpanFeedback
from arena.sentences import Span, sentences


@dataclass(frozen=True, slots=True)
class Sentence:
    """*value* is what a form sends for it."""

    value: str
    text: str
    begins_line: bool


@dataclass(frozen=True, slots=True)
class AnswerSentences:
    turn: int
    side: str
    sentences: list[Sentence]


@dataclass(frozen=True, slots=True)
class Marked:
    id: UUID
    turn: int
    side: str
    text: str
    value: str
    kind: str
    comment: str
    rewrite: str


@dataclass(frozen=True, slots=True)
class FeedbackView:
    answers: list[AnswerSentences]
    marked: list[Marked]


def feedback_view(battle: Battle) -> FeedbackView:
    """Two queries."""
    answers = list(
        Answer.objects.filter(turn__battle=battle).select_related("turn").order_by("turn__index", "side")
    )
    by_key = {answer.pk: answer for answer in answers}
    said = SpanFeedback.objects.filter(answer__in=answers, participant=battle.participant_id)
    return FeedbackView([_sentences(answer) for answer in answers], [_marked(each, by_key) for each in said])


def value_of(answer_id: UUID, start: int, end: int) -> str:
    return f"{answer_id}:{start}:{end}"


def _sentences(answer: Answer) -> AnswerSentences:
    spans = sentences(answer.text)
    found = [
        Sentence(
            value_of(answer.pk, span.start, span.end),
            answer.text[span.start : span.end],
            _begins_line(answer.text, span),
        )
        for span in spans
    ]
    return AnswerSentences(answer.turn.index, answer.side, found)


def _begins_line(text: str, span: Span) -> bool:
    before = text[: span.start].rstrip(" \t")
    return not before or before.endswith("\n")


def _marked(said: SpanFeedback, answers: dict[UUID, Answer]) -> Marked:
    answer = answers[said.answer_id]
    return Marked(
        id=said.pk,
        turn=answer.turn.index,
        side=answer.side,
        text=answer.text[said.start : said.end],
        value=value_of(answer.pk, said.start, said.end),
        kind=said.kind,
        comment=said.comment,
        rewrite=said.rewrite,
    )
