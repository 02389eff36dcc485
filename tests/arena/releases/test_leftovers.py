"""Builds of releases that nobody finished: killed processes leave them, and they go."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from time import time

import pytest
from pytest_django.fixtures import Settings

from arena.models import Campaign, Release
from arena.selectors.releases import folder_of
from arena.services import release_files, releases
from arena.services.release_files import STALE, sweep_builds
from tests.arena.builders import make_participant
from tests.arena.exports.made import voted
from tests.arena.releases.made import content, over, prepared

pytestmark = pytest.mark.django_db


def killed_while_making(release: Release, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What its process leaves: the rows are written, the rest is not, and nobody tidies up."""

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(release_files, "descriptions", dies)
        patch.setattr("arena.services.release_files.shutil.rmtree", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            releases.hold(release_id=release.pk)
    [left] = folder_of(release).iterdir()
    assert {each.name for each in left.iterdir()} >= set(release.contents)
    return left


def aged(folder: Path) -> Path:
    then = time() - STALE.total_seconds() - 1
    for each in (*folder.iterdir(), folder):
        os.utime(each, (then, then))
    return folder


def test_what_a_killed_process_left_goes_after_an_hour(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    voted(make_participant(campaign))
    draft = prepared()
    left = killed_while_making(draft, monkeypatch)
    releases.keep()
    assert left.exists(), "it may still be being made"
    aged(left)
    (left / "more.jsonl").write_text("")
    assert sweep_builds() == 0, "somebody has just written into it"
    aged(left)
    releases.keep()
    assert not left.exists()


def test_builds_that_releases_have_stay_however_old_and_so_does_what_is_no_build(
    campaign: Campaign, settings: Settings
) -> None:
    voted(make_participant(campaign))
    final = over(releases.hold(release_id=prepared().pk))
    before = content(aged_release(final))
    other = settings.LEHIA_RELEASES / "ohar-bat" / "gordetzekoa"
    replaced = settings.LEHIA_RELEASES / final.slug / uuid.uuid4().hex
    for folder in (other, replaced):
        folder.mkdir(parents=True)
        (folder / "zerbait.txt").write_text("bai")
        aged(folder)
    assert sweep_builds() >= 1
    assert (replaced.exists(), other.exists()) == (False, True)
    assert content(final) == before


def aged_release(release: Release) -> Release:
    aged(folder_of(release))
    return release
