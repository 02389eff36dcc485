"""The routes that there are, from the live resolver, and an address of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import Resolver404, get_resolver, resolve

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def routes(under: str = "") -> list[str]:
    """All patterns as they are written, those of included ones put together."""
    return sorted({each for each in _walked(get_resolver(), "") if each.startswith(under)})


def _walked(resolver: Any, before: str) -> Iterator[str]:
    for each in resolver.url_patterns:
        whole = before + str(each.pattern)
        if hasattr(each, "url_patterns"):
            yield from _walked(each, whole)
        else:
            yield whole


def parameters(route: str) -> list[str]:
    return _PARAMETER.findall(route)


def address(route: str, values: Mapping[str, object]) -> str:
    """Of a route whose pattern is no regular expression."""
    return "/" + _PARAMETER.sub(lambda name: str(values[name[1]]), route)


def name_of(location: str) -> str:
    """What a redirect leads to: the name of a route of this site."""
    try:
        match = resolve(location.partition("?")[0].partition("#")[0])
    except Resolver404:
        return "elsewhere"
    return match.view_name or match.route
