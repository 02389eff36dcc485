"""The message catalogues: complete, and found wanting where something lacks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.utils import translation
from django.utils.translation import gettext

from arena import catalogues


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the catalogues to break."""
    shutil.copytree(catalogues.LOCALE, tmp_path / "locale")
    monkeypatch.setattr(catalogues, "LOCALE", tmp_path / "locale")
    return tmp_path / "locale"


def a_message(catalog: Catalog) -> str:
    return next(str(message.id) for message in catalog if message.id and isinstance(message.id, str))


def test_nothing_lacks_in_any_language() -> None:
    assert catalogues.faults() == []


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
    ("language", "said"), [("eu", "Sailkapena"), ("es", "Clasificación"), ("en", "Leaderboard")]
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
