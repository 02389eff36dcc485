"""Finding personal details in a text, and putting tags in their place."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from functools import partial

from arena.sanitizing import handles, mails, papers, phones, places
from arena.sanitizing.edges import FILLER, masked
from arena.sanitizing.rules import Rule, Seen, with_replaced
from arena.sanitizing.types import Decided, Decision, Found, Kind, Redaction

RULES = 2
"""Raised whenever more or other things are found, so that texts are scanned again."""

IN_TURN = (
    Rule(mails.plain, words=("@",)),
    Rule(mails.hidden, words=mails.HIDDEN_HOLDS),
    Rule(papers.ibans, digits=2),
    Rule(papers.accounts, digits=20),
    Rule(papers.cards, digits=13),
    Rule(papers.foreigners, digits=7),
    Rule(papers.citizens, digits=8),
    *(Rule(partial(places.streets, each), digits=1, words=places.NO_NUMBER) for each in places.STREETS),
    Rule(places.boxes, digits=1),
    Rule(places.towns, digits=5),
    Rule(handles.handles, words=("@",)),
    Rule(handles.profiles, words=handles.PROFILE_HOLDS),
    Rule(handles.named, words=handles.BEFORE_A_NAME),
    Rule(phones.international, digits=7),
    Rule(phones.national, digits=8),
    Rule(papers.citizens_without_letter, digits=8),
    Rule(places.streets_lived_in, words=places.BEFORE_A_HOME),
)
"""What one has found, those after it do not see: the surest come first."""
_TAGS = re.compile("|".join(re.escape(each.tag) for each in Kind))
_ALIKE = (
    dict.fromkeys("\u00a0\u202f\u2007\u2009\t", " ")
    | dict.fromkeys("\u2010\u2011\u2012\u2013", "-")
    | {FILLER: " "}
)


def find(text: str) -> tuple[Found, ...]:
    """Every detail, in the order of the text; none overlap. Takes linear time."""
    left = _TAGS.sub(lambda tag: FILLER * len(tag[0]), with_replaced(text, _ALIKE))
    seen = Seen(left)
    found: list[Found] = []
    for rule in IN_TURN:
        if rule.may_find(seen) and (new := list(rule.detector(left))):
            left = masked(left, new)
            found += new
    return tuple(sorted(found, key=lambda each: each.start))


def sanitize(text: str, *, allowed: Container[str] = ()) -> str:
    """The text with a tag such as ``[EMAIL]`` in place of all that is found, certain or not; what is in *allowed* stays. Repeating it changes nothing."""
    return sanitized(text, (), allowed=allowed)


def sanitized(text: str, decisions: Iterable[Decided], *, allowed: Container[str] = ()) -> str:
    """The text as it may be passed on, given what staff decided of its spans.

    What they keep stays and what they redact goes, whatever the rules have come to say of it since. All else that is found goes, also while nobody has
    decided. A span beyond the text's end is ignored: the text was erased.
    """
    return with_tags(text, redactions(text, decisions, allowed=allowed))


def redactions(text: str, decisions: Iterable[Decided], *, allowed: Container[str] = ()) -> list[Redaction]:
    """What :func:`sanitized` takes out, in order. Where two overlap, the first one's tag stands for both."""
    decided = {each.span: each for each in decisions}
    gone: list[Found | Decided] = [
        each
        for each in find(text)
        if text[each.start : each.end] not in allowed
        and (each.span not in decided or decided[each.span].decision is not Decision.KEEP)
    ]
    gone += [each for each in decided.values() if each.decision is Decision.REDACT and each.end <= len(text)]
    merged: list[Redaction] = []
    for each in sorted(gone, key=lambda each: each.span):
        if merged and each.start < (last := merged[-1]).end:
            merged[-1] = Redaction(last.start, max(last.end, each.end), last.tag)
        else:
            merged.append(Redaction(each.start, each.end, each.kind.tag))
    return merged


def with_tags(text: str, gone: Iterable[Redaction]) -> str:
    """The text with each redaction's tag in its place."""
    parts, at = [], 0
    for each in gone:
        parts += [text[at : each.start], each.tag]
        at = each.end
    return "".join([*parts, text[at:]])
