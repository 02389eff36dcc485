"""Documents from files of rows, of plain text and of HTML."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from training.data.cleaning.html import text_of_html
from training.data.cleaning.options import Options
from training.data.rows import BadRows, Fields, Place, is_rows, lines_of, open_bytes, read_rows, text_of
from training.errors import BadData

_TEXT = (".txt", ".txt.gz", ".txt.zst")
_PAGES = (".html", ".htm", ".xhtml")
_BYTES_A_CHARACTER = 6  # as many as JSON takes to write one with an accent
Kept = dict[str, str | int | float | bool | None]


def files(paths: list[Path]) -> list[Path]:
    """The files behind files and folders, sorted within a folder.

    Raises
    ------
    BadData
        For a path that does not exist, a folder without documents, or a file of another kind.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(each for each in path.rglob("*") if each.is_file() and _is_readable(each))
            if not inside:
                raise BadData(f"{path}: no rows, no text and no HTML in this folder")
            found += inside
        elif not path.is_file():
            raise BadData(f"{path}: there is no such file")
        elif not _is_readable(path):
            raise BadData(
                f"{path}: neither rows, nor text ({', '.join(_TEXT)}), nor HTML ({', '.join(_PAGES)})"
            )
        else:
            found.append(path)
    return found


def documents(path: Path, bad: BadRows, options: Options, *, skip: int) -> Iterator[tuple[int, str, Kept]]:
    """Row, text and kept fields of each document of a file.

    Parameters
    ----------
    bad
        Takes up rows without a text, without a character, or with more than ``max_characters``.
    skip
        How many rows were read before.

    Raises
    ------
    BadData
        Where the file itself cannot be opened, or breaks off.
    """
    if is_rows(path):
        yield from _rows(path, bad, options, skip)
    elif path.name.endswith(_PAGES):
        yield from _whole(path, bad, options, skip, page=True)
    elif options.text_unit == "file":
        yield from _whole(path, bad, options, skip, page=False)
    else:
        yield from _paragraphs(path, bad, options, skip)


def _is_readable(path: Path) -> bool:
    return is_rows(path) or path.name.endswith((*_TEXT, *_PAGES))


def _rows(path: Path, bad: BadRows, options: Options, skip: int) -> Iterator[tuple[int, str, Kept]]:
    longest = _BYTES_A_CHARACTER * options.max_characters
    for place, fields in read_rows(path, bad, skip=skip, longest=longest):
        try:
            text = _fitting(text_of(fields), options)
        except BadData as error:
            bad.add(place, str(error))
        else:
            yield place.row, text, _kept(fields, options)


def _whole(
    path: Path, bad: BadRows, options: Options, skip: int, *, page: bool
) -> Iterator[tuple[int, str, Kept]]:
    """A file that is one document, of row 1."""
    if skip:
        return
    longest = _BYTES_A_CHARACTER * options.max_characters
    try:
        with open_bytes(path) as file:
            raw = file.read(longest + 1)
        # half a character at the end would not be UTF-8, but too many characters it is all the same
        text = raw.decode("utf-8-sig", "replace" if len(raw) > longest else "strict")
        text = text_of_html(text) if page and len(raw) <= longest else text
        yield 1, _fitting(text_of({"text": text}), options), {}
    except UnicodeDecodeError:
        bad.add(Place(str(path), 1), "not UTF-8")
    except BadData as error:
        bad.add(Place(str(path), 1), str(error))
    except (OSError, EOFError) as error:
        raise BadData(f"{path}: {error}") from error


def _paragraphs(path: Path, bad: BadRows, options: Options, skip: int) -> Iterator[tuple[int, str, Kept]]:
    """What stands between empty lines; its row is its first line."""
    lines: list[bytes] = []
    begun = 0
    with open_bytes(path) as file:
        longest = _BYTES_A_CHARACTER * options.max_characters
        for number, raw in enumerate(chain(lines_of(file, longest), [b""]), start=1):
            if raw is None or raw.strip():
                begun = begun or number
                # one line more than fits is enough to see that it does not fit
                if sum(map(len, lines)) <= longest:
                    lines.append(b" " * (longest + 1) if raw is None else raw)
            elif lines:
                if begun > skip:
                    yield from _paragraph(b"".join(lines), Place(str(path), begun), bad, options)
                lines, begun = [], 0


def _paragraph(raw: bytes, place: Place, bad: BadRows, options: Options) -> Iterator[tuple[int, str, Kept]]:
    try:
        yield place.row, _fitting(raw.decode("utf-8-sig"), options), {}
    except UnicodeDecodeError:
        bad.add(place, "not UTF-8")
    except BadData as error:
        bad.add(place, str(error))


def _fitting(text: str, options: Options) -> str:
    if len(text) > options.max_characters:
        raise BadData("a text of too many characters")
    return text


def _kept(fields: Fields, options: Options) -> Kept:
    """The fields to keep; what is neither text nor a small number becomes text."""
    return {name: _plain(fields[name]) for name in options.keep_fields if name in fields}


def _plain(value: object) -> str | int | float | bool | None:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and abs(value) < 1 << 63:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)
