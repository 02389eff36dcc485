from datetime import UTC, date, datetime

import pytest
from django.template import Context, Template
from django.utils import translation

from arena.dates import basque_date
from arena.templatetags.lehia import long_date


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


@pytest.mark.parametrize(
    ("language", "first", "nineteenth"),
    [
        ("eu", "2026ko martxoaren 1a", "2026ko martxoaren 19a"),
        ("es", "1 de marzo de 2026", "19 de marzo de 2026"),
        ("fr", "1er mars 2026", "19 mars 2026"),
        ("en", "March 1, 2026", "March 19, 2026"),
    ],
)
def test_each_language_writes_its_own_date(language: str, first: str, nineteenth: str) -> None:
    with translation.override(language):
        assert (long_date(date(2026, 3, 1)), long_date(date(2026, 3, 19))) == (first, nineteenth)
        assert long_date(datetime(2026, 2, 28, 23, 30, tzinfo=UTC)) == first  # past midnight where we are


@pytest.mark.parametrize(
    ("language", "thousands", "hundredths"),
    [
        ("eu", "12.890", "0,85"),
        ("es", "12\u00a0890", "0,85"),
        ("fr", "12\u00a0890", "0,85"),
        ("en", "12,890", "0.85"),
    ],
)
def test_each_language_writes_its_own_numbers(language: str, thousands: str, hundredths: str) -> None:
    with translation.override(language):
        shown = Template("{{ n }} {{ x|floatformat:2 }}").render(Context({"n": 12890, "x": 0.85}))
    assert shown == f"{thousands} {hundredths}"
