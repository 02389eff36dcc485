"""A release on the Hugging Face hub: its library, spoken to as always, and a stand-in for the hub at the network's edge."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from arena.management.commands.push_release import BAD_INPUT
from arena.models import Campaign, ReleaseEvent
from arena.selectors.releases import folder_of
from arena.types import ReleaseAct
from tests.arena.builders import make_participant
from tests.arena.exports.made import voted
from tests.arena.releases.hub import PAGE, Hub, hub
from tests.arena.releases.made import content, held, over, prepared

# the library sends bodies in a way that its own client has grown tired of
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")]
REPO = "lehia/datuak"


@pytest.fixture
def standing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    # the library's own switch: large files by LFS, since the other way ends in a binary that only the hub answers
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    with hub("hf_proba") as found:
        settings.HF_ENDPOINT, settings.HF_TOKEN = found.address, found.token
        yield found


def pushed(slug: str = "lehia-1", **options: Any) -> Any:
    out = io.StringIO()
    call_command("push_release", slug, repo=REPO, stdout=out, **options)
    return json.loads(out.getvalue())


def test_a_final_release_arrives_whole_in_one_commit(standing: Hub, campaign: Campaign) -> None:
    voted(make_participant(campaign))
    release = over(held())
    told = pushed()
    lies = {name: text for name, text in content(release).items() if name != ".ids"}
    assert standing.files == {**lies, "removals.jsonl": b""}
    assert standing.commits == ["Release lehia-1"]
    assert (standing.repos[0]["name"], standing.repos[0]["type"]) == ("datuak", "dataset")
    assert told["commit"].startswith(PAGE)
    assert ReleaseEvent.objects.get(act=ReleaseAct.PUSHED).about == REPO


def test_a_draft_and_a_release_on_hold_stay(standing: Hub, campaign: Campaign) -> None:
    voted(make_participant(campaign))
    prepared("zirriborroa")
    held()
    for slug in ("zirriborroa", "lehia-1", "nowhere"):
        with pytest.raises(CommandError) as refused:
            pushed(slug)
        assert refused.value.returncode == BAD_INPUT
    assert not standing.repos
    assert not standing.files


def test_without_a_token_or_with_a_wrong_one_nothing_is_sent(
    standing: Hub, campaign: Campaign, settings: Settings
) -> None:
    voted(make_participant(campaign))
    over(held())
    for token in ("", "hf_oker"):
        settings.HF_TOKEN = token
        with pytest.raises(CommandError) as refused:
            pushed()
        assert "hf_oker" not in str(refused.value)
    assert not standing.files
    assert not ReleaseEvent.objects.filter(act=ReleaseAct.PUSHED).exists()


def test_a_file_that_was_changed_on_the_disk_is_not_sent(standing: Hub, campaign: Campaign) -> None:
    voted(make_participant(campaign))
    release = over(held())
    (folder_of(release) / "lmarena.jsonl.gz").write_bytes(b"x")
    with pytest.raises(CommandError, match="not what it was"):
        pushed()
    assert not standing.repos
