"""Reasoning that comes as text between tags."""

from __future__ import annotations

from inference.types import Delta, Reasoning

_OPENS = "<think>"
_CLOSES = "</think>"


class ThinkTags:
    """Sorts an answer's text into reasoning and answer, however it is cut into pieces.

    Only ``<think>`` before any other text opens reasoning, and the first ``</think>`` after it closes it; white space before the first and after the second
    is dropped. What is never closed is reasoning to the end.
    """

    def __init__(self) -> None:
        self._held = ""
        self._step = self._before

    def take(self, text: str) -> list[Reasoning | Delta]:
        """What is certain so far."""
        self._held += text
        return self._step()

    def end(self) -> list[Reasoning | Delta]:
        """What was held back in case that a tag went on."""
        rest, self._held = self._held, ""
        if not rest:
            return []
        return [Reasoning(rest) if self._step == self._inside else Delta(rest)]

    def _before(self) -> list[Reasoning | Delta]:
        start = self._held.lstrip()
        if start.startswith(_OPENS):
            self._held = start.removeprefix(_OPENS)
            self._step = self._inside
            return self._step()
        if _OPENS.startswith(start):
            return []
        self._step = self._plain
        return self._step()

    def _inside(self) -> list[Reasoning | Delta]:
        thought, closed, rest = self._held.partition(_CLOSES)
        if closed:
            self._held = rest
            self._step = self._after
            return [*([Reasoning(thought)] if thought else []), *self._step()]
        kept = _length_of_begun_tag(thought)
        self._held = thought[len(thought) - kept :]
        sure = thought[: len(thought) - kept]
        return [Reasoning(sure)] if sure else []

    def _after(self) -> list[Reasoning | Delta]:
        self._held = self._held.lstrip()
        if not self._held:
            return []
        self._step = self._plain
        return self._step()

    def _plain(self) -> list[Reasoning | Delta]:
        text, self._held = self._held, ""
        return [Delta(text)] if text else []


def _length_of_begun_tag(text: str) -> int:
    """How many of the last characters may be the start of the closing tag."""
    most = min(len(text), len(_CLOSES) - 1)
    return next((n for n in range(most, 0, -1) if text.endswith(_CLOSES[:n])), 0)
