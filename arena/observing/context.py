"""Ids of the work at hand, which every log line of it carries. Ids alone: what is learnt here reaches logs as it is."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})
_PLAIN = re.compile(r"[A-Za-z0-9-]{8,64}")

_known: ContextVar[Mapping[str, str]] = ContextVar("known", default=_NOTHING)


def known() -> Mapping[str, str]:
    return _known.get()


def request_id() -> str:
    """The id of the request or socket that set this work off; empty where beat or a person at a terminal did."""
    return _known.get().get("request_id", "")


def begin(**ids: object) -> Token[Mapping[str, str]]:
    """Work of its own begins: nothing is known of it but *ids*."""
    return _known.set({name: str(value) for name, value in ids.items() if value})


def learn(**ids: object) -> None:
    """More is known from here on, in this task or thread and in what it begins."""
    _known.set({**_known.get(), **{name: str(value) for name, value in ids.items() if value}})


def end(token: Token[Mapping[str, str]]) -> None:
    _known.reset(token)


def new_id() -> str:
    """Short enough to be told on the telephone."""
    return secrets.token_hex(8)


def is_plain(given: str) -> bool:
    """Whether somebody else's id may stand in our logs and headers."""
    return _PLAIN.fullmatch(given) is not None
