from __future__ import annotations

import inspect

import pytest

from ranking import errors
from ranking.errors import BadInput, RankingError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (BadInput("is empty"), "is empty"),
        (BadInput("is no row", line=3), "line 3: is no row"),
        (BadInput("is no count", line=3, column="n"), "line 3, column n: is no count"),
        (BadInput("is missing", column="n"), "column n: is missing"),
    ],
)
def test_bad_input_says_where(error: BadInput, said: str) -> None:
    assert str(error) == said


def test_every_error_of_the_package_has_one_root_and_stands_in_the_drawn_tree() -> None:
    raised = [each for _, each in inspect.getmembers(errors, inspect.isclass)]
    assert len(raised) == 8
    for each in raised:
        assert issubclass(each, RankingError)
        assert each.__name__ in (errors.__doc__ or "")
