"""What a demo's database holds before its first visitor."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from arena.demo import seed
from arena.models import Campaign, User
from inference import services
from inference.types import EndpointStatus
from ranking.models import BenchmarkScore, Board

pytestmark = pytest.mark.django_db


def test_setting_up_twice_makes_one_campaign_and_one_reference_board() -> None:
    call_command("set_up")
    call_command("set_up")
    assert Campaign.objects.count() == 1
    assert Board.objects.filter(slug="ebaluatoia-2025").count() == 1


def test_the_password_is_told_once_and_stored_as_a_hash() -> None:
    password = seed.finish()
    assert password
    assert len(password) >= 16
    admin = User.objects.get(is_superuser=True)
    assert admin.check_password(password)
    assert password not in admin.password
    assert seed.finish() is None


def test_two_candidates_elsewhere_replace_the_small_ones_unless_those_are_switched_on(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/v1"
    assert seed.needs_small_candidates(tmp_path)
    services.add_endpoint(base_url=url, model="latxa-8b")
    assert seed.needs_small_candidates(tmp_path)
    services.add_endpoint(base_url=url, model="latxa-70b")
    assert not seed.needs_small_candidates(tmp_path)
    small = services.add_endpoint(base_url=url, model=str(tmp_path / "txiki_110"))
    assert seed.needs_small_candidates(tmp_path)
    services.set_endpoint_status(endpoint_id=small.pk, status=EndpointStatus.DISABLED)
    assert not seed.needs_small_candidates(tmp_path)


def test_preparing_stores_the_carried_benchmarks_once_and_never_over_others() -> None:
    seed.prepare()
    held = BenchmarkScore.objects.count()
    assert set(BenchmarkScore.objects.values_list("language", flat=True)) == {"eu", "en", "es"}
    BenchmarkScore.objects.filter(model="exp_0_000", benchmark="arc_eu_easy").update(score=1)
    seed.prepare()
    assert BenchmarkScore.objects.count() == held
    assert BenchmarkScore.objects.get(model="exp_0_000", benchmark="arc_eu_easy").score == 1
