"""``site.txt`` against the pages of the site."""

from __future__ import annotations

import pytest

from tests.security.authorisation.asking import OTHER_METHODS, Asked, Browser, told
from tests.security.authorisation.forms import form_for
from tests.security.authorisation.people import STAFF
from tests.security.authorisation.routes import address, parameters, routes
from tests.security.authorisation.tables import Row, rows
from tests.security.authorisation.world import World

ROWS = rows("site.txt")
ROLES = {"anonymous", "owner", "guest", "stranger", "banned", "researcher", "colleague", *STAFF}
METHODS = ("GET", "POST")
OWNED = {"battle_id": {"owner", "banned"}, "job_id": {"researcher"}}
"""Whose the things are that a route names."""
UNFILLED = {
    *(f"accounts/{each}/" for each in ("login", "login/code", "signup", "reauthenticate")),
    *(f"accounts/{each}/" for each in ("password/change", "password/reset", "second-factor/reauthenticate")),
}
"""Forms of Django's own kind, which come back empty from a PUT, whose body they do not read."""
ELSEWHERE = ("api/v1/", "admin/")
"""Which have tables of their own."""


def of_the_site() -> list[str]:
    return [each for each in routes() if not each.startswith(ELSEWHERE)]


def test_the_table_has_each_route_of_the_site_and_no_other() -> None:
    assert {(each.method, each.route) for each in ROWS} == {
        (method, route) for route in of_the_site() for method in METHODS
    }
    assert len({(each.method, each.route, each.variant) for each in ROWS}) == len(ROWS)
    assert all(each.cells.keys() == ROLES for each in ROWS)


def test_everybody_gets_what_the_table_says(world: World, browser: Browser) -> None:
    asked = Asked()
    for row in ROWS:
        for role, expected in row.cells.items():
            data = form_for(world, row.route, role) if row.method == "POST" else None
            path = address(row.route, world.values(row.route, row.variant, role))
            came = told(browser.ask(world.who[role], row.method, path, data))
            asked.note(role, f"{row.method} {row.route}#{row.variant}", expected=expected, came=came)
    print(f"\nsite: {len(of_the_site())} routes, {asked}")
    assert asked.unexpected == [], asked.listed


def test_what_is_somebody_elses_answers_as_what_is_not_there(world: World, browser: Browser) -> None:
    """Not even that there is such a battle, mark or export is told."""
    asked = Asked()
    for row in ROWS:
        for role in sorted(ROLES - _owners(row)) if _owners(row) else ():
            path = address(row.route, world.values(row.route, "missing", role))
            data = form_for(world, row.route, role) if row.method == "POST" else None
            came = told(browser.ask(world.who[role], row.method, path, data))
            asked.note(role, f"{row.method} {row.route}", expected=row.cells[role], came=came)
    print(f"\nthings that are not there: {asked}")
    assert asked.requests.total() > 200
    assert asked.unexpected == [], asked.listed


@pytest.mark.parametrize("method", OTHER_METHODS)
def test_no_route_takes_another_method(world: World, browser: Browser, method: str) -> None:
    asked = Asked()
    for route in of_the_site():
        for role in ("anonymous", "owner", "superuser"):
            path = address(route, world.values(route, "", role))
            status = browser.ask(world.who[role], method, path).status_code
            is_empty = status == 200 and method == "PUT" and route in UNFILLED
            came = "refused" if is_empty or 300 <= status < 500 else str(status)
            asked.note(role, f"{method} {route}", expected="refused", came=came)
    print(f"\n{method}: {asked}")
    assert asked.unexpected == [], asked.listed


def _owners(row: Row) -> set[str]:
    named = OWNED.keys() & parameters(row.route)
    return set().union(*(OWNED[each] for each in named)) if not row.variant else set()
