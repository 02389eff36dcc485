"""Texts of reports that are kept while readers of several languages come by: nothing is written out before it is shown."""

from __future__ import annotations

from django.utils import formats
from django.utils.functional import lazy
from django.utils.text import format_lazy

from arena.reports.base import Text

shown = lazy(formats.localize, str)
"""A number as the reader's language writes it."""


def joined(*sentences: Text) -> Text:
    """The sentences with a space between; those that are empty are left out."""
    said = [each for each in sentences if each]
    return format_lazy(" ".join(["{}"] * len(said)), *said)
