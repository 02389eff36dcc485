"""Votes into pairs for DPO: a prompt, the answer that won, the answer that lost.

A vote judges whole battles, a pair one answer to one prompt. Both agree where the two chats are the same up to their last answers: always with one
turn, and with several only if the earlier answers were the same. Elsewhere the second prompts differ by what each model said before, and there is
no shared prompt; such battles are left out, or only their first turns are taken if that is asked for.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from training.data.asking.seeds import share_of
from training.data.rows import BadRows, Fields, line, messages_of, open_to_write, read_rows
from training.errors import BadData

Messages = list[dict[str, str]]
LEVELS = ("A1-A2", "B1-B2", "C1-C2")
_SPLIT = "held-out"
_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")


class Criterion(StrEnum):
    """Which judgement decides; only the study's layout has more than one."""

    OVERALL = "overall"
    CONTENT = "content"
    LANGUAGE = "language"


class SeveralTurns(StrEnum):
    """What becomes of battles of several turns whose chats differ before the last answer."""

    DROP = "drop"
    FIRST = "first"


@dataclass(frozen=True, slots=True)
class Choice:
    """What is made of the votes.

    Parameters
    ----------
    held_out
        The share of prompts, in [0, 1), whose pairs go to a file of their own.
    min_level
        The lowest self-declared Basque level whose votes count; rows that tell none are left out. Every vote counts if left out.
    min_answer_chars
        Pairs with a shorter answer are left out.
    """

    criterion: Criterion = Criterion.OVERALL
    several_turns: SeveralTurns = SeveralTurns.DROP
    held_out: float = 0.05
    seed: int = 33
    min_level: str | None = None
    min_answer_chars: int = 1


@dataclass(frozen=True, slots=True)
class Battle:
    """Two chats, the better one first.

    Parameters
    ----------
    key
        Tells the battle from others: its id where it has one.
    level
        The voter's, of :data:`LEVELS`; ``None`` where it is not told.
    """

    key: str
    better: Messages
    worse: Messages
    level: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A row, and what was done to get it: names that are counted."""

    prompt: Messages
    chosen: str
    rejected: str
    notes: tuple[str, ...] = ()

    def fields(self) -> Fields:
        """As ``docs/schemas/preferences.schema.json`` has it."""
        return {
            "prompt": self.prompt,
            "chosen": [{"role": "assistant", "content": self.chosen}],
            "rejected": [{"role": "assistant", "content": self.rejected}],
        }


@dataclass(slots=True)
class _Counts:
    dropped: BadRows = field(default_factory=BadRows)
    notes: Counter[str] = field(default_factory=Counter)
    battles: int = 0
    pairs: int = 0
    held_out: int = 0


def preferences(inputs: Iterable[Path], output: Path, choice: Choice) -> dict[str, Any]:
    """Write the pairs of all battles to *output*, those held out beside it; returns the report.

    Parameters
    ----------
    inputs
        Of the study's layout, LMArena's, or explicit pairs; each row tells by its keys which.
    output
        JSON lines, packed by the name. ``votes.jsonl`` has ``votes.held-out.jsonl`` beside it.

    Raises
    ------
    BadData
        If a file cannot be read or is no place for JSON lines, or if its layout has no judgement by the criterion.
    """
    if not output.name.endswith(_SUFFIXES):
        raise BadData(f"{output}: pairs are written as .jsonl, .jsonl.gz or .jsonl.zst")
    counts = _Counts()
    output.parent.mkdir(parents=True, exist_ok=True)
    paths = (output, held_out_path(output))
    parts = [path.with_name(f".part-{path.name}") for path in paths]
    with ExitStack() as stack:
        for part in parts:
            stack.callback(part.unlink, missing_ok=True)  # of a run that failed
        learnt, held = (stack.enter_context(open_to_write(part)) for part in parts)
        for pair in _pairs(inputs, choice, counts):
            is_held = share_of(choice.seed, _SPLIT, _opening(pair.prompt)) < choice.held_out
            (held if is_held else learnt).write(line(pair.fields()))
            counts.pairs += not is_held
            counts.held_out += is_held
        for file, part, path in zip((learnt, held), parts, paths, strict=True):
            file.close()
            part.replace(path)
    return {
        "criterion": choice.criterion.value,
        "battles": counts.battles,
        "pairs": counts.pairs,
        "held_out": counts.held_out,
        "dropped": counts.dropped.report(),
        "notes": dict(sorted(counts.notes.items())),
        "files": [str(path) for path in paths],
    }


def held_out_path(output: Path) -> Path:
    """``votes.held-out.jsonl`` for ``votes.jsonl``."""
    stem, kind, packing = output.name.rpartition(".jsonl")
    return output.with_name(f"{stem}.{_SPLIT}{kind}{packing}")


def battle_of(fields: Fields, criterion: Criterion) -> Battle:
    """The battle in a row of any of the three layouts.

    Raises
    ------
    BadData
        With a reason that can be counted; of a tie, too.
    NoSuchJudgement
        If the layout has no judgement by the criterion.
    """
    if "conv_a" in fields:
        key = "winner" if criterion is Criterion.OVERALL else f"winner_{criterion.value}"
        sides = _chat(fields["conv_a"]), _chat(fields.get("conv_b"))
        return _won(fields, fields.get(key), sides, level=fields.get("user_language"))
    if "conversation_a" not in fields and not fields.keys() >= {"prompt", "chosen", "rejected"}:
        raise BadData("no battle of a known layout")
    if criterion is not Criterion.OVERALL:
        raise NoSuchJudgement("rows of this layout carry one judgement, overall")
    if "conversation_a" in fields:
        sides = _plain_chat(fields["conversation_a"]), _plain_chat(fields.get("conversation_b"))
        return _won(fields, fields.get("winner"), sides)
    prompt = _chat(fields["prompt"])
    chosen, rejected = _chat(fields["chosen"]), _chat(fields["rejected"])
    return _won(fields, "model_a", (prompt + chosen, prompt + rejected))


class NoSuchJudgement(BadData):
    """The whole layout lacks the criterion, so that no row of it can tell."""


def pair_of(battle: Battle, several_turns: SeveralTurns) -> Pair:
    """The pair in a battle. Raises :class:`BadData`, with a reason that can be counted, where there is none."""
    system, better, other_system, worse = *_split(battle.better), *_split(battle.worse)
    asked, other_asked = (
        [each["content"].strip() for each in chat if each["role"] == "user"] for chat in (better, worse)
    )
    if asked != other_asked or not asked or len(better) != len(worse):
        raise BadData("prompts that differ")
    at = next((n for n, (one, two) in enumerate(zip(better, worse, strict=True)) if one != two), None)
    if at is None:
        raise BadData("answers that are the same")
    notes: list[str] = []
    if at < len(better) - 1:
        if several_turns is SeveralTurns.DROP:
            raise BadData("several turns whose histories differ")
        notes.append("the first differing answer of several turns")
    roles = {better[at]["role"], worse[at]["role"]}
    if roles != {"assistant"} or at == 0 or better[at - 1]["role"] != "user":
        raise BadData("no answer after a user's turn")
    prompt = better[:at]
    if system == other_system:
        prompt = [*system, *prompt]
    else:
        notes.append("a system turn that one side had otherwise, left out")
    return Pair(prompt, better[at]["content"], worse[at]["content"], tuple(notes))


def _pairs(inputs: Iterable[Path], choice: Choice, counts: _Counts) -> Iterable[Pair]:
    seen: set[bytes] = set()
    for path in inputs:
        for place, fields in read_rows(path, counts.dropped):
            counts.battles += 1
            try:
                battle = battle_of(fields, choice.criterion)
                _check_new(battle, seen)
                _check_level(battle, choice.min_level)
                pair = pair_of(battle, choice.several_turns)
                _check_answers(pair, choice.min_answer_chars)
            except NoSuchJudgement as error:
                raise BadData(f"{place}: {error}") from None
            except BadData as error:
                counts.dropped.add(place, str(error))
            else:
                counts.notes.update(pair.notes)
                yield pair


def _check_new(battle: Battle, seen: set[bytes]) -> None:
    key = hashlib.sha256(battle.key.encode()).digest()[:16]
    if key in seen:
        raise BadData("a battle that was there before")
    seen.add(key)


def _check_level(battle: Battle, least: str | None) -> None:
    if least is None:
        return
    if battle.level not in LEVELS:
        raise BadData("a vote whose level is not told")
    if LEVELS.index(battle.level) < LEVELS.index(least):
        raise BadData("a vote below the level asked for")


def _check_answers(pair: Pair, least_chars: int) -> None:
    shortest = min(len(pair.chosen), len(pair.rejected))
    if not shortest:
        raise BadData("an empty answer")
    if shortest < least_chars:
        raise BadData("an answer shorter than asked for")


def _won(fields: Fields, winner: object, sides: tuple[Messages, Messages], level: object = None) -> Battle:
    one, other = sides
    key = str(fields.get("id") or hashlib.sha256(repr(sides).encode()).hexdigest())
    told = level if isinstance(level, str) else None
    if winner == "model_a":
        return Battle(key, one, other, told)
    if winner == "model_b":
        return Battle(key, other, one, told)
    if winner == "tie":
        raise BadData("a tie")
    if winner == "both_bad":
        raise BadData("both bad")
    raise BadData("no winner by this criterion")


def _chat(raw: object) -> Messages:
    """Messages with their contents trimmed, as the template trims them."""
    messages = messages_of({"conversations": raw})
    return [{"role": each["role"], "content": each["content"].strip()} for each in messages]


def _plain_chat(raw: object) -> Messages:
    """LMArena's, whose contents are lists of parts."""
    if not isinstance(raw, list):
        raise BadData("no conversations")
    return _chat(
        [{**each, "content": _text(each.get("content"))} if isinstance(each, dict) else each for each in raw]
    )


def _text(content: object) -> object:
    if not isinstance(content, list):
        return content
    parts = [each for each in content if isinstance(each, dict)]
    if len(parts) != len(content) or any(each.get("type", "text") != "text" for each in parts):
        raise BadData("a message that is not text alone")
    texts = [each.get("text") for each in parts]
    if not all(isinstance(text, str) for text in texts):
        raise BadData("a message without text")
    return "".join(map(str, texts))


def _split(chat: Messages) -> tuple[Messages, Messages]:
    """System turns at the beginning, and the rest."""
    at = next((n for n, each in enumerate(chat) if each["role"] != "system"), len(chat))
    return chat[:at], chat[at:]


def _opening(prompt: Messages) -> str:
    """What the split goes by: the first thing asked, case and spacing aside. The system turn holds the day's date."""
    first = next(each["content"] for each in prompt if each["role"] == "user")
    return " ".join(first.casefold().split())
