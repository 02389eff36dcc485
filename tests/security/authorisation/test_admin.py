"""``admin.txt`` against the admin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin

from tests.security.authorisation import needs, people
from tests.security.authorisation.asking import Asked, Browser, told
from tests.security.authorisation.needs import DONE, OUTSIDE, Wanted
from tests.security.authorisation.pages import as_it_is
from tests.security.authorisation.people import Somebody
from tests.security.authorisation.permissions_needed import Need
from tests.security.authorisation.routes import address, routes
from tests.security.authorisation.shown import FORMS, added, shown, values
from tests.security.authorisation.world import World

MODELS, PAGES, ACTIONS = list(needs.of_models()), list(needs.of_other_pages()), list(needs.of_actions())
DOOR = list(needs.of_the_door())
ROUTES = routes("admin/")
PATTERNS = {
    "admin/^(?P<app_label>arena|inference|auth|account|mfa)/$": "/admin/arena/",
    "admin/(?P<url>.*)$": "/admin/ezer/",
}
"""Addresses of those that are regular expressions."""
SAMPLED = ("anonymous", "researcher", "halfway")
"""Of whom a sample asks one a row, in turn."""
TIERS = pytest.mark.parametrize(
    "is_sample",
    [True, pytest.param(False, marks=pytest.mark.security)],
    ids=["sample", "all"],
)


class Staff:
    """Those of the table's roles, and one whose permissions are given as they are needed; of a sample, those who tell most of each row."""

    def __init__(self, world: World, *, is_sample: bool) -> None:
        self.is_sample = is_sample
        self.everything = people.every_permission()
        self.named = {role: world.who[role] for role in ("moderator", "keeper")}
        self.boss, self.some = world.who["superuser"], people.member_of_staff("batzuk")

    def who_ask(self, need: Need) -> Iterator[tuple[str, Somebody, bool]]:
        """Each with whether they may."""
        for role, who in self.named.items():
            if not self.is_sample or (role == "keeper" and not need.alternatives):
                yield role, who, need.is_met(has=people.permissions_of(who), is_superuser=False)
        yield "superuser", self.boss, need.is_met(has=frozenset(), is_superuser=True)
        for lacking in need.ways_to_fail:
            yield f"all but {'+'.join(sorted(lacking))}", self._with(self.everything.keys() - lacking), False
        for alone in need.alternatives[:1] if self.is_sample else need.alternatives:
            yield f"only {'+'.join(sorted(alone))}", self._with(alone), True

    def _with(self, names: Set[str]) -> Somebody:
        assert self.some.user is not None
        self.some.user.user_permissions.set([self.everything[each] for each in names])
        return self.some


def test_the_table_has_each_route_of_the_admin_and_each_model_and_action() -> None:
    named = {each.route for each in [*MODELS, *PAGES]} | {route for _, route, _ in DOOR}
    assert named == set(ROUTES)
    known = {
        (model._meta.label_lower, name)
        for model, own in admin.site._registry.items()
        for _, name, _ in own._get_base_actions()  # type: ignore[attr-defined]  # what the stubs lack
        if model._meta.managed
    }
    assert {(model, action) for model, action, _ in ACTIONS} == known


@TIERS
def test_everybody_gets_what_the_table_says(world: World, browser: Browser, is_sample: bool) -> None:
    asked, staff = Asked(), Staff(world, is_sample=is_sample)
    things = shown(world)
    forms, places = added(world), values(world, things)
    for place, each in enumerate([*MODELS, *PAGES]):
        at = {"object_id": things[each.model].pk} if each.model else places[each.variant]
        path = PATTERNS.get(each.route) or address(each.route, at)
        data = _form(browser, staff.boss, each, path, forms) if each.method == "POST" else None
        for role in _outsiders(place, is_sample=is_sample):
            came = told(browser.ask(world.who[role], each.method, path, data))
            asked.note(role, f"{each.method} {each.route}", expected=">admin:login", came=came)
        for role, who, may in staff.who_ask(each.need):
            answer = browser.ask(who, each.method, path, data)
            expected = each.answer if may else "403"
            came = _done(answer) if expected == DONE else told(answer)
            asked.note(
                role.partition(" ")[0], f"{role}: {each.method} {each.route}", expected=expected, came=came
            )
    print(f"\nadmin: {len(ROUTES)} routes, {asked}")
    assert asked.unexpected == [], asked.listed


def _outsiders(place: int, *, is_sample: bool) -> tuple[str, ...]:
    return (SAMPLED[place % len(SAMPLED)],) if is_sample else tuple(OUTSIDE)


def _form(
    browser: Browser, boss: Somebody, wanted: Wanted, path: str, forms: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    """What is sent: a page's form as it stands, filled where it was empty."""
    if wanted.route.endswith("/delete/"):
        return {"post": "yes"}
    if not wanted.model:
        return FORMS.get(wanted.route, {})
    page = browser.ask(boss, "GET", path)
    kept = as_it_is(page.content.decode()) if page.status_code == 200 else {}
    return {**kept, **forms.get(wanted.model, {})} if wanted.route.endswith("/add/") else kept


def _done(answer: Any) -> str:
    """Whether the form did what it is for: it leads on, or shows what was made."""
    leads_on = told(answer).startswith(">admin:") and told(answer) != ">admin:login"
    is_page = answer.status_code == 200 and "error" not in answer.content.decode()
    return DONE if leads_on or is_page else told(answer)


def test_the_door_tells_everybody_what_they_lack(world: World, browser: Browser) -> None:
    asked = Asked()
    for method, route, roles in DOOR:
        for role, expected in roles.items():
            came = told(browser.ask(world.who[role], method, f"/{route}"))
            asked.note(role, f"{method} {route}", expected=expected, came=came)
    assert asked.unexpected == [], asked.listed


@TIERS
def test_actions_are_done_for_those_alone_who_may(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch, is_sample: bool
) -> None:
    asked, staff, did = Asked(), Staff(world, is_sample=is_sample), list[str]()
    things = shown(world)
    for place, (model, action, need) in enumerate(ACTIONS):
        _watched(monkeypatch, model, action, did)
        data = {"action": action, "_selected_action": [str(things[model].pk)]}
        path = f"/admin/{model.replace('.', '/')}/"
        did.clear()
        for role in _outsiders(place, is_sample=is_sample):
            came = f"{told(browser.ask(world.who[role], 'POST', path, data))} {len(did)}"
            asked.note(role, f"{model} {action}", expected=">admin:login 0", came=came)
        for role, who, may in staff.who_ask(need):
            did.clear()
            answer = browser.ask(who, "POST", path, data)
            came = "failed" if answer.status_code >= 500 else " ".join(did)
            asked.note(
                role.partition(" ")[0], f"{role}: {model} {action}", expected=action if may else "", came=came
            )
    print(f"\nadmin: {len(ACTIONS)} actions, {asked}")
    assert asked.unexpected == [], asked.listed


def _watched(monkeypatch: pytest.MonkeyPatch, model: str, action: str, did: list[str]) -> None:
    """The action says that it was called, and does nothing; who may call it stays as it is."""
    own = admin.site._registry[apps.get_model(model)]
    is_everywhere = action in admin.site._actions
    real = admin.site._actions[action] if is_everywhere else getattr(type(own), action)

    def called(*_: object) -> None:
        did.append(action)

    vars(called).update(vars(real))
    if is_everywhere:
        monkeypatch.setitem(admin.site._actions, action, called)
    else:
        monkeypatch.setattr(type(own), action, called)
