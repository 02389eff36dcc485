"""``admin.txt`` as it is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.security.authorisation.permissions_needed import Need, need
from tests.security.authorisation.tables import VARIANT, lines

VOLUNTEERS = ("stranger", "banned", "researcher")
INSIDERS = ("moderator", "keeper", "superuser")
OUTSIDE = ("anonymous", "guest", *VOLUNTEERS, "halfway")
DONE = "done"
SHOWN = "see"
"""Below *change*: the page is shown, whatever is sent."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request of the admin, who may, and what they are answered."""

    method: str
    route: str
    model: str
    need: Need
    answer: str
    variant: str = ""


def of_models() -> Iterator[Wanted]:
    for kind, model, *cells in _lines("page"):
        assert len(cells) == 4, (kind, model)
        see, add, change, delete = cells
        base = f"admin/{model.replace('.', '/')}/"
        one = f"{base}<path:object_id>/"
        shown = need(see, model)
        yield Wanted("GET", base, model, shown, "200")
        yield Wanted("GET", f"{one}change/", model, shown, "200")
        yield Wanted("GET", f"{one}history/", model, shown, "200")
        yield Wanted("GET", one, model, need("inside"), f">admin:{model.replace('.', '_')}_change")
        yield Wanted("GET", f"{base}add/", model, need(add, model), "200")
        yield Wanted("POST", f"{base}add/", model, need(add, model), DONE)
        if change == SHOWN:
            yield Wanted("POST", f"{one}change/", model, shown, "200")
        else:
            yield Wanted("POST", f"{one}change/", model, need(change, model), DONE)
        yield Wanted("GET", f"{one}delete/", model, need(delete, model), "200")
        yield Wanted("POST", f"{one}delete/", model, need(delete, model), DONE)


def of_other_pages() -> Iterator[Wanted]:
    for _, method, asked, needed, answer in _lines("route"):
        route, _, variant = asked.partition(VARIANT)
        yield Wanted(method, route, "", need(needed), answer, variant)


def of_the_door() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Method, route, and what each role is answered."""
    for _, method, route, anonymous, volunteers, halfway, inside in _lines("door"):
        roles = dict.fromkeys(VOLUNTEERS, volunteers) | dict.fromkeys(INSIDERS, inside)
        yield method, route, roles | {"anonymous": anonymous, "guest": anonymous, "halfway": halfway}


def of_actions() -> Iterator[tuple[str, str, Need]]:
    """Model, action and who may, with deleting from a list: they need to see the list besides."""
    see = {model: need(cells[0], model) for _, model, *cells in _lines("page")}
    for _, model, *cells in _lines("page"):
        yield model, "delete_selected", see[model].and_also(need(cells[-1], model))
    for _, model, action, needed in _lines("action"):
        yield model, action, see[model].and_also(need(needed, model))


def _lines(kind: str) -> list[list[str]]:
    return [each for each in lines("admin.txt") if each[0] == kind]
