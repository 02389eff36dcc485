"""The winner of a vote: the published rule, with "both are bad" beside the tie."""

from __future__ import annotations

from ranking.errors import InvalidJudgements
from ranking.types import Outcome

__all__ = ["InvalidJudgements", "overall_is_asked", "winner"]

_DECISIVE = {Outcome.A_BETTER, Outcome.B_BETTER}


def overall_is_asked(content: Outcome, language: Outcome) -> bool:
    """True exactly when both criteria are decisive and disagree."""
    return content in _DECISIVE and language in _DECISIVE and content is not language


def winner(content: Outcome, language: Outcome, overall: Outcome | None = None) -> Outcome:
    """Who wins a vote.

    Parameters
    ----------
    content, language
        The two judgements that are always asked.
    overall
        The third one, required exactly where :func:`overall_is_asked`, absent otherwise.

    Raises
    ------
    InvalidJudgements
        For the 58 of 80 combinations that are no vote.

    Notes
    -----
    Without ``BOTH_BAD`` this is the rule of the EMNLP 2025 study: the common judgement; else the overall one if asked; else the one that is
    not a tie.
    """
    if overall_is_asked(content, language):
        if overall is None:
            raise InvalidJudgements("content and language disagree: overall is required")
        return overall
    if overall is not None:
        raise InvalidJudgements("overall is asked only where content and language disagree")
    for judged in (content, language):
        if judged in _DECISIVE:
            return judged
    return Outcome.BOTH_BAD if content is language is Outcome.BOTH_BAD else Outcome.TIE
