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
    "tier": _("Tier"),
    "rating": _("Rating"),
    "low": _("Interval from"),
    "high": _("Interval to"),
    "simultaneous_low": _("All at once, from"),
    "simultaneous_high": _("All at once, to"),
    "rank_low": _("Rank from"),
    "rank_high": _("Rank to"),
    "simultaneous_rank_low": _("Rank from, all at once"),
    "simultaneous_rank_high": _("Rank to, all at once"),
    "first": _("Probability of rank 1"),
    "top_three": _("Probability of rank 1 to 3"),
    "bin": _("Group of pairs"),
    "votes": _("Votes"),
    "predicted": _("Predicted"),
    "observed": _("Observed"),
    "standard_error": _("Standard error"),
    "predicted_win": _("Win, predicted"),
    "predicted_tie": _("Tie, predicted"),
    "predicted_loss": _("Loss, predicted"),
    "z": _("z"),
    "tie_rule": _("Ties as"),
    "dispersion": _("Dispersion"),
    "chi_square": _("Chi-square"),
    "degrees": _("Degrees of freedom"),
    "p_value": _("p"),
    "published_at": _("Published"),
    "excluded": _("Excluded"),
    "code_version": _("Code version"),
    "snapshot": _("Download"),
    "checksum": _("Checksum"),
}
DECIMALS: dict[str, int] = {"win_rate": 2, "rating": 0, "low": 0, "high": 0, "half_width": 1}
DECIMALS |= {
    "simultaneous_low": 0,
    "simultaneous_high": 0,
    "predicted": 3,
    "observed": 3,
    "standard_error": 3,
}
DECIMALS |= {"chi_square": 1, "p_value": 4}
MODEL_COLUMNS = {"model", "opponent"}
LINK_COLUMNS = {"snapshot": "JSON"}
"""Columns that hold addresses, and what their links say."""
DEFAULT_DECIMALS = 2


def label(column: str) -> str | Promise:
    """The column's label; a column without one shows its machine name, which a test forbids for every page there is."""
    return COLUMNS.get(column, column)
