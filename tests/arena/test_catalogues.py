"""The message catalogues: complete, and found wanting where something lacks."""

from __future__ import annotations

import re
import shutil
from copy import deepcopy
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from arena import catalogues


@pytest.fixture(scope="module")
def said_by_the_code() -> Catalog:
    return catalogues.extracted()


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said_by_the_code: Catalog) -> Path:
    """A copy of the catalogues to break; the code, which takes more than a second to read, stays as it was."""
    shutil.copytree(catalogues.LOCALE, tmp_path / "locale")
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path / "locale")
    monkeypatch.setattr(catalogues, "extracted", lambda: deepcopy(said_by_the_code))
    return tmp_path / "locale"


def _texts(told: object) -> tuple[str, ...]:
    return tuple(map(str, told)) if isinstance(told, (tuple, list)) else (str(told),)


def _fields(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[sd]|\{\w*\}|%%", text))


def _end(text: str) -> str:
    return text[-1] if text[-1] in ".?…" else ""


def a_message(catalog: Catalog) -> str:
    return next(str(message.id) for message in catalog if message.id and isinstance(message.id, str))


def test_nothing_lacks_in_any_language() -> None:
    assert catalogues.faults() == []


def test_the_site_speaks_the_languages_that_have_catalogues() -> None:
    assert [code for code, _ in settings.LANGUAGES] == list(catalogues.LANGUAGES)
    assert catalogues.LANGUAGES[0] == settings.LANGUAGE_CODE == "eu"


@pytest.mark.parametrize("language", ["eu", "es", "fr"])
def test_a_translation_keeps_fields_ends_as_its_source_does_and_is_not_its_source(language: str) -> None:
    said = {
        source: text
        for message in catalogues.read(language)
        if message.id
        for source, text in zip(_texts(message.id), _texts(message.string), strict=True)
    }
    assert [source for source, text in said.items() if _fields(source) != _fields(text)] == []
    ends = [source for source, text in said.items() if _end(source) != _end(text)]
    assert ends == []
    assert [source for source, text in said.items() if source == text and len(source.split()) > 2] == []


@pytest.mark.parametrize("sign", [":", ";", "?", "!", "»"])
def test_french_signs_stand_off_by_a_space_that_does_not_break(sign: str) -> None:
    texts = [text for message in catalogues.read("fr") if message.id for text in _texts(message.string)]
    near = [
        text
        for text in texts
        if re.search(rf"[^\W_]{re.escape(sign)}(?!//)|\s(?<!\u00a0){re.escape(sign)}", text)
    ]
    allowed = ("http", "mixed-1(")
    assert [text for text in near if not any(each in text for each in allowed)] == []


def test_updating_complete_catalogues_changes_no_byte(copy: Path) -> None:
    before = {path: path.read_bytes() for path in copy.rglob("*.po")}
    catalogues.update()
    assert {path: path.read_bytes() for path in copy.rglob("*.po")} == before


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_an_untranslated_message_is_named(copy: Path, language: str) -> None:
    catalog = catalogues.read(language)
    message = a_message(catalog)
    catalog[message].string = ""
    catalogues.write(language, catalog)
    assert catalogues.faults() == [f"{language}: missing: {message!r}"]


def test_a_message_that_left_the_code_is_named_and_goes_with_the_next_update(copy: Path) -> None:
    catalog = catalogues.read("es")
    catalog.add("No longer said", "Ya no se dice")
    catalogues.write("es", catalog)
    assert catalogues.faults() == ["es: left over: 'No longer said'"]
    catalogues.update()
    assert catalogues.faults() == []


def test_a_new_message_is_named_until_it_is_there(copy: Path) -> None:
    catalog = catalogues.read("eu")
    message = a_message(catalog)
    catalog.delete(message)
    catalogues.write("eu", catalog)
    assert catalogues.faults() == [f"eu: not extracted: {message!r}"]
    catalogues.update()
    assert catalogues.faults() == [f"eu: missing: {message!r}"]


def test_a_translation_with_another_placeholder_is_named(copy: Path) -> None:
    catalog = catalogues.read("eu")
    placed = next(str(m.id) for m in catalog if m.id and isinstance(m.id, str) and "%(" in m.id)
    catalog[placed].string = "Besterik: %(bestelakoa)s"
    catalogues.write("eu", catalog)
    assert any(fault.startswith("eu: ") and repr(placed) in fault for fault in catalogues.faults())


@pytest.mark.parametrize(
    ("language", "said"),
    [("eu", "Sailkapena"), ("es", "Clasificación"), ("fr", "Classement"), ("en", "Leaderboard")],
)
def test_compiled_catalogues_speak(language: str, said: str) -> None:
    catalogues.compile_all()
    with translation.override(language):
        assert gettext("Leaderboard") == said


def test_the_command_answers_with_its_exit_code(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert catalogues.main(["check"]) == 0
    (copy / "eu" / "LC_MESSAGES" / "django.po").unlink()
    assert catalogues.main(["check"]) == 1
    assert "eu: not extracted" in capsys.readouterr().err
    assert catalogues.main(["update"]) == 0
    assert catalogues.main(["compile"]) == 0
    assert (copy / "eu" / "LC_MESSAGES" / "django.mo").exists()
    assert catalogues.main([]) == 2
