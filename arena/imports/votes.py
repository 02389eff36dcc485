"""Rows of votes in the two published layouts, each checked on its own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from arena.imports.plain import Raw, Row, plain_row, without_nulls
from arena.types import Education, LanguageLevel, VoteSource
from inference.types import Role
from ranking import cells, verdict
from ranking.errors import BadInput, InvalidJudgements
from ranking.types import Outcome

MOST_ID_CHARS = 100
MOST_VOTER_CHARS = 150
MOST_TIMESTAMP_CHARS = 40
_WORDS_OF_LMARENA = {word: outcome for outcome, word in cells.WORDS.items()}
_WORDS = {word: outcome for word, outcome in _WORDS_OF_LMARENA.items() if outcome is not Outcome.BOTH_BAD}
_OVERALL = "winner_overall"
_ROLES = {role.value for role in Role}
_COMMON = ("id", "timestamp", "model_a", "model_b", "winner")


@dataclass(frozen=True, slots=True)
class ReadVote:
    """A row that may be stored.

    Parameters
    ----------
    external_id, timestamp, voter, language_level, education, conv_a, conv_b
        As the row has them; empty where the layout has no such column.
    cast_at
        The timestamp, in UTC; one without an offset is taken for UTC.
    content, language
        ``None`` where the layout has no criteria.
    extra
        All further columns.
    checksum
        SHA-256 of what the row says: the order of keys, keys with null and how the time is written do not matter.
    """

    line: int
    external_id: str
    timestamp: str
    cast_at: datetime
    model_a: str
    model_b: str
    conv_a: list[Any]
    conv_b: list[Any]
    winner: Outcome
    content: Outcome | None
    language: Outcome | None
    voter: str
    language_level: str
    education: str
    extra: Row
    checksum: str
    size_bytes: int


def read_vote(source: VoteSource, line: int, raw: Raw) -> ReadVote:
    """A row of a file in the layout *source*. Raises ``BadInput`` with line and column."""
    row = plain_row(line, raw)
    model_a, model_b = _models(line, row)
    timestamp, cast_at = _time(line, row)
    own = _READERS[source](line, row)
    said = json.dumps(
        [source.value, without_nulls(row) | {"timestamp": cast_at.isoformat()}],
        sort_keys=True,
        ensure_ascii=False,
    ).encode()
    return ReadVote(
        line=line,
        external_id=_text(line, row, "id", MOST_ID_CHARS),
        timestamp=timestamp,
        cast_at=cast_at,
        model_a=model_a,
        model_b=model_b,
        checksum=hashlib.sha256(said).hexdigest(),
        size_bytes=len(said),
        **own,
    )


def _ebaluatoia(line: int, row: Row) -> Mapping[str, Any]:
    content, language, winner = (
        _judged(line, row, column, _WORDS) for column in ("winner_content", "winner_language", "winner")
    )
    _check_winner(line, row, content, language, winner)
    return {
        "conv_a": _conversation(line, row, "conv_a", _is_text),
        "conv_b": _conversation(line, row, "conv_b", _is_text),
        "winner": winner,
        "content": content,
        "language": language,
        "voter": _text(line, row, "username", MOST_VOTER_CHARS),
        "language_level": _one_of(line, row, "user_language", [each.value for each in LanguageLevel]),
        "education": _one_of(line, row, "user_education", [each.value for each in Education]),
        "extra": _others(
            row, "conv_a", "conv_b", "winner_content", "winner_language",
            "username", "user_language", "user_education",
        ),
    }  # fmt: skip


def _lmarena(line: int, row: Row) -> Mapping[str, Any]:
    return {
        "conv_a": _conversation(line, row, "conversation_a", _is_parts),
        "conv_b": _conversation(line, row, "conversation_b", _is_parts),
        "winner": _judged(line, row, "winner", _WORDS_OF_LMARENA),
        "content": None,
        "language": None,
        "voter": "",
        "language_level": "",
        "education": "",
        "extra": _others(row, "conversation_a", "conversation_b"),
    }


_READERS = {VoteSource.EBALUATOIA: _ebaluatoia, VoteSource.LMARENA: _lmarena}


def _check_winner(line: int, row: Row, content: Outcome, language: Outcome, winner: Outcome) -> None:
    """The winner must follow from the criteria.

    The published layout has no column for the third judgement: where it was asked, it may have been anything. A file that has one is held to it.
    """
    overall = winner if verdict.overall_is_asked(content, language) else None
    if _OVERALL in row:
        overall = None if row[_OVERALL] is None else _judged(line, row, _OVERALL, _WORDS)
    try:
        follows = verdict.winner(content, language, overall)
    except InvalidJudgements as error:
        raise BadInput(str(error), line=line, column=_OVERALL) from None
    if follows is not winner:
        raise BadInput(
            f"{cells.shown(row['winner'])} contradicts the judgements: {cells.WORDS[follows]} follows from them",
            line=line,
            column="winner",
        )


def _judged(line: int, row: Row, column: str, words: Mapping[str, Outcome]) -> Outcome:
    raw = row.get(column)
    if not isinstance(raw, str) or raw not in words:
        raise BadInput(f"{cells.shown(raw)} is none of {', '.join(words)}", line=line, column=column)
    return words[raw]


def _models(line: int, row: Row) -> tuple[str, str]:
    names = cells.models(line, row)
    for column, name in zip(("model_a", "model_b"), names, strict=True):
        if row[column] != name:
            raise BadInput("a model's name has spaces around it", line=line, column=column)
    return names


def _text(line: int, row: Row, column: str, most: int) -> str:
    raw = row.get(column)
    if not isinstance(raw, str) or not raw or len(raw) > most or not raw.isprintable():
        raise BadInput(
            f"{cells.shown(raw)} is not 1 to {most} printable characters", line=line, column=column
        )
    return raw


def _one_of(line: int, row: Row, column: str, allowed: list[str]) -> str:
    """Empty where nobody said: the cell is null, or absent."""
    raw = row.get(column)
    if raw is not None and raw not in allowed:
        raise BadInput(f"{cells.shown(raw)} is none of {', '.join(allowed)}", line=line, column=column)
    return raw or ""


def _time(line: int, row: Row) -> tuple[str, datetime]:
    raw = row.get("timestamp")
    written = raw if isinstance(raw, str) and len(raw) <= MOST_TIMESTAMP_CHARS else ""
    try:
        at = datetime.fromisoformat(written)
        return written, at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(f"{cells.shown(raw)} is no time in ISO 8601", line=line, column="timestamp") from None


def _conversation(line: int, row: Row, column: str, is_content: Callable[[object], bool]) -> list[Any]:
    """A list of messages, kept as it is."""
    raw = row.get(column)
    if not isinstance(raw, list) or not raw:
        raise BadInput("is no list of messages", line=line, column=column)
    for number, message in enumerate(raw, start=1):
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise BadInput(
                f"message {number} has no role of {', '.join(sorted(_ROLES))}", line=line, column=column
            )
        if not is_content(message.get("content")):
            raise BadInput(f"message {number} has no content that is text", line=line, column=column)
    return raw


def _is_text(content: object) -> bool:
    return isinstance(content, str)


def _is_parts(content: object) -> bool:
    return isinstance(content, list) and all(
        isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
        for part in content
    )


def _others(row: Row, *known: str) -> Row:
    return {column: value for column, value in row.items() if column not in {*_COMMON, *known}}
