from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.cleaning.lines import is_damaged, is_menu, is_notice, is_symbols, shapes

lines_of_text = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=30), max_size=12
)


def menus(text: str, run: int = 6) -> list[int]:
    lines = text.split("\n")
    return is_menu(lines, text, shapes(lines).spaces, run)


@given(st.lists(st.text("abñáçñ Z1-.,", max_size=30), max_size=12))
def test_letters_and_spaces_are_counted_by_line(lines: list[str]) -> None:
    found = shapes(lines)
    assert found.letters.tolist() == [sum(map(str.isalpha, line)) for line in lines]
    assert found.spaces.tolist() == [line.count(" ") for line in lines]
    assert found.visible.tolist() == [len(line) - line.count(" ") for line in lines]


@given(lines_of_text)
def test_there_is_a_count_for_each_line(lines: list[str]) -> None:
    found = shapes(lines)
    assert len(found.letters) == len(found.visible) == len(found.spaces) == len(lines)
    assert (found.letters <= found.visible).all()


def test_part_of_the_counts_is_of_those_lines_and_shared() -> None:
    found = shapes(["bat", "bi", "hiru"])
    part = found.part(1, 3)
    part.letters[0] = 0
    assert found.letters.tolist() == [3, 0, 4]


@pytest.mark.parametrize(
    ("line", "symbols"),
    [
        ("Gaur 2024ko martxoaren 3a da.", False),
        ("", False),
        ("12.345 1.234 5 (+3,2 %)", True),
        ("====================", True),
        ("⭐⭐⭐⭐⭐ 😀😀", True),
        ("★ Ona ★", False),
        ("«Bai»", False),
        ("— Ez.", False),
        ("x = (a + b)*2;", True),
        ("日本語の文", False),
    ],
)
def test_lines_of_symbols(line: str, symbols: bool) -> None:
    assert is_symbols(shapes([line]), 0.5).tolist() == [symbols]


@pytest.mark.parametrize(
    "line",
    [
        "Webgune honek cookieak erabiltzen ditu zure nabigazioa hobetzeko.",
        "Cookieak onartu",
        "We use cookies to improve your experience. Accept all",
        "Utilizamos cookies propias y de terceros. Aceptar",
        "Ce site utilise des cookies. En savoir plus",
        "Mesedez, gaitu JavaScript zure nabigatzailean.",
        "© 2024 Herriko Aldizkaria",
        "Copyright © Udala",
        "Eskubide guztiak gordeta.",
        "Eskubide guztiak erreserbatuta",
        "All rights reserved.",
        "Todos los derechos reservados",
        "Tous droits réservés.",
        "Lege oharra | Pribatutasun politika",
        "Aviso legal y política de privacidad",
        "Privacy Policy and Terms of Use",
        "Mentions légales – Politique de confidentialité",
    ],
)
def test_notices(line: str) -> None:
    lines = ["Gaur eguraldi ona dago.", line, "Bihar euria egingo du."]
    assert is_notice(lines, "\n".join(lines)) == [1]


@pytest.mark.parametrize(
    "line",
    [
        "Cookie txikiak labean hamar minutuz erre behar dira.",
        "JavaScript programazio-lengoaia bat da, webguneetan erabiltzen dena.",
        "Eskubide guztien artean, bizitzeko eskubidea da lehena.",
        "Pribatutasuna eskubide bat da.",
        'UNICODE("©") funtzioak 169 itzultzen du.',
        "Webgune honek cookieak erabiltzen ditu eta, " + "luze azalduta, " * 40,
    ],
)
def test_what_speaks_of_such_things_stays(line: str) -> None:
    assert is_notice([line], line) == []


def test_menus_are_runs_of_short_lines() -> None:
    text = "Hasiera\nAlbisteak\nKirola\n\nKultura\nIritzia\nHarpidetu zaitez\nGaur goizean hasi da hitzaldi luzea."
    assert menus(text) == [0, 1, 2, 4, 5, 6]
    assert menus(text, run=7) == []


@pytest.mark.parametrize(
    "text",
    [
        "4 arrautza\n200 g irin\n100 g azukre\n1 limoi\n50 g gurin\n2 sagar\n1 l esne",
        "- Kaixo\n- Zer moduz\n- Ondo\n- Eta zu\n- Hemen\n- Ados",
        "Bai.\nEz!\nZergatik?\nHorregatik.\nBeno,\nTira…",
        "Xoxo beltza,\nnora zoaz?\nMendi aldera,\nkantari,\nbakarrik;\nagur.",
        "Hasiera\nAlbisteak\nKirola",
        "Gaur goizean eguzkia atera da\n" * 8,
    ],
)
def test_lists_dialogues_and_verse_are_no_menus(text: str) -> None:
    assert menus(text.rstrip("\n")) == []


@pytest.mark.parametrize(
    ("line", "menu"),
    [
        ("Hasiera | Albisteak | Kirola | Kontaktua", True),
        ("Hasiera » Herriak » Azpeitia » Jaiak", True),
        ("Bat · Bi · Hiru", False),
        ("Joan den astean hasi zen | eta amaitu zen gero | baina ez dakigu | zer gertatu zen", False),
    ],
)
def test_lines_with_dividers_are_menus(line: str, menu: bool) -> None:
    assert menus(line) == ([0] if menu else [])


def test_a_menu_between_paragraphs_goes_alone() -> None:
    body = "Gaur goizean hitzaldi luze bat izan da liburutegian."
    menu = "Hasiera\nAlbisteak\nKirola\nKultura\nIritzia\nKontaktua"
    assert menus(f"{body}\n{menu}\n{body}\n{menu}") == [*range(1, 7), *range(8, 14)]


def test_damage_is_found_by_line() -> None:
    lines = ["ondo", "gaizki \ufffd dago", "ondo"]
    assert is_damaged(lines, "\n".join(lines)) == [1]
    assert is_damaged(["ondo"], "ondo") == []


@given(lines_of_text, st.integers(2, 8))
def test_menus_are_lines_that_are_there_each_once(lines: list[str], run: int) -> None:
    lines = lines or [""]
    found = is_menu(lines, "\n".join(lines), shapes(lines).spaces, run)
    assert len(set(found)) == len(found)
    assert all(lines[at] for at in found)


def test_symbols_of_no_line() -> None:
    assert np.array_equal(is_symbols(shapes([]), 0.5), np.zeros(0, dtype=bool))
