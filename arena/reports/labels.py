"""What people read for the machine names of columns, and how many decimals a column's numbers have."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

COLUMNS: dict[str, str | Promise] = {
    "model": _("Model"),
    "opponent": _("Against"),
    "battles": _("Battles"),
    "opponents": _("Opponents"),
    "wins": _("Won"),
    "ties": _("Tied"),
    "losses": _("Lost"),
    "win_rate": _("Win rate"),
}
DECIMALS: dict[str, int] = {"win_rate": 2, "rating": 0, "low": 0, "high": 0, "half_width": 1}
MODEL_COLUMNS = {"model", "opponent"}
DEFAULT_DECIMALS = 2


def label(column: str) -> str | Promise:
    """The column's label; a column without one shows its machine name, which a test forbids for every page there is."""
    return COLUMNS.get(column, column)
