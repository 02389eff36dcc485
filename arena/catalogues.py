"""Message catalogues without GNU gettext: ``python -m arena.catalogues update|check|compile``."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "arena" / "locale"
LANGUAGES = ("eu", "es", "fr", "en")
SOURCE = "en"
_HEADERS = ('"Language: ', '"Plural-Forms', '"MIME', '"Content')
_KEYWORDS = DEFAULT_KEYWORDS | {"gettext_lazy": None, "ngettext_lazy": (1, 2), "pgettext_lazy": ((1, "c"), 2)}


def extracted() -> Catalog:
    """Every message of the templates and of the packages."""
    catalog = Catalog(charset="utf-8")
    for path, messages in _sources():
        for _, message, _, context in messages:
            catalog.add(message, locations=[(str(path.relative_to(ROOT)), 1)], context=context)
    return catalog


def read(language: str) -> Catalog:
    path = _po(language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as handle:
        return read_po(handle, locale=language)


def update() -> None:
    """Bring the catalogues up to date; English, the source, fills itself."""
    template = extracted()
    for language in LANGUAGES:
        catalog = read(language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        for message in catalog:
            if language == SOURCE and message.id:
                message.string = message.id
        write(language, catalog)


def write(language: str, catalog: Catalog) -> None:
    """Without dates and names in the header, so that the same messages give the same file."""
    out = io.BytesIO()
    write_po(out, catalog, width=0, sort_output=True, include_lineno=False)
    header, _, rest = out.getvalue().decode().partition("\n\n")
    kept = [line for line in header.split("\n") if line.startswith(("msgid", "msgstr", *_HEADERS))]
    _po(language).parent.mkdir(parents=True, exist_ok=True)
    _po(language).write_text("\n".join(kept) + "\n\n" + rest)


def faults() -> list[str]:
    """What is missing, fuzzy, left over or has other placeholders, one line each."""
    wanted = {message.id for message in extracted() if message.id}
    found = []
    for language in LANGUAGES:
        catalog = read(language)
        held = {message.id: message for message in catalog if message.id}
        found += [f"{language}: left over: {each!r}" for each in held.keys() - wanted]
        found += [f"{language}: not extracted: {each!r}" for each in wanted - held.keys()]
        for message in held.values():
            strings = message.string if isinstance(message.string, (tuple, list)) else [message.string]
            if message.fuzzy or not all(strings):
                found.append(f"{language}: missing: {message.id!r}")
            found += [f"{language}: {error}: {message.id!r}" for error in message.check(catalog)]
    return sorted(found)


def compile_all() -> None:
    for language in LANGUAGES:
        with _po(language).with_suffix(".mo").open("wb") as handle:
            write_mo(handle, read(language))


def main(argv: list[str]) -> int:
    if argv == ["update"]:
        update()
    elif argv == ["compile"]:
        compile_all()
    elif argv == ["check"]:
        found = faults()
        print("\n".join(found), file=sys.stderr)  # noqa: T201  # the command's own output
        return 1 if found else 0
    else:
        print("usage: python -m arena.catalogues update|check|compile", file=sys.stderr)  # noqa: T201  # the same
        return 2
    return 0


def _sources() -> Iterator[tuple[Path, Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]]]:
    from django.utils.translation.template import templatize

    for path in sorted(path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt"}):
        python = templatize(path.read_text(), origin=str(path))
        yield path, extract("python", io.BytesIO(python.encode()), keywords=_KEYWORDS)
    for package in ("arena", "inference", "ranking"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, extract("python", io.BytesIO(path.read_bytes()), keywords=_KEYWORDS | {"_": None})


def _po(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
