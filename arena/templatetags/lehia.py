"""What templates need beside Django's own filters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.template import Context
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from arena import refusals
from arena.dates import basque_date, french_date
from arena.feedback_form import KINDS
from arena.modules import modules_of
from arena.reports import labels
from ranking.heatmap import HeatMap

register = template.Library()
_KINDS = dict(KINDS)


@register.simple_tag
def languages() -> list[tuple[str, str]]:
    """Codes and names, each name in its own language; Django's tag says them in the reader's."""
    return list(settings.LANGUAGES)


@register.filter
def long_date(value: date | datetime) -> str:
    """The date in the reader's language; Basque and French by their own rules, which no format string can express."""
    day = timezone.localtime(value).date() if isinstance(value, datetime) else value
    language = get_language() or "eu"
    if language.startswith("eu"):
        return basque_date(day)
    if language.startswith("fr"):
        return french_date(day, month_and_year=formats.date_format(day, "F Y"))
    return formats.date_format(day, "DATE_FORMAT")


@register.filter
def name_of(names: dict[str, str], code: str) -> str:
    """A candidate's display name; models of imported boards are called what they are called there."""
    return names.get(code, code)


@register.filter
def signed(value: float | None) -> str:
    """A difference in whole points with its sign; a dash where there is none to tell."""
    if value is None:
        return "—"
    points = round(value)
    sign = "+" if points > 0 else "−" if points < 0 else ""  # the minus sign is meant
    return f"{sign}{formats.number_format(abs(points), 0)}"


@register.filter
def column_label(column: str) -> str | Promise:
    return labels.label(column)


@register.filter
def kind_label(kind: str) -> str | Promise:
    """What is wrong with a passage, in the words of the form."""
    return _KINDS[kind]


@register.filter
def value_label(value: str, column: str) -> str | Promise:
    return labels.value_label(column, value)


@register.filter
def plain_number(value: float) -> str:
    """A number in the reader's language with no more decimals than it has."""
    return formats.localize(int(value) if value == int(value) else value)


@register.filter
def in_per_cent(share: float | None) -> str:
    """A share as a whole number of per cent; a dash where there is none to tell."""
    return (
        "—"
        if share is None
        else _("{per_cent} %").format(per_cent=formats.number_format(round(100 * share), 0))
    )


@register.filter
def as_asked(query: Mapping[str, str]) -> str:
    """The visitor's fields, to go on at the end of an address."""
    return f"&{urlencode(query)}" if query else ""


@register.simple_tag(takes_context=True)
def cell(context: Context, value: object, column: str, names: dict[str, str]) -> str:
    """A table's value as people read it: models by name, addresses as links, numbers with the column's decimals in the reader's language.

    The name of a model in the context's ``linked`` leads to its page on the context's board.
    """
    if value is None:
        return "—"
    if column in labels.MODEL_COLUMNS:
        return _model_cell(context, str(value), names)
    if column in labels.LINK_COLUMNS:
        return format_html('<a href="{}">{}</a>', value, labels.LINK_COLUMNS[column])
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        places = labels.DECIMALS.get(column, labels.DEFAULT_DECIMALS)
        return formats.number_format(round(value, places) + 0.0, places)  # it cuts off, and knows a -0
    return formats.localize(value) if isinstance(value, int) else str(labels.value_label(column, str(value)))


@register.simple_tag(takes_context=True)
def cells(context: Context, row: Sequence[object], columns: Sequence[str], names: dict[str, str]) -> str:
    """A table's row, headed by its first value. One tag for all: a page has thousands of cells, and a template takes its time over each."""
    first, *others = (cell(context, value, column, names) for value, column in zip(row, columns, strict=True))
    return format_html(
        '<th scope="row">{}</th>{}', first, format_html_join("", "<td>{}</td>", ((each,) for each in others))
    )


@register.simple_tag
def imported(entry: str) -> tuple[str, ...]:
    """The modules that a page's first one needs, to be asked for together with it."""
    return modules_of(entry)


@register.simple_tag
def refused_texts() -> dict[str, refusals.Text]:
    """What a battle's page says of frames that were refused, by their codes."""
    return refusals.of_messages()


@register.simple_tag
def heat_cells(geometry: HeatMap) -> str:
    """All squares of a heat map with the texts in them; one tag for all, as :func:`cells`."""
    return format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" fill-opacity="{}"/>'
        '<text class="{}" x="{}" y="{}" text-anchor="middle" dominant-baseline="middle">{}</text>',
        (
            (
                *("over" if each.over else "under", each.x, each.y, geometry.cell, geometry.cell, each.shade),
                *("in on-dark" if each.dark else "in", each.text_x, each.text_y, each.text),
            )
            for each in geometry.cells
        ),
    )


def _model_cell(context: Context, model: str, names: dict[str, str]) -> str:
    name = names.get(model, model)
    linked: Collection[str] = context.get("linked") or ()
    if model not in linked:
        return name
    address = _model_address(context["board"].slug, model)
    return format_html('<a href="{}?criterion={}">{}</a>', address, context["criterion"], name)


@lru_cache(maxsize=4096)
def _model_address(board: str, model: str) -> str:
    return reverse("model", args=[board, model])
