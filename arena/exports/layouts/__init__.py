"""The layouts by their names on the command line."""

from __future__ import annotations

from arena.exports.layouts import ebaluatoia, judgements, lmarena, preferences, spans, turns
from arena.exports.layouts.base import Context, Kind, Layout, Row

__all__ = ["LAYOUTS", "Context", "Kind", "Layout", "Row"]

LAYOUTS: dict[str, Layout] = {
    each.name: each
    for each in (
        ebaluatoia.PLAIN,
        ebaluatoia.SANITIZED,
        lmarena.LAYOUT,
        preferences.DPO,
        preferences.KTO,
        judgements.LAYOUT,
        spans.LAYOUT,
        turns.LAYOUT,
        turns.UNVOTED,
    )
}
