"""Campaigns: how their pairs are drawn, and what an admin may ask for."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython
from django.forms import ModelForm, modelform_factory
from django.test import Client
from django.urls import reverse

from arena.admin.campaigns import CampaignForm
from arena.models import Campaign
from arena.selectors.campaigns import policy_of
from arena.services.campaigns import ensure_default_campaign
from ranking.models import Board
from ranking.policies import DEFAULT_POLICY, SamplingPolicy, named_policy
from ranking.types import BoardKind

pytestmark = pytest.mark.django_db


def make_other(policy: str) -> Campaign:
    board = Board.objects.create(slug="beste", name="Beste", kind=BoardKind.LIVE.value)
    return Campaign.objects.create(
        slug="beste", name="Beste", consent_version="1", board=board, sampling_policy=policy
    )


def form_of(campaign: Campaign, policy: str) -> ModelForm[Campaign]:
    names = [field.name for field in Campaign._meta.fields if field.editable]
    values = {name: getattr(campaign, name) for name in names}
    form = modelform_factory(Campaign, form=CampaignForm, fields=names)
    return form(values | {"board": campaign.board_id, "sampling_policy": policy}, instance=campaign)


def move_default_campaign() -> None:
    """What the migration does to a database that holds campaigns."""
    loader = MigrationLoader(connection)
    found = next(
        each for (_, name), each in loader.disk_migrations.items() if name.endswith("draw_by_balanced_2")
    )
    for operation in found.operations:
        if isinstance(operation, RunPython):
            operation.code(loader.project_state().apps, connection.schema_editor())


def test_a_new_campaign_draws_by_the_default_policy() -> None:
    assert DEFAULT_POLICY == "balanced-2"
    assert ensure_default_campaign().sampling_policy == DEFAULT_POLICY
    assert Campaign().sampling_policy == DEFAULT_POLICY


@pytest.mark.parametrize(
    ("before", "after"), [("balanced", "balanced-2"), ("uniform", "uniform"), ("balanced-2", "balanced-2")]
)
def test_the_default_campaign_moves_only_from_the_old_default(before: str, after: str) -> None:
    campaign = ensure_default_campaign()
    Campaign.objects.update(sampling_policy=before)
    move_default_campaign()
    campaign.refresh_from_db()
    assert campaign.sampling_policy == after


def test_another_campaign_keeps_its_policy() -> None:
    ensure_default_campaign()
    other = make_other("balanced")
    move_default_campaign()
    other.refresh_from_db()
    assert other.sampling_policy == "balanced"


@pytest.mark.parametrize("name", ["uniform", "balanced", "balanced-2", "mixed-1(f=0.2,n=0.5,d=0.1)"])
def test_an_admin_may_choose_any_known_policy(name: str) -> None:
    form = form_of(ensure_default_campaign(), name)
    assert form.is_valid(), form.errors
    assert form.save().sampling_policy == name


def test_a_policy_is_kept_by_its_canonical_name() -> None:
    form = form_of(ensure_default_campaign(), "mixed-1(f=0.10,n=0.5,d=0)")
    assert form.is_valid()
    assert form.save().sampling_policy == "balanced-2"


@pytest.mark.parametrize(
    "name", ["", "balanced-3", "Uniform", "mixed-1(f=0.1,n=0.6,d=0)", "mixed-1(f=0,n=0.5,d=0)", "mixed-1()"]
)
def test_another_policy_is_refused_and_the_known_ones_are_named(name: str) -> None:
    form = form_of(ensure_default_campaign(), name)
    assert not form.is_valid()
    assert list(form.errors) == ["sampling_policy"]
    if name:
        said = str(form.errors)
        assert all(known in said for known in ("uniform", "balanced", "balanced-2", "mixed-1"))


def test_the_admin_page_says_so_and_keeps_what_was_typed(admin_client: Client) -> None:
    campaign = ensure_default_campaign()
    address = reverse("admin:arena_campaign_change", args=[campaign.pk])
    page = admin_client.post(address, {"sampling_policy": "balantzatua", "name": "Lehia"}).content.decode()
    assert 'value="balantzatua"' in page
    assert "mixed-1" in page
    campaign.refresh_from_db()
    assert campaign.sampling_policy == DEFAULT_POLICY


def test_a_boards_policy_is_its_campaigns_and_the_default_where_there_is_no_campaign() -> None:
    imported = Board.objects.create(slug="zaharra", name="Z", kind=BoardKind.IMPORTED.value)
    assert policy_of(imported) == named_policy(DEFAULT_POLICY)
    assert policy_of(make_other("uniform").board) == SamplingPolicy(floor=1.0, newcomer=0.0)
