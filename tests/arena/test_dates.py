from datetime import date

import pytest

from arena.dates import basque_date


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 3, 19), "2026ko martxoaren 19a"),
        (date(2026, 11, 23), "2026ko azaroaren 23a"),
        (date(2025, 4, 2), "2025eko apirilaren 2a"),
        (date(2021, 1, 1), "2021eko urtarrilaren 1a"),
        (date(2010, 5, 30), "2010eko maiatzaren 30a"),
        (date(2011, 10, 11), "2011ko urriaren 11"),
        (date(2015, 12, 31), "2015eko abenduaren 31"),
        (date(2030, 6, 5), "2030eko ekainaren 5a"),
        (date(2031, 6, 5), "2031ko ekainaren 5a"),
        (date(2000, 2, 29), "2000ko otsailaren 29a"),
        (date(1900, 8, 7), "1900eko abuztuaren 7a"),
        (date(2045, 9, 1), "2045eko irailaren 1a"),
    ],
)
def test_a_basque_date_follows_the_spoken_number(day: date, text: str) -> None:
    assert basque_date(day) == text
