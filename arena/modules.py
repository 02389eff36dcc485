"""The JavaScript modules that a page's first one needs: told to the browser at once, they all come in one round trip."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from posixpath import dirname, join, normpath

from django.contrib.staticfiles import finders

_IMPORT = re.compile(r"""^\s*(?:import|export)\b[^;"']*["'](\.[^"']+)["']""", re.MULTILINE)


@cache
def modules_of(entry: str) -> tuple[str, ...]:
    """The static files that *entry* imports, directly or not, each once, itself left out."""
    found: dict[str, None] = {entry: None}
    waiting = [entry]
    while waiting:
        name = waiting.pop(0)
        imported = (normpath(join(dirname(name), each)) for each in _IMPORT.findall(_source(name)))
        for each in imported:
            if each not in found:
                found[each] = None
                waiting.append(each)
    return tuple(found)[1:]


def _source(name: str) -> str:
    path = finders.find(name)
    if not isinstance(path, str):
        raise FileNotFoundError(name)
    return Path(path).read_text(encoding="utf-8")
