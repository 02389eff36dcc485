"""Each kind in the forms in which people write it, with Basque endings, and what stays though it looks alike."""

from __future__ import annotations

import pytest

from arena.sanitizing import find, sanitize

ENDINGS = ("", "-k", "-ra", "-ri", "-rekin", "-ren", "-tik", "-n", "-era", "-etik", "-eko", "-rentzat")
STUCK = ("a", "k", "ra", "ri", "ren", "rekin", "tik", "an", "n", "ko")
NAMED = {
    "[EMAIL]": (
        "ane@example.com",
        "ANE.BAT+2@sub.example.eus",
        "ane (at) example (dot) com",
        "ane [a bildua] example.eus",
    ),
    "[PHONE]": (
        "600 123 456",
        "943-12-34-56",
        "+34 600 12 34 56",
        "0034600123456",
        "(943) 12 34 56",
        "05 36 49 12 34",
    ),
    "[ID]": ("12345678Z", "12345678-Z", "12.345.678-Z", "X1234567L", "X-1234567-L"),
    "[IBAN]": ("ES91 2100 0418 4502 0005 1332", "ES9121000418450200051332", "2100-0418-45-0200051332"),
    "[CARD]": ("4111 1111 1111 1111", "4111111111111111", "3782 822463 10005"),
    "[ADDRESS]": ("Kale Nagusia 12", "Foruen plaza 3", "C/ Mayor 3", "122. posta-kutxa"),
    "[HANDLE]": ("@ane_bat", "@ane@example.social"),
}
FORMS = [(tag, form) for tag, forms in NAMED.items() for form in forms]


@pytest.mark.parametrize(("tag", "form"), FORMS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_after_a_hyphen_stays(tag: str, form: str, ending: str) -> None:
    assert sanitize(f"Hau: {form}{ending} da.") == f"Hau: {tag}{ending} da."


@pytest.mark.parametrize(
    ("tag", "form", "ending"),
    [
        (*each, ending)
        for each in FORMS
        for ending in STUCK
        if each[0] != "[HANDLE]" and (each[0], ending) != ("[ADDRESS]", "a")  # 12a is a house
    ],
)
def test_an_ending_without_a_hyphen_stays_too(tag: str, form: str, ending: str) -> None:
    assert sanitize(f"Hau: {form}{ending} da.") == f"Hau: {tag}{ending} da."


@pytest.mark.parametrize(("tag", "form"), FORMS)
@pytest.mark.parametrize(
    "around", ["{}", "({})", "«{}»", "{}.", "{},", "{}?", "\n{}\n", "**{}**", "- {}", "| {} |"]
)
def test_signs_around_it_stay(tag: str, form: str, around: str) -> None:
    assert sanitize(around.format(form)) == around.format(tag)


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u2009"])
def test_narrow_and_fixed_spaces_are_spaces(space: str) -> None:
    assert sanitize(f"Tel. 600{space}12{space}34{space}56") == "Tel. [PHONE]"
    assert sanitize(f"ES91{space}2100{space}0418{space}4502{space}0005{space}1332") == "[IBAN]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Deitu 600 123 456 edo 943 12 34 56 zenbakira", "Deitu [PHONE] edo [PHONE] zenbakira"),
        ("Ane, 12345678Z, ane@example.com, 600123456", "Ane, [ID], [EMAIL], [PHONE]"),
        ("NAN 12345678Z / IBAN ES91 2100 0418 4502 0005 1332", "NAN [ID] / IBAN [IBAN]"),
        ("Kale Nagusia 12, 2. ezk., 48001 Bilbo, 600 123 456", "[ADDRESS], [PHONE]"),
        ("Bizi naiz: calle mayor 3, 2ºB", "Bizi naiz: [ADDRESS]"),
        ("KALE NAGUSIA 12, 48001-Bilbo", "[ADDRESS], [ADDRESS]"),
        ("Gran Vía 45, 2º da, c/mayor 3 2b ez", "[ADDRESS] da, [ADDRESS] ez"),
        ("Kale Nagusia 600 123 456", "Kale Nagusia [PHONE]"),
        ("Kale Nagusia 12 600 12 34 56", "[ADDRESS] [PHONE]"),
        ("+34 600 123 456 12 aldiz", "[PHONE] 12 aldiz"),
        ("DNI 12 345 678 Z, edo 12345678  Z", "DNI [ID], edo [ID]"),
        ("discord: ane#1234", "discord: [HANDLE]"),
        ("wa.me/34600123456", "wa.me/[PHONE]"),
        ("https://www.instagram.com/ane_bat/ eta user: ane99", "https://www.[HANDLE]/ eta user: [HANDLE]"),
        ("```\nmail = 'ane@example.com'\n```", "```\nmail = '[EMAIL]'\n```"),
    ],
)
def test_several_in_one_text_are_told_apart(text: str, said: str) -> None:
    assert sanitize(text) == said


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        ("Deitu 600123456", True),
        ("Gehitu 600123456", False),
        ("600 123 456", False),
        ("600 12 34 56", True),
        ("DNI 12345678z", True),
        ("12345678z", False),
        ("Txartela 4111 1111 1111 1112", False),
        ("Idatzi ane @ example.com", False),
        ("Plaza Berrian 64 arku", False),
        ("Kale Berria 1936", False),
        ("Kale Nagusian bizi naiz, Kale Nagusia", False),
        ("Eskerrik asko, @leire", True),
        ("Hor dabil @leire", False),
    ],
)
def test_what_may_be_something_else_is_found_and_doubtful(text: str, certain: bool) -> None:
    assert [each.certain for each in find(text)] == [certain]


@pytest.mark.parametrize(
    "text",
    [
        "Kale Nagusia luzea da.",
        "Plaza Mayor de Madrid",
        "612 345 678 euro",
        "943 123 000 lagun",
        "12345678A",
        "4111 1111 1111 1112",
        "ES91 2100 0418 4502 0005",
        "ES9121000418450200051332X",
        "look at example.com",
        "@property",
        "@app.get('/')",
        "`x = 600123456`",
        "https://example.com/600123456",
        "tod@s",
        "978-84-1234-567-2",
        "x2024-11-26",
        "20000 Leagues",
        "12 345 678 Bilbon",
        "12 rue",
        "ISBN 84-376-0494-X",
        "@2024",
        "Plaza Berrian 18:00etan",
        "La plaza tiene 12 bancos",
    ],
)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert sanitize(text) == text
