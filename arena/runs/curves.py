"""What a run measured, as pictures over its steps, each with its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import floor, log10

from django.utils import formats
from django.utils.translation import gettext_lazy as _

from arena.reports.base import Text
from arena.runs.metrics import Line, Metrics, number
from ranking.lines import Lines, Series, lines_by_step

MOST_NAMES = 16  # lines of one picture
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Curve:
    """A picture and its numbers: *columns* are the names of its lines, *rows* a step and a text for each of them."""

    key: str
    title: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[str, ...], ...]
    figure: Lines


def curves(metrics: Metrics) -> list[Curve]:
    """The pictures of what there is; what a run did not measure is left out."""
    found = [
        _curve("loss", _("Loss, nats a token"), metrics.steps, _losses(metrics.steps)),
        _plain("learning_rate", _("Learning rate"), metrics.steps),
        _plain("tokens_per_s", _("Tokens a second"), metrics.steps),
        _curve("evaluation_loss", _("Evaluation: loss"), metrics.evaluations, _measured(metrics, "loss")),
        _curve(
            "bits_per_byte",
            _("Evaluation: bits a byte"),
            metrics.evaluations,
            _measured(metrics, "bits_per_byte"),
        ),
        _plain("mfu", _("Share of the GPU's peak (MFU)"), metrics.steps),
        _plain("gradient_norm", _("Norm of the gradient"), metrics.steps),
        _plain("memory_mb", _("Memory, MB"), metrics.steps),
    ]
    return [each for each in found if each is not None]


def shown(value: float | None) -> str:
    """A number with four digits that say something, as the reader's language writes it; a dash where there is none."""
    if value is None:
        return "—"
    places = max(0, _DIGITS - 1 - floor(log10(abs(value)))) if value else 0
    places = min(places, 12)
    rounded = Decimal(f"{value:.{places}f}").normalize()
    return formats.number_format(Decimal(f"{rounded:f}"), use_l10n=True, force_grouping=True)


Reader = Callable[[Line], float | None]


def _plain(key: str, title: Text, lines: Sequence[Line]) -> Curve | None:
    return _curve(key, title, lines, [(title, lambda line: number(line, key))])


def _losses(lines: Sequence[Line]) -> list[tuple[Text, Reader]]:
    """The whole, and each source of which there were tokens."""
    names = _names(line.get("loss_by_source") for line in lines)
    found: list[tuple[Text, Reader]] = [(_("all sources"), lambda line: number(line, "loss"))]
    return found + [(name, _within("loss_by_source", name)) for name in names]


def _measured(metrics: Metrics, key: str) -> list[tuple[Text, Reader]]:
    names = _names(line.get("evaluation") for line in metrics.evaluations)
    return [(name, _within("evaluation", name, key)) for name in names]


def _names(found: object) -> list[str]:
    """Keys of the mappings among these, as they come, so many as a picture holds."""
    named = {name: None for each in found if isinstance(each, dict) for name in each}  # type: ignore[attr-defined]  # an iterator
    return list(named)[:MOST_NAMES]


def _within(*keys: str) -> Reader:
    """What reads a number inside nested mappings."""
    *above, last = keys

    def read(line: Line) -> float | None:
        inner: object = line
        for key in above:
            inner = inner.get(key) if isinstance(inner, dict) else None
        return number(inner, last) if isinstance(inner, dict) else None

    return read


def _curve(
    key: str, title: Text, lines: Sequence[Line], readers: Sequence[tuple[Text, Reader]]
) -> Curve | None:
    """``None`` where no reader finds a number. Lines without any are left out of the table."""
    columns = [(name, [read(line) for line in lines]) for name, read in readers]
    columns = [(name, values) for name, values in columns if any(value is not None for value in values)]
    figure = lines_by_step(
        [line["step"] for line in lines], [Series(str(name), values) for name, values in columns]
    )
    if figure is None:
        return None
    rows = [
        (formats.number_format(line["step"], 0, force_grouping=True), *map(shown, values))
        for line, *values in zip(lines, *(values for _, values in columns), strict=True)
        if any(value is not None for value in values)
    ]
    return Curve(key, title, tuple(name for name, _ in columns), tuple(rows), figure)
