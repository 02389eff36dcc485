"""Who answers Basque in Basque: the share of each model's answers, and the languages of the others."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from arena.numbers.material import Votes
from arena.selectors.languages import Answered
from inference.language import BASQUE, LANGUAGES
from ranking.numbers import Numbers
from ranking.proportions import clustered_share
from ranking.tables import Table, Value
from ranking.types import Criterion

REPORT = "basque"
ADHERENCE = (
    "model",
    "answers",
    "in_basque",
    "adherence",
    "adherence_low",
    "adherence_high",
    "basque_letters",
)
OTHERS = ("model", *(f"in_{each}" for each in LANGUAGES), "untold")


def compute(material: Votes, _criterion: Criterion) -> Numbers:
    """Of the models that are on the board, the most faithful first. The fact ``unmeasured``: answers at which nobody looked yet."""
    by_model = defaultdict(list)
    shown = {material.table.models[place] for place in np.unique([material.counted.a, material.counted.b])}
    for each in material.answered:
        if each.model in shown:
            by_model[each.model].append(each)
    if not material.left.n_counted:
        return Numbers()
    if not by_model:
        return Numbers(facts={"unmeasured": 0})
    rows = sorted(
        (_adherence(model, told) for model, told in by_model.items()),
        key=lambda row: (-float(row[3] or 0), row[0]),
    )
    return Numbers(
        (
            Table("adherence", ADHERENCE, tuple(rows)),
            Table("languages", OTHERS, tuple(_languages(str(row[0]), by_model[str(row[0])]) for row in rows)),
        ),
        {"unmeasured": sum(each.unmeasured for told in by_model.values() for each in told)},
    )


def _adherence(model: str, answered: list[Answered]) -> tuple[Value, ...]:
    totals = np.array([each.told for each in answered], dtype=np.int64)
    hits = np.array([each.languages[BASQUE] for each in answered], dtype=np.int64)
    n = int(totals.sum())
    if not n:
        return (model, 0, 0, None, None, None, None)
    found = clustered_share(hits, totals)
    letters = sum(each.basque_share for each in answered) / n
    return (model, n, int(hits.sum()), found.share, found.low, found.high, letters)


def _languages(model: str, answered: list[Answered]) -> tuple[Value, ...]:
    counts = [sum(each.languages[language] for each in answered) for language in LANGUAGES]
    return (model, *counts, sum(each.untold for each in answered))
