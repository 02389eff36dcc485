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
COLUMNS |= {
    "models": _("Models"),
    "rating": _("Rating"),
    "low": _("Interval from"),
    "high": _("Interval to"),
    "rank": _("Rank"),
    "rank_low": _("Rank from"),
    "rank_high": _("Rank to"),
    "tier": _("Tier"),
    "predicted": _("Predicted"),
    "factor": _("Part of the recipe"),
    "factor_level": _("Level"),
    "against": _("Compared with"),
    "given": _("Where there is"),
    "points": _("Effect in rating points"),
    "wide_low": _("Wide interval from"),
    "wide_high": _("Wide interval to"),
    "form": _("What acts"),
    "chi_square": _("Chi-square"),
    "degrees": _("Degrees of freedom"),
    "p_value": _("p"),
    "inflation": _("Widening"),
    "backbone": _("Base"),
    "corpus": _("Basque corpus"),
    "instructions": _("Instructions"),
    "language": _("Language"),
    "criterion": _("Criterion"),
    "group": _("Compared models"),
    "benchmarks": _("Benchmarks"),
    "rho": _("Rank correlation"),
    "rho_low": _("Correlation from"),
    "rho_high": _("Correlation to"),
    "number": _("Number"),
    "vote_rank": _("Rank by votes"),
    "benchmark_rank": _("Rank by benchmarks"),
    "mean_score": _("Mean score (%)"),
}
DECIMALS |= {
    "points": 0,
    "wide_low": 0,
    "wide_high": 0,
    "chi_square": 1,
    "p_value": 4,
    "predicted": 3,
    "mean_score": 1,
}
MODEL_COLUMNS = {"model", "opponent"}
DEFAULT_DECIMALS = 2


def label(column: str) -> str | Promise:
    """The column's label; a column without one shows its machine name, which a test forbids for every page there is."""
    return COLUMNS.get(column, column)


_LEVELS: dict[str, str | Promise] = {
    "base_en": _("Llama"),
    "base_eu": _("Latxa"),
    "inst_en": _("Llama Instruct"),
    "without": _("without corpus"),
    "with": _("with corpus"),
    "none": _("none"),
    "en": _("in English"),
    "eu": _("in Basque"),
    "both": _("in both languages"),
}
VALUES: dict[str, dict[str, str | Promise]] = {
    "factor_level": _LEVELS,
    "against": _LEVELS,
    "given": _LEVELS,
    "backbone": _LEVELS,
    "corpus": _LEVELS,
    "instructions": _LEVELS,
    "factor": {"backbone": _("Base"), "corpus": _("Basque corpus"), "instructions": _("Instructions")},
    "form": {
        "main": _("each part on its own"),
        "backbone_corpus": _("also base with corpus"),
        "backbone_instructions": _("also base with instructions"),
        "corpus_instructions": _("also corpus with instructions"),
        "pairs": _("also all three pairs"),
    },
    "language": {"eu": _("Basque"), "en": _("English"), "es": _("Spanish")},
    "criterion": {"overall": _("Overall"), "content": _("Content"), "language": _("Basque")},
    "group": {"study": _("the study's 8B models"), "measured": _("all that were measured")},
}
"""What people read for the machine words in a column; others show as they are."""


def value_label(column: str, value: str) -> str | Promise:
    return VALUES.get(column, {}).get(value, value)
