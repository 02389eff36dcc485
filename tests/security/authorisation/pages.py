"""What a browser sends that submits a form of a page as it is."""

from __future__ import annotations

from html.parser import HTMLParser

_UNSENT = {"submit", "button", "reset", "file", "image"}


def _is_sent(told: dict[str, str | None]) -> bool:
    kind = told.get("type")
    return kind not in _UNSENT and (kind not in {"checkbox", "radio"} or "checked" in told)


class Form(HTMLParser):
    """The fields of all forms of a page that are sent by POST, and what stands in them."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self._is_sent = False
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        name, value = told.get("name") or "", told.get("value") or ""
        if tag == "form":
            self._is_sent = (told.get("method") or "").lower() == "post"
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in told:
            self._add(self._select, value)
        elif tag == "textarea":
            self._textarea = name
            self._add(name, "")
        elif tag == "input" and name and _is_sent(told):
            self._add(name, value or ("on" if told.get("type") == "checkbox" else ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.fields[self._textarea][-1] += data

    def _add(self, name: str, value: str) -> None:
        if self._is_sent:
            self.fields.setdefault(name, []).append(value)


def as_it_is(html: str) -> dict[str, list[str]]:
    form = Form()
    form.feed(html)
    return {name: [each.removeprefix("\n") for each in values] for name, values in form.fields.items()}
