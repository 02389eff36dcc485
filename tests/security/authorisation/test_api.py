"""``api.txt`` against the API."""

from __future__ import annotations

from arena.types import ApiScope
from tests.arena.api.callers import expired, token
from tests.arena.api.test_scopes import of_somebody_deleted, revoked
from tests.security.authorisation.asking import OTHER_METHODS, Asked, Browser, told
from tests.security.authorisation.people import Somebody
from tests.security.authorisation.routes import address, routes
from tests.security.authorisation.tables import rows
from tests.security.authorisation.world import World

ROWS = rows("api.txt")
ROUTES = routes("api/v1/")


def secrets() -> dict[str, str]:
    """Of each role that has one."""
    made = {
        "unscoped": token(),
        "candidates": token(ApiScope.CANDIDATES),
        "votes": token(ApiScope.VOTES),
        "all": token(*ApiScope),
        "expired": expired(*ApiScope),
        "revoked": revoked(*ApiScope),
        "orphaned": of_somebody_deleted(*ApiScope),
    }
    return {role: each.secret for role, each in made.items()}


def test_the_table_has_each_route_of_the_api_and_each_scope() -> None:
    assert {(each.method, each.route) for each in ROWS} == {
        (method, route) for route in ROUTES for method in ("GET", "POST")
    }
    assert {scope.value for scope in ApiScope} <= ROWS[0].cells.keys()


def test_each_token_opens_what_the_table_says(world: World, browser: Browser) -> None:
    asked, held = Asked(), secrets()
    assert all(each.cells.keys() == held.keys() | {"without", "session"} for each in ROWS)
    for row in ROWS:
        path = address(row.route, world.values(row.route, row.variant, ""))
        methods = [row.method] if row.method == "GET" else [row.method, *OTHER_METHODS]
        for role, expected in row.cells.items():
            who = world.who["superuser"] if role == "session" else Somebody()
            headers = {"Authorization": f"Bearer {held[role]}"} if role in held else {}
            for method in methods:
                came = told(browser.ask(who, method, path, headers=headers))
                asked.note(role, f"{method} {row.route}#{row.variant}", expected=expected, came=came)
    print(f"\napi: {len(ROUTES)} routes, {asked}")
    assert asked.unexpected == [], asked.listed
