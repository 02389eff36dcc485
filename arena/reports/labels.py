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
    "enough_in": _("Enough in this share of the simulated futures"),
    "votes": _("Votes"),
    "volunteers": _("Volunteers"),
    "hours": _("Hours"),
    "policy": _("Policy"),
    "level": _("Confidence level"),
    "battles_a_volunteer": _("Battles a volunteer"),
    "minutes_a_battle": _("Minutes a battle"),
    "reached_share": _("Futures that got there"),
    "repetitions": _("Simulated futures"),
    "seed": _("Seed"),
    "floor": _("Floor"),
    "newcomer": _("Newcomer"),
    "duel": _("Duel"),
    "probability": _("Probability"),
    "probability_a": _("The first one as A"),
    "probability_b": _("The other one as A"),
    "half_width": _("Points to each side"),
    "settled": _("Settled"),
    "new": _("New"),
    "as_a": _("Shown as A"),
    "share_a": _("Share as A"),
    "share_low": _("From"),
    "share_high": _("To"),
    "least": _("Least"),
    "mean": _("Mean"),
    "most": _("Most"),
    "choices": _("Mean of 1 / probability"),
}
DECIMALS: dict[str, int] = {"win_rate": 2, "rating": 0, "low": 0, "high": 0, "half_width": 1}
DECIMALS |= {
    "hours": 0,
    "probability": 4,
    "probability_a": 4,
    "probability_b": 4,
    "least": 4,
    "mean": 4,
    "most": 4,
}
DECIMALS |= {"share_a": 3, "share_low": 3, "share_high": 3, "enough_in": 1, "choices": 1}
MODEL_COLUMNS = {"model", "opponent"}
DEFAULT_DECIMALS = 2


def label(column: str) -> str | Promise:
    """The column's label; a column without one shows its machine name, which a test forbids for every page there is."""
    return COLUMNS.get(column, column)
